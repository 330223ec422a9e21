import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../../src/harness/index.ts'
import type { StateDocument } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const reviewed = {
  id: 'reviewed',
  steps: [
    { id: 'draft', agent: 'writer', next: 'review' },
    {
      id: 'review',
      agent: 'reviewer',
      gate: { condition: 'output.good', onFail: 'draft', maxLoops: 1 },
      next: 'publish',
    },
    { id: 'publish', agent: 'writer', retries: 1 },
  ],
}

/** `status progress step@seq errors/recoveries`. */
function overview({ status, progress, safePoint, monitoring }: StateDocument): string {
  const { completed, total } = progress
  const { errorCount, recoveryAttempts } = monitoring
  return `${status} ${completed}/${total} ${safePoint.step}@${safePoint.seq} ${errorCount}/${recoveryAttempts}`
}

describe('the overview of a state', () => {
  test('counts what still counts: a review loop takes steps back, a retry is an error, a resume is a recovery', async () => {
    let publishes = 0
    const session = await runWorkflowStepByStep(defineWorkflow(reviewed), {
      project: await createProject({ storage: 'memory' }),
      agents: {
        writer: ({ step }) => {
          if (step === 'publish' && ++publishes <= 2) throw new Error(`no network ${publishes}`)
        },
        reviewer: ({ visit }) => ({ good: visit > 1 }),
      },
    })
    const seen = [overview(session.state())]
    for await (const _ of session) seen.push(overview(session.state()))
    expect(seen).toEqual([
      'running 0/3 null@0 0/0',
      'running 1/3 draft@2 0/0',
      'running 0/3 null@0 0/0',
      'running 1/3 draft@6 0/0',
      'running 2/3 review@9 0/0',
      'failed 2/3 review@9 2/0',
    ])
    expect(session.state().reason).toBe('no network 2')
    await session.resume()
    expect([overview(session.state()), session.state().reason]).toEqual(['running 2/3 review@9 2/1', null])
    await session.runToEnd()
    expect(overview(session.state())).toBe('completed 3/3 publish@17 2/1')
    await session.close()
  })

  test('says what a run was cancelled for', async () => {
    const life = engineBench(createVirtualFiles()).life({})
    await life.start({ id: 'one', steps: [{ id: 'only', agent: 'nobody' }] })
    await life.incarnation.cancel('the customer has changed their mind')
    expect(life.incarnation.state()).toMatchObject({
      status: 'cancelled',
      reason: 'the customer has changed their mind',
    })
  })
})
