import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operate, operatorCommands, workflows } from '../../../src/arbitraries/index.ts'
import type { OperatorCommand, OperatorModel } from '../../../src/arbitraries/index.ts'
import { createReferenceDriver, defineWorkflow } from '../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import { createProject, mockAgent, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Agent, WorkflowSession } from '../../../src/harness/index.ts'
import type { Incarnation, WorkflowDriver } from '../../../src/ports/index.ts'

const seed = 20_261_122
const anyWorkflow = workflows({ shapes: ['chain', 'fan', 'diamond', 'dag'], maxSteps: 5 })
const operated = anyWorkflow.chain((workflow) =>
  fc.record({ workflow: fc.constant(workflow), commands: operatorCommands(workflow), failing: fc.nat(4) }),
)

async function begun(
  workflow: AgentWorkflow,
  driver?: WorkflowDriver,
  failing?: string,
): Promise<WorkflowSession> {
  return runWorkflowStepByStep(defineWorkflow(workflow), {
    project: await createProject({ storage: 'memory' }),
    ...(driver === undefined ? {} : { driver }),
    agents: { worker: failingOnceAt(failing) },
  })
}

function failingOnceAt(step: string | undefined): Agent {
  const mock = mockAgent()
  let left = 1
  return (context) => {
    if (context.step === step && left-- > 0) throw new Error('model overloaded')
    return mock(context)
  }
}

/** The engine with one thing done wrong. */
function wrong(change: (incarnation: Incarnation) => Partial<Incarnation>): WorkflowDriver {
  const inner = createReferenceDriver()
  return {
    ...inner,
    incarnate(ports) {
      const incarnation = inner.incarnate(ports)
      return { ...incarnation, ...change(incarnation) }
    },
  }
}

async function found(
  driver: WorkflowDriver,
): Promise<{ message: string; commands: readonly OperatorCommand[] }> {
  const property = fc.asyncProperty(operated, async ({ workflow, commands }) => {
    const session = await begun(workflow, driver)
    await operate(session, workflow, commands)
  })
  const { counterexample, errorInstance } = await fc.check(property, { seed, numRuns: 200 })
  return {
    message: (errorInstance as Error | null)?.message ?? 'nothing',
    commands: counterexample?.[0].commands ?? [],
  }
}

describe('whatever an operator does', () => {
  test(
    'a run keeps what it has completed, and refuses what makes no sense',
    { timeout: 60_000 },
    async () => {
      const standings = new Set<OperatorModel['standing']>()
      await fc.assert(
        fc.asyncProperty(operated, async ({ workflow, commands, failing }) => {
          const session = await begun(workflow, undefined, workflow.steps[failing]?.id)
          standings.add((await operate(session, workflow, commands)).standing)
        }),
        { seed, numRuns: 150 },
      )
      expect([...standings].sort()).toEqual(['alive', 'cancelled', 'completed', 'crashed', 'failed'])
    },
  )

  test('an engine that does not stop at the next step is found, by its first command', async () => {
    const { message, commands } = await found(
      wrong((incarnation) => ({
        tick: (policy) => incarnation.tick({ ...policy, maxResults: Infinity, stopsAfter: () => false }),
      })),
    )
    expect(message).toMatch(/^After next\(\): it (?:stopped|completed).*, and did s0,s1/)
    expect(String(commands[0])).toBe('next()')
  })

  test('an engine that forgets to log an edit is found', async () => {
    const { message } = await found(wrong(() => ({ edit: () => {} })))
    expect(message).toMatch(/^After edit\('notes.txt', '[ab]'\): the edit of notes.txt is not kept$/)
  })

  test('an engine that cancels in words alone is found', async () => {
    const { message } = await found(wrong(() => ({ cancel: () => {} })))
    expect(message).toMatch(/^After cancel\(\): it ended completed$/)
  })
})
