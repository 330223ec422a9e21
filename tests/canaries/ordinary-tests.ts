import { expect } from 'vitest'
import type { Fault } from '../../src/definition/index.ts'
import { defineWorkflow } from '../../src/engine/index.ts'
import { agentError, gateFailure, stepTimeout } from '../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../src/harness/index.ts'
import type { WorkflowSession } from '../../src/harness/index.ts'
import type { WorkflowDriver } from '../../src/ports/index.ts'
import { agents } from './workflows.ts'

const steps = ['plan', 'left', 'right', 'review', 'publish'] as const

const workflow = defineWorkflow({
  id: 'ordinary',
  steps: [
    { id: 'plan', agent: 'writer', requires: [], creates: ['out/plan.txt'] },
    { id: 'left', agent: 'writer', requires: ['out/plan.txt'], creates: ['out/left.txt'] },
    { id: 'right', agent: 'writer', requires: ['out/plan.txt'], creates: ['out/right.txt'] },
    {
      id: 'review',
      agent: 'writer',
      requires: ['out/left.txt', 'out/right.txt'],
      creates: ['out/review.txt'],
      gate: { condition: "output.step == 'review'" },
    },
    {
      id: 'publish',
      agent: 'writer',
      dependsOn: 'review',
      requires: ['out/review.txt'],
      creates: ['out/publish.txt'],
    },
  ],
})

const artifacts = Object.fromEntries(steps.map((step) => [`out/${step}.txt`, `${step}, visit 1\n`]))

/** What everybody tests: a step fails, or the process dies between two steps; the run is resumed, and completes. */
export async function passesOrdinaryTests(driver: WorkflowDriver): Promise<void> {
  await completes(await begun(driver))
  for (const step of steps) await failsAndCompletes(driver, step, agentError(step))
  await failsAndCompletes(driver, 'review', gateFailure('review'))
  await failsAndCompletes(driver, 'left', stepTimeout('left'))
  for (const step of steps.slice(0, -1)) await diesAndCompletes(driver, step)
}

async function failsAndCompletes(driver: WorkflowDriver, step: string, fault: Fault): Promise<void> {
  const session = await begun(driver, [fault])
  expect(await session.runToEnd()).toMatchObject({ status: 'failed', step })
  await resumesAndCompletes(session)
}

async function diesAndCompletes(driver: WorkflowDriver, after: string): Promise<void> {
  const session = await begun(driver)
  expect(await session.runUntil(after)).toEqual({ status: 'stopped', step: after })
  await session.crash()
  await resumesAndCompletes(session)
}

async function resumesAndCompletes(session: WorkflowSession): Promise<void> {
  const done = session.state().completedSteps
  await session.resume()
  await completes(session)
  for (const step of done) expect(await session.executions(step)).toHaveLength(1)
}

async function completes(session: WorkflowSession): Promise<void> {
  expect(await session.runToEnd()).toEqual({ status: 'completed' })
  expect(session.state().completedSteps.toSorted()).toEqual(steps.toSorted())
  const { project } = session
  const files = (await project.list()).map(async (path) => [path, await project.readText(path)])
  expect(Object.fromEntries(await Promise.all(files))).toEqual(artifacts)
  await session.close()
}

async function begun(driver: WorkflowDriver, faults: readonly Fault[] = []): Promise<WorkflowSession> {
  const project = await createProject({ storage: 'memory' })
  return runWorkflowStepByStep(workflow, { project, agents, driver, faults })
}
