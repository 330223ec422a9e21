import { afterEach, describe, expect, test } from 'vitest'
import { deferred } from '../../../src/core/index.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError, gateFailure, stepTimeout, workflowTimeout } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Agents, Project, WorkflowSession, WorkflowSessionOptions } from '../../../src/harness/index.ts'
import { eventWords } from '../../support/engine-run.ts'

const open: { session?: WorkflowSession; project: Project }[] = []

afterEach(async () => {
  for (const { session, project } of open.splice(0)) {
    await session?.close().catch(() => {})
    await project.remove()
  }
})

const chain = defineWorkflow({
  id: 'chain',
  settings: { timeout: '5m' },
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', creates: ['out/two.txt'] },
    { id: 'three', agent: 'writer', creates: ['out/three.txt'] },
    { id: 'four', agent: 'writer', creates: ['out/four.txt'] },
  ],
})

const reviewed = defineWorkflow({
  id: 'reviewed',
  steps: [
    { id: 'write', agent: 'writer', creates: ['out/write.txt'], next: 'review' },
    {
      id: 'review',
      agent: 'writer',
      creates: ['out/review.txt'],
      gate: { condition: 'output.good == true', onFail: 'write', maxLoops: 1 },
      next: 'ship',
    },
    { id: 'ship', agent: 'writer', creates: ['out/ship.txt'] },
  ],
})

const fork = defineWorkflow({
  id: 'fork',
  steps: [
    { id: 'quick', agent: 'quick', requires: [] },
    { id: 'slow', agent: 'slow', creates: ['out/slow.txt'] },
  ],
})

const writer: Agents = {
  writer: async ({ step, artifacts }) => {
    await artifacts.write(`out/${step}.txt`, `by ${step}\n`)
    return { step, good: true }
  },
}

async function session(
  workflow: typeof chain,
  options: WorkflowSessionOptions = {},
): Promise<WorkflowSession> {
  const project = (options.project as Project | undefined) ?? (await createProject())
  const opened = await runWorkflowStepByStep(workflow, { agents: writer, ...options, project })
  open.push({ session: opened, project })
  return opened
}

