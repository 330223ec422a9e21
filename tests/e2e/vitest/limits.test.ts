import { afterEach, describe, expect, inject, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

const hanging = `${testImports}
import { defineWorkflow } from 'faultline/engine'

const agents = { waiter: () => new Promise(() => {}) }
const workflow = (step) => defineWorkflow({ id: 'waiting', steps: [{ id: 'wait', agent: 'waiter', ...step }] })

describe('a limit', { tags: ['e2e_workflow'] }, () => {
  test.concurrent('of a step', async ({ project, expect }) => {
    const session = await runWorkflowStepByStep(workflow({}), { project, agents, clock: 'real' })
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })
  test.concurrent('of a workflow', async ({ project, expect }) => {
    const session = await runWorkflowStepByStep(workflow({ timeout: '60s' }), { project, agents, clock: 'real' })
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })
  test.concurrent('of a test', async ({ project }) => {
    const limits = { stepTimeoutMs: 60_000, workflowTimeoutMs: 60_000 }
    const session = await runWorkflowStepByStep(workflow({}), { project, agents, clock: 'real', limits })
    await session.runToEnd()
  })
})
`

let open: Stranger | undefined

afterEach(() => {
  open?.remove()
  open = undefined
})

function withLimits(limits: string): Stranger {
  open = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(`{ limits: ${limits} }`),
    'hanging.test.ts': hanging,
  })
  return open
}

describe('time limits', () => {
  test('of step, workflow and test each end what hangs, and are named', () => {
    const project = withLimits('{ stepMs: 500, workflowMs: 1_500, testMs: 6_000 }')
    expect(project.vitest().code).toBe(1)
    const told = failureBundles(project).map(({ manifest }) => [
      manifest.test.fullName,
      manifest.reason,
      manifest.errors[0]?.message.split('\n')[0],
    ])
    expect(told).toEqual([
      [
        'a limit > of a step',
        'assertion',
        expect.stringContaining(`Step 'wait' (attempt 1) exceeded its limit of 500 ms.`),
      ],
      ['a limit > of a test', 'timeout', 'Test timed out in 6000ms.'],
      [
        'a limit > of a workflow',
        'assertion',
        expect.stringContaining(`Workflow 'waiting' exceeded its limit of 1.5 s while it was in 'wait'.`),
      ],
    ])
  })

  test('that do not lie one within the next are refused before anything runs', () => {
    const project = withLimits('{ stepMs: 20_000 }')
    const { code, stdout, stderr } = project.vitest()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(
      'faultline({ limits }): each limit must lie within the next, step < workflow < test, so that the narrowest one ' +
        'speaks first; they are 20 s, 20 s, 30 s.',
    )
  })
})
