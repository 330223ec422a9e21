import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultPlans, inputs, workflows, workflowShapes } from '../../../src/arbitraries/index.ts'
import type { WorkflowShape } from '../../../src/arbitraries/index.ts'
import { defineWorkflow, loadWorkflow } from '../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import { checkFaultPlan } from '../../../src/fault-injection/index.ts'
import type { FaultPlan } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { StateDocument } from '../../../src/trace/index.ts'

const seed = 20_261_121

/** Runs a workflow with mock agents, and resumes until it has completed; the session itself fails for a fault that did not fire. */
async function completed(
  workflow: AgentWorkflow,
  faults?: FaultPlan,
  input: unknown = null,
): Promise<StateDocument> {
  const session = await runWorkflowStepByStep(defineWorkflow(workflow), {
    project: await createProject({ storage: 'memory' }),
    input: input as never,
    ...(faults === undefined ? {} : { faults }),
  })
  let { status } = await session.runToEnd()
  for (let lives = 1; status === 'failed' && lives < 20; lives++) {
    await session.resume()
    status = (await session.runToEnd()).status
  }
  expect(status).toBe('completed')
  const state = session.state()
  await session.close()
  return state
}

function endOf({ steps, artifacts }: StateDocument): unknown {
  return [
    Object.entries(steps).map(([id, { status, output }]) => [id, status, output]),
    artifacts.map(({ path, sha256 }) => [path, sha256]),
  ]
}

/** How many steps wait for none, for one, for more; how many are waited for by none. */
function degrees({ steps }: AgentWorkflow): Readonly<Record<'roots' | 'joins' | 'leaves' | 'gates', number>> {
  const before = steps.map(({ dependsOn = [] }) => dependsOn)
  return {
    roots: before.filter((each) => each.length === 0).length,
    joins: before.filter((each) => each.length > 1).length,
    leaves: steps.filter(({ id }) => !before.some((each) => each.includes(id))).length,
    gates: steps.filter(({ gate }) => gate !== undefined).length,
  }
}

describe('workflows', () => {
  test.each<[WorkflowShape, Partial<ReturnType<typeof degrees>>]>([
    ['chain', { roots: 1, joins: 0, leaves: 1, gates: 0 }],
    ['fan', { joins: 1, leaves: 1, gates: 0 }],
    ['diamond', { roots: 1, leaves: 1, gates: 0 }],
    ['dag', { gates: 0 }],
    ['loop', { roots: 1, joins: 0, leaves: 1, gates: 1 }],
  ])('of the shape %s have it', (shape, expected) => {
    for (const workflow of fc.sample(workflows({ shapes: [shape] }), { seed, numRuns: 30 }))
      expect(degrees(workflow), JSON.stringify(workflow)).toMatchObject(expected)
  })

  test('come in all shapes and sizes, no larger than asked for', () => {
    const sizes = fc
      .sample(workflows({ maxSteps: 9 }), { seed, numRuns: 300 })
      .map(({ steps }) => steps.length)
    expect(new Set(sizes)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]))
    expect(workflowShapes).toHaveLength(5)
  })

  test('complete with mock agents, and with any input, which is kept as it was', async () => {
    await fc.assert(
      fc.asyncProperty(workflows(), inputs(), async (workflow, input) => {
        const state = await completed(workflow, undefined, input)
        expect(state.input).toEqual(input)
        expect(Object.keys(state.steps)).toHaveLength(workflow.steps.length)
      }),
      { seed, numRuns: 40 },
    )
  })

  test('shrink to the smallest one of their shape that shows the failure', async () => {
    const { counterexample } = await fc.check(
      fc.asyncProperty(workflows({ shapes: ['dag'] }), async ({ steps }) =>
        steps.every(({ dependsOn = [] }) => dependsOn.length < 2),
      ),
      { seed },
    )
    expect(counterexample?.[0].steps.map(({ dependsOn }) => dependsOn)).toEqual([[], [], ['s0', 's1']])
    expect(counterexample?.[0].steps.some((step) => 'retries' in step)).toBe(false)
  })
})

describe('fault plans', () => {
  const broken = workflows({ maxSteps: 4 }).chain((workflow) =>
    fc.record({ workflow: fc.constant(workflow), plan: faultPlans(workflow) }),
  )

  test('fit their workflow, fire to the last fault, and leave what an undisturbed run leaves', async () => {
    await fc.assert(
      fc.asyncProperty(broken, async ({ workflow, plan }) => {
        checkFaultPlan(plan, (await loadWorkflow(defineWorkflow(workflow))).definition)
        expect(endOf(await completed(workflow, plan))).toEqual(endOf(await completed(workflow)))
      }),
      { seed, numRuns: 60 },
    )
  })

  test('know every kind of fault, none for gates that are not there, and no more than asked for', () => {
    const kindsIn = (shape: WorkflowShape, maxFaults: number): readonly string[] =>
      fc
        .sample(
          workflows({ shapes: [shape] }).chain((workflow) => faultPlans(workflow, { maxFaults })),
          { seed, numRuns: 100 },
        )
        .flatMap(({ faults }) => {
          expect(faults.length).toBeLessThanOrEqual(maxFaults)
          return faults.map(({ fault }) => fault)
        })
    expect([...new Set(kindsIn('loop', 4))].sort()).toEqual(['agent-error', 'gate-failure', 'step-timeout'])
    expect([...new Set(kindsIn('dag', 1))].sort()).toEqual(['agent-error', 'step-timeout'])
  })
})
