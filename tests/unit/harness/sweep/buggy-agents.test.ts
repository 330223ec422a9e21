import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { createProject, faultsInWords, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepOptions } from '../../../../src/harness/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'

const timeout = 300_000

/** `<what struck>: <sentence>` for everything that a sweep finds. */
async function found(
  steps: AgentWorkflow['steps'],
  agents: Agents,
  options: SweepOptions = {},
): Promise<readonly string[]> {
  const { findings } = await sweepFaults(defineWorkflow({ id: 'buggy', steps }), {
    project: await createProject({ storage: 'memory' }),
    agents,
    minimise: false,
    ...options,
  })
  return findings.flatMap(({ faults, violations }) =>
    violations.map(({ sentence }) => `${faultsInWords(faults)}: ${sentence}`),
  )
}

test('an agent that is not idempotent: it orders again when it has heard nothing', { timeout }, async () => {
  const agents: Agents = {
    async buyer({ http, effect, artifacts }) {
      const buy = async (): Promise<void> => {
        await effect('order', () => null)
        const { status } = await http.request({ url: 'http://shop.test/order', method: 'POST' })
        if (status !== 200) throw new Error('the shop says no')
      }
      await buy().catch(buy)
      await artifacts.write('bought.txt', 'one')
      return null
    },
  }
  const sentences = await found([{ id: 'buy', agent: 'buyer', creates: 'bought.txt' }], agents, {
    http: () => ({ status: 200, body: 'thanks' }),
    families: ['network'],
  })
  expect(sentences).toContainEqual(
    expect.stringMatching(
      /^network http-failure reset at 1\/buy#1@1:http\.request:.*: Effect 'order' of step 'buy' \(visit 1\) was duplicated: it happened 2 times in 1 execution\.$/,
    ),
  )
})

test('an agent whose work depends on how often it was tried', { timeout }, async () => {
  const agents: Agents = {
    async counter({ attempt, artifacts }) {
      await artifacts.write('count.txt', `try ${attempt}`)
      return null
    },
  }
  const sentences = await found([{ id: 'count', agent: 'counter', creates: 'count.txt' }], agents, {
    families: ['agent'],
  })
  expect(sentences).toContain(
    `agent agent-error before injected by the sweep at 1/count#1@1:agent.invoke:counter#1: ` +
      `File 'count.txt' has other bytes than in the run without faults.`,
  )
})

test('an agent that ignores its signal', { timeout }, async () => {
  const agents: Agents = {
    async deaf({ clock, artifacts }) {
      await clock.sleep(5_000).catch(() => new Promise(() => {}))
      await artifacts.write('heard.txt', 'nothing')
      return null
    },
  }
  const steps = [{ id: 'listen', agent: 'deaf', creates: 'heard.txt', timeout: '10s' }] as const
  expect(await found(steps, agents, { families: ['lifecycle'] })).toEqual([
    'lifecycle cancel at 1/run:run.goOn:listen#1@1#1: A call is still in flight: agent of listen#1@1.',
  ])
})

test('an agent that writes beside its artifacts', { timeout }, async () => {
  const project = await createProject()
  const agents: Agents = {
    async scribe({ artifacts }) {
      await artifacts.write('note.md', 'a note')
      await writeFile(join(project.folder ?? '', 'diary.txt'), 'seen by nobody')
      return null
    },
  }
  try {
    await expect(
      found([{ id: 'note', agent: 'scribe', creates: 'note.md' }], agents, { project }),
    ).rejects.toMatchObject({
      code: 'SWEEP_IMPOSSIBLE',
      message:
        `While agent 'scribe' of step 'note' worked, 'diary.txt' was written in the project's folder. A sweep runs workflow 'buggy' ` +
        `on a simulated disk, which alone it can break and undo: write with context.artifacts.`,
    })
  } finally {
    await project.remove()
  }
})

describe('a gate on scores', () => {
  const review = (condition: string, onFail?: string): AgentWorkflow['steps'] => [
    { id: 'draft', agent: 'writer', creates: 'draft.md' },
    {
      id: 'review',
      agent: 'reviewer',
      requires: 'draft.md',
      scoring: { thresholds: { overall_min: 80 } },
      gate: { condition, ...(onFail === undefined ? {} : { onFail }) },
    },
  ]
  const reviewing: Agents = {
    writer: ({ artifacts }) => artifacts.write('draft.md', 'a draft'),
    reviewer: () => ({ scores: { overall: 90 } }),
  }

  test.each([undefined, 'draft'])(
    'that passes on a broken score is found, sending back to %s',
    { timeout },
    async (onFail) => {
      const lax = review('scoring.passed == true || output.scores.overall < 50', onFail)
      expect(await found(lax, reviewing, { families: ['agent'] })).toContain(
        `agent agent-answer worst-scores at 1/review#1@1:agent.invoke:reviewer#1: ` +
          `The gate of step 'review' passes whatever the scores are: it passed with all of them at -1.`,
      )
      const strict = review('scoring.passed == true', onFail)
      expect(await found(strict, reviewing, { families: ['agent', 'gate', 'time'] })).toEqual([])
    },
  )
})
