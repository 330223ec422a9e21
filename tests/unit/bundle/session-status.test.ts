import { describe, expect, test } from 'vitest'
import { sessionStatus, snapshotStatus } from '../../../src/bundle/session-status.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import { renderStatus } from '../../../src/cli/render.ts'
import { sampleEvents } from '../../support/sample-run.ts'

/** The sample run as it stood after the event with this number. */
function after(seq: number): ReturnType<typeof sessionStatus> {
  return sessionStatus(sampleEvents().slice(0, seq + 1))
}

const error = { kind: 'exception', message: 'model overloaded', name: 'ModelError' }

describe('where a run stands', () => {
  test.each([
    ['while a step runs', 3, { status: 'running', completed: ['plan'], inFlight: ['build'], failed: null }],
    [
      'while a step waits for its retry',
      7,
      { status: 'running', completed: ['plan', 'build'], inFlight: ['review'], failed: null },
    ],
    [
      'after it has failed',
      10,
      { status: 'failed', completed: ['plan', 'build'], inFlight: [], failed: { step: 'review', error } },
    ],
    ['after a resume', 12, { status: 'running', completed: ['plan', 'build'], inFlight: [], failed: null }],
    [
      'after a gate has sent it back',
      14,
      { status: 'running', completed: ['plan', 'build'], inFlight: [], failed: null },
    ],
    [
      'while a step runs again',
      16,
      { status: 'running', completed: ['plan'], inFlight: ['build'], failed: null },
    ],
    [
      'at its end',
      23,
      { status: 'completed', completed: ['plan', 'build', 'review', 'publish'], inFlight: [], failed: null },
    ],
  ])('is told by its events: %s', (_, seq, expected) => {
    expect(after(seq)).toEqual(expected)
  })

  test('forgets what was in flight when the process that ran it has died', () => {
    const [start, plan] = sampleEvents()
    const resume = sampleEvents()[12]
    expect(sessionStatus([start, plan, resume].flatMap((event) => event ?? []))).toMatchObject({
      inFlight: [],
    })
  })
})

test('a step that has failed, which is tolerated, is not in flight', async () => {
  const workflow = defineWorkflow({
    id: 'tolerating',
    steps: [
      { id: 'soft', agent: 'refuser', continueOnError: true },
      { id: 'hard', agent: 'refuser' },
    ],
  })
  const session = await runWorkflowStepByStep(workflow, {
    project: await createProject({ storage: 'memory' }),
    agents: {
      refuser() {
        throw new Error('no')
      },
    },
  })
  await session.runToEnd()
  expect(session.state().currentSteps).toEqual(['soft', 'hard'])
  expect(renderStatus(session.state(), 'interrupted')).toContain(
    'status   interrupted before the first step\n',
  )
  const { atFailure } = session.snapshots
  expect(atFailure && snapshotStatus(atFailure)).toMatchObject({ inFlight: [], failed: { step: 'hard' } })
  await session.close()
})
