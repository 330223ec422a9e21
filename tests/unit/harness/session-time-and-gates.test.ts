import { afterEach, describe, expect, test } from 'vitest'
import { deferred } from '../../../src/core/index.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import type { WorkflowSource } from '../../../src/engine/index.ts'
import { agentError, gateFailure, stepTimeout } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { WorkflowSession, WorkflowSessionOptions } from '../../../src/harness/index.ts'
import { eventWords } from '../../support/engine-run.ts'

const open: WorkflowSession[] = []

afterEach(async () => {
  for (const session of open.splice(0)) {
    await session.close().catch(() => {})
    await session.project.remove()
  }
})

async function session(workflow: WorkflowSource, options: WorkflowSessionOptions): Promise<WorkflowSession> {
  const opened = await runWorkflowStepByStep(workflow, {
    project: await createProject(),
    disk: 'simulated',
    ...options,
  })
  open.push(opened)
  return opened
}

const retried = defineWorkflow({
  id: 'retried',
  steps: [{ id: 'call', agent: 'worker', retries: 2, retryDelay: 1, timeout: 5 }],
})
const gated = defineWorkflow({
  id: 'gated',
  steps: [
    { id: 'draft', agent: 'worker', gate: { condition: 'output.good' } },
    { id: 'send', agent: 'worker' },
  ],
})

describe('time', () => {
  test('retries wait base, then twice base, on the virtual clock', async () => {
    const run = await session(retried, {
      agents: { worker: () => null },
      faults: [agentError('call', { times: 2 })],
    })
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    const start = run.events()[0]?.at ?? 0
    expect(run.events().map((event) => [event.kind, event.at - start])).toEqual([
      ['workflow_start', 0],
      ['step_start', 0],
      ['step_retry', 0],
      ['step_start', 1_000],
      ['step_retry', 1_000],
      ['step_start', 3_000],
      ['step_finish', 3_000],
      ['workflow_end', 3_000],
    ])
  })

  test('a crash spends no retry, and a resume starts with fresh ones', async () => {
    const run = await session(retried, {
      agents: { worker: () => null },
      faults: [agentError('call', { times: 4 })],
    })
    expect(await run.runToEnd()).toMatchObject({ status: 'failed', step: 'call' })
    await run.resume()
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect((await run.executions('call')).map(({ attempt, incarnation }) => [attempt, incarnation])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
      [5, 2],
    ])
  })

  test('a hanging attempt is aborted at its limit and retried', async () => {
    const run = await session(retried, { agents: { worker: () => null }, faults: [stepTimeout('call')] })
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    const retry = run.events().find((event) => event.kind === 'step_retry')
    expect(retry).toMatchObject({ durationMs: 5_000, error: { kind: 'timeout' } })
  })

  test('a result that comes after its attempt has ended is thrown away and recorded', async () => {
    const late = deferred<string>()
    const run = await session(
      defineWorkflow({
        id: 'late',
        steps: [
          { id: 'call', agent: 'worker', retries: 1, timeout: 5 },
          { id: 'after', agent: 'sleeper' },
        ],
      }),
      {
        agents: {
          worker: ({ attempt, clock }) =>
            attempt === 1 ? clock.sleep(9_999).catch(() => late.promise) : 'in time',
          sleeper: async ({ clock }) => {
            late.resolve('too late')
            await clock.sleep(10)
          },
        },
      },
    )
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
    expect(run.state().steps['call']?.output).toBe('in time')
    expect(eventWords(run.events())).toContain('late_result call#1@1')
  })

  test('an agent that waits for something the clock cannot see is named', async () => {
    const run = await session(retried, {
      agents: { worker: () => new Promise(() => {}) },
      limits: { realWaitMs: 20 },
    })
    await expect(run.runToEnd()).rejects.toThrow(
      `For 20 ms of real time agent 'worker' of step 'call' waited for something that the virtual clock cannot see.`,
    )
  })

  test('agents with awaits of their own, real timers and parallel calls are waited for', async () => {
    const run = await session(retried, {
      agents: {
        worker: async ({ clock }) => {
          await Promise.all([clock.sleep(1), new Promise((resolve) => setImmediate(resolve))])
          await new Promise((resolve) => setTimeout(resolve, 5))
          await clock.sleep(1_000)
          return 'done'
        },
      },
    })
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
  })
})

describe('gates', () => {
  test('a condition that asks for a missing key is an error, never a no', async () => {
    const run = await session(gated, { agents: { worker: () => ({}) } })
    expect(await run.runToEnd()).toMatchObject({
      status: 'failed',
      step: 'draft',
      error: {
        kind: 'gate',
        message: expect.stringMatching(/^The gate of step 'draft' cannot be judged: .*good/),
      },
    })
  })

  test('a gate can be left open and answered from outside', async () => {
    const run = await session(gated, { agents: { worker: () => null }, gates: { draft: 'external' } })
    expect(await run.runToEnd()).toEqual({ status: 'waiting', step: 'draft' })
    await run.answerGate('draft', true)
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
  })

  test('an injected gate that cannot be judged fails the step', async () => {
    const run = await session(gated, {
      agents: { worker: () => ({ good: true }) },
      faults: [gateFailure('draft', { mode: 'throw', reason: 'judge is ill' })],
    })
    expect((await run.runToEnd()).error?.message).toBe(
      `The gate of step 'draft' cannot be judged: judge is ill`,
    )
  })
})

describe('misuse', () => {
  test('is refused with what to do instead', async () => {
    const run = await session(gated, { agents: { worker: () => ({ good: true }) } })
    await expect(run.resume()).rejects.toThrow(
      `is still going: run it to its end, or crash() it, before resume()`,
    )
    await expect(run.runUntil('drafd')).rejects.toThrow(`has no step 'drafd'. Did you mean 'draft'?`)
    const moving = run.runToEnd()
    await expect(run.next()).rejects.toThrow('is still moving: await the call before')
    await moving
    await expect(run.next()).rejects.toThrow('has completed: it cannot go on.')
    await expect(run.resume()).rejects.toThrow('has completed; there is nothing to resume')
    await run.close()
    await expect(run.crash()).rejects.toThrow('is closed: it cannot crash.')
  })

  test('one resume at a time', async () => {
    const run = await session(gated, { agents: { worker: () => ({ good: true }) } })
    await run.crash()
    const resuming = run.resume()
    await expect(run.resume()).rejects.toThrow('is still moving: await the call before, then resume.')
    await expect(run.runToEnd()).rejects.toThrow('is still moving: await the call before, then go on.')
    await resuming
    expect(await run.runToEnd()).toEqual({ status: 'completed' })
  })

  test('two different seeds are an error', async () => {
    await expect(session(gated, { seed: 1, faults: { version: 1, seed: 2, faults: [] } })).rejects.toThrow(
      'Two different seeds were given: 1 as an option and 2 in the fault plan.',
    )
  })

  test('an unknown agent is named before anything runs', async () => {
    await expect(session(gated, { agents: { wroker: () => null } })).rejects.toThrow(
      `Step 'draft' names agent 'worker', which was not given. Did you mean 'wroker'?`,
    )
  })
})
