import { afterEach, describe, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { WorkflowSession } from '../../../src/harness/index.ts'
import { expect } from '../../../src/vitest/index.ts'

const workflow = defineWorkflow({
  id: 'pair',
  steps: [
    { id: 'build', agent: 'builder', creates: ['app.js'] },
    { id: 'ship', agent: 'shipper' },
  ],
})

let open: WorkflowSession | undefined

afterEach(async () => {
  await open?.close()
  await open?.project.remove()
})

async function failed(): Promise<WorkflowSession> {
  open = await runWorkflowStepByStep(workflow, {
    project: await createProject(),
    disk: 'simulated',
    faults: [agentError('ship', { message: 'no network' })],
  })
  await open.runToEnd()
  return open
}

/** The sentence of a failing matcher, without the timeline below it. */
function sentence(run: () => void): string {
  try {
    run()
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string
  }
  return 'it passed'
}

describe('matchers', () => {
  test('judge the run as it was read back from disk', async () => {
    const session = await failed()
    expect(session).toHaveFailedAt('ship')
    expect(session).toHaveStatus('failed')
    expect(session).not.toHaveCompleted()
    expect(session).toHaveRunOnce('build')
    expect(session).toHaveProduced('app.js')
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(session).toHaveRun('ship', 2)
    expect(session).toHaveVisited('ship', 1)
    expect(session).not.toHaveRunOnce('ship')
  })

  test('say what was expected and what was found', async () => {
    const session = await failed()
    expect([
      sentence(() => expect(session).toHaveCompleted()),
      sentence(() => expect(session).toHaveFailedAt('build')),
      sentence(() => expect(session).not.toHaveFailedAt('ship')),
      sentence(() => expect(session).toHaveRun('build', 2)),
      sentence(() => expect(session).toHaveVisited('build', 2)),
      sentence(() => expect(session).toHaveProduced('lib.js')),
      sentence(() => expect(session).toHaveRunOnce('biuld')),
    ]).toMatchInlineSnapshot(`
      [
        "expected the last outcome to be 'completed'; it was 'failed' at 'ship': no network",
        "expected the run to have failed at 'build'; it failed at 'ship'",
        "expected the run not to have failed at 'ship'; it failed at 'ship'",
        "expected step 'build' to have run 2 times; it ran 1 times",
        "expected step 'build' to have had 2 visits; it had 1",
        "expected the run to have produced 'lib.js'; it produced app.js",
        "the workflow has no step 'biuld'; it has build, ship",
      ]
    `)
  })

  test('refuse a promise, which nobody has read yet', () => {
    const promise = Promise.resolve() as unknown as WorkflowSession
    expect(sentence(() => expect(promise).toHaveCompleted())).toBe(
      'this matcher takes a workflow session: await runWorkflowStepByStep(...) first',
    )
  })
})
