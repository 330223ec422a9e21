import { expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentAnswer, agentDelay, agentError, clockJump } from '../../../src/fault-injection/index.ts'
import type { Fault } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { RunOutcome } from '../../../src/harness/index.ts'
import type { WorkflowEvent } from '../../../src/trace/index.ts'

const workflow = defineWorkflow({ id: 'one', steps: [{ id: 'write', agent: 'writer', timeout: '10s' }] })

/** What a run with one fault came to, its events, and how many artifacts its agent got to write. */
async function ran(
  fault: Fault,
): Promise<{ outcome: RunOutcome; events: readonly WorkflowEvent[]; writes: number }> {
  let writes = 0
  const session = await runWorkflowStepByStep(workflow, {
    project: await createProject({ storage: 'memory' }),
    agents: {
      async writer({ artifacts }) {
        for (const name of ['a.txt', 'b.txt']) {
          await artifacts.write(name, name)
          writes++
        }
        return { done: true }
      },
    },
    faults: [fault],
  })
  const outcome = await session.runToEnd()
  const events = session.events()
  await session.close()
  return { outcome, events, writes }
}

test.each([
  ['before', 0],
  ['partial', 0],
  ['after', 2],
] as const)('an agent that fails %s has written %i artifacts', async (moment, expected) => {
  const { outcome, writes } = await ran(agentError('write', { moment, message: 'overloaded' }))
  expect([outcome.status, outcome.error?.message, writes]).toEqual(['failed', 'overloaded', expected])
})

test('an answer that is no JSON fails the step, and its work was done', async () => {
  const { outcome, writes } = await ran(agentAnswer('write'))
  expect([outcome.status, outcome.error?.kind, writes]).toEqual(['failed', 'validation', 2])
})

test.each([
  ['empty', null],
  ['oversize', 'x'.repeat(100_000)],
] as const)('an answer can be %s', async (form, expected) => {
  const { events } = await ran(agentAnswer('write', { form }))
  expect(events.find(({ kind }) => kind === 'step_finish')).toMatchObject({ output: expected })
})

test('an answer just before the limit counts, and one just after it does not', async () => {
  const before = await ran(agentDelay('write', { until: 'before-limit' }))
  expect([before.outcome.status, before.events.at(-1)?.at]).toEqual([
    'completed',
    (before.events[0]?.at ?? 0) + 9_999,
  ])
  const after = await ran(agentDelay('write'))
  expect([after.outcome.error?.kind, after.events.at(-1)?.at]).toEqual([
    'timeout',
    (after.events[0]?.at ?? 0) + 10_000,
  ])
})

test('a clock that is set forward shows it in the events', async () => {
  const { events } = await ran(clockJump('write', { by: 'year' }))
  const [first, last] = [events[0]?.at ?? 0, events.at(-1)?.at ?? 0]
  expect(last - first).toBe(365 * 86_400_000)
})