describe('a session', () => {
  test('runs a workflow to its end and reads the result back from disk', async () => {
    const run = await session(chain)
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect(run.state().completedSteps).toEqual(['one', 'two', 'three', 'four'])
    expect(await run.project.readText('out/three.txt')).toBe('by three\n')
  })

  test('stops between steps: what comes next has not been started on disk', async () => {
    const run = await session(chain)
    expect(await run.next()).toEqual({ status: 'stopped', step: 'one' })
    expect(await run.next()).toEqual({ status: 'stopped', step: 'two' })
    expect(eventWords(run.events())).toEqual([
      'workflow_start',
      'step_start one#1@1',
      'artifacts_prepared one#1@1',
      'artifact_created one#1@1',
      'step_finish one#1@1',
      'step_start two#1@1',
      'artifacts_prepared two#1@1',
      'artifact_created two#1@1',
      'step_finish two#1@1',
    ])
    await run.edit('out/two.txt', 'edited\n')
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
  })

  test('fails where the fault is, resumes in a new engine and completes', async () => {
    const run = await session(chain, { faults: [agentError('three', { message: 'model overloaded' })] })
    expect(await run.runToEnd()).toEqual({
      status: 'failed',
      step: 'three',
      error: { kind: 'exception', message: 'model overloaded', name: 'InjectedAgentError' },
    })
    expect(await run.resume()).toEqual({ status: 'stopped', step: 'three' })
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect(await run.executions('one')).toEqual([{ step: 'one', visit: 1, attempt: 1, incarnation: 1 }])
    expect(await run.executions('three')).toEqual([
      { step: 'three', visit: 1, attempt: 1, incarnation: 1 },
      { step: 'three', visit: 1, attempt: 2, incarnation: 2 },
    ])
    const { beforeFailure, atFailure, beforeResume, afterResume } = run.snapshots
    expect([
      beforeFailure?.status,
      atFailure?.status,
      beforeResume[0]?.status,
      afterResume[0]?.status,
    ]).toEqual(['running', 'failed', 'failed', 'running'])
    expect(beforeResume[0]?.state).toEqual(atFailure?.state)
  })

  test('reports a step that hangs at its limit, in no real time', async () => {
    const run = await session(chain, { faults: [stepTimeout('two')] })
    const outcome = await run.runToEnd()
    expect(outcome).toMatchObject({ status: 'failed', step: 'two', error: { kind: 'timeout' } })
    expect(outcome.error?.message).toBe(`Step 'two' (attempt 1) exceeded its limit of 30 s.`)
    await run.resume()
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
  })

  test('reports the workflow limit while no step limit has passed', async () => {
    const run = await session(chain, { faults: [workflowTimeout('two')] })
    expect(await run.runToEnd()).toMatchObject({
      status: 'failed',
      step: 'two',
      error: { kind: 'workflow-timeout' },
    })
    await run.resume()
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
  })

  test('takes the review loop when the gate fails and stops when its returns are used up', async () => {
    const run = await session(reviewed, { faults: [gateFailure('review', { times: 2 })] })
    expect(await run.runToEnd()).toMatchObject({ status: 'failed', step: 'review', error: { kind: 'gate' } })
    expect((await run.executions('write')).map(({ visit }) => visit)).toEqual([1, 2])
    expect(await run.resume()).toEqual({ status: 'stopped', step: 'review' })
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect(run.state().gateDecisions.map(({ visit, route }) => [visit, route])).toEqual([
      [1, 'loop'],
      [2, 'fail'],
      [2, 'pass'],
    ])
  })

  test('resumes a failed gate from the loop target with fresh returns', async () => {
    const run = await session(reviewed, { faults: [gateFailure('review', { times: 3 })] })
    expect((await run.runToEnd()).status).toBe('failed')
    expect(await run.resume({ from: 'loop-target' })).toEqual({ status: 'stopped', step: 'write' })
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect((await run.executions('write')).map(({ visit }) => visit)).toEqual([1, 2, 3, 4])
  })

  test('does not wait for an agent that never answers while it stops before it', async () => {
    const run = await session(chain, {
      agents: {
        writer: (context) => (context.step === 'three' ? new Promise(() => {}) : writer['writer']?.(context)),
      },
    })
    await run.next()
    await run.next()
    expect(eventWords(run.events())).not.toContain('step_start three#1@1')
  })

  test('a crash reaches nobody: code behind it can neither write nor notice', async () => {
    const outside = deferred<void>()
    const over = deferred<boolean>()
    const run = await session(fork, {
      agents: {
        quick: () => null,
        slow: async ({ artifacts, signal, attempt }) => {
          if (attempt > 1) return artifacts.write('out/slow.txt', 'second life')
          try {
            await outside.promise
          } finally {
            over.resolve(signal.aborted)
            await artifacts.write('out/slow.txt', 'after death')
          }
        },
      },
    })
    expect(await run.next()).toEqual({ status: 'stopped', step: 'quick' })
    expect(await run.crash()).toEqual({ status: 'crashed', step: 'slow' })
    expect((await run.capture()).status).toBe('interrupted')
    outside.resolve()
    expect(await over.promise).toBe(false)
    await run.resume()
    expect((await run.project.list({ all: true })).filter((path) => path.includes('slow'))).toEqual([])
    expect(run.afterDeath).toEqual(['files.write:out/slow.txt'])
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect(await run.project.readText('out/slow.txt')).toBe('second life')
  })

  test('says which planned fault never fired', async () => {
    const run = await session(chain, { faults: [agentError('four', { attempt: 2 })] })
    await expect(run.runToEnd()).rejects.toThrow(
      `The fault plan was not carried out: agent-error at 'four', attempt 2 fired 0 of 1 time.`,
    )
  })

  test('refuses a misspelt step in the plan with a suggestion', async () => {
    await expect(session(chain, { faults: [agentError('tree')] })).rejects.toThrow(
      `faults[0].at names no step of workflow 'chain': 'tree'. Did you mean 'three'?`,
    )
  })

  test('runs in a project in memory, where agents have the whole fs API and no folder', async () => {
    const project = await createProject({ template: 'minimal', storage: 'memory' })
    const run = await session(chain, { project, faults: [agentError('two')] })
    expect((await run.runToEnd()).status).toBe('failed')
    await run.resume()
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect(project.folder).toBeUndefined()
    expect(project.fs?.readFileSync('/out/four.txt', 'utf8')).toBe('by four\n')
  })
})
