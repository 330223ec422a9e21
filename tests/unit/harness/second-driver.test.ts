import { expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import { listDriver } from '../../support/list-driver.ts'

const workflow = defineWorkflow({
  id: 'list',
  steps: [
    { id: 'one', agent: 'worker' },
    { id: 'two', agent: 'worker' },
    { id: 'three', agent: 'worker' },
  ],
})

test('a session drives an engine that it has never heard of: steps, failure, resume', async () => {
  const project = await createProject()
  const executed: string[] = []
  const session = await runWorkflowStepByStep(workflow, {
    project,
    driver: listDriver,
    disk: 'simulated',
    agents: { worker: ({ step }) => void executed.push(step) },
    faults: [agentError('two', { message: 'no' })],
  })
  expect(await session.next()).toEqual({ status: 'stopped', step: 'one' })
  expect(await session.runToEnd()).toEqual({
    status: 'failed',
    step: 'two',
    error: { kind: 'exception', message: 'no' },
  })
  expect(await session.resume()).toEqual({ status: 'stopped', step: 'two' })
  expect(await session.runUntil({ before: 'three' })).toEqual({ status: 'stopped', step: 'three' })
  expect(await session.runToEnd()).toEqual({ status: 'completed' })
  expect(executed).toEqual(['one', 'two', 'three'])
  await session.close()
  await project.remove()
})
