import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agent, GatePort, TickReport } from '../../../src/ports/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../support/engine-run.ts'

const limited: AgentWorkflow = {
  id: 'limited',
  steps: [{ id: 'call', agent: 'worker', timeoutMs: 1_000 }],
}
const never: Agent = () => new Promise(() => {})

interface Started {
  readonly bench: EngineBench
  readonly life: EngineLifeUnderTest
}

/** A run whose first steps have been started. */
async function started(workflow: AgentWorkflow, worker: Agent, gates?: GatePort): Promise<Started> {
  const bench = engineBench(createVirtualFiles())
  const life = bench.life({ worker }, gates)
  await life.start(workflow)
  await life.tick()
  return { bench, life }
}

function after({ bench, life }: Started, ms: number): Promise<TickReport> {
  bench.clock.advanceTo(bench.clock.now() + ms)
  return life.tick()
}

describe('the limit of an attempt', () => {
  test.each([
    [999, 'running', []],
    [1_000, 'failed', ['step_fail call#1@1', 'workflow_end']],
    [1_001, 'failed', ['step_fail call#1@1', 'workflow_end']],
  ] as const)('%i ms into a limit of 1,000 ms the run is %s', async (ms, status, words) => {
    const report = await after(await started(limited, never), ms)
    expect([report.status, eventWords(report.events)]).toEqual([status, words])
  })

  test.each([999, 1_000])('an answer that is there %i ms into it counts', async (ms) => {
    const answer = deferred<string>()
    const run = await started(limited, () => answer.promise)
    answer.resolve('in time')
    expect((await after(run, ms)).status).toBe('completed')
    expect(run.life.incarnation.state().steps['call']?.output).toBe('in time')
  })

  test('says what was exceeded, tells the agent, and is what the engine next waits for', async () => {
    let told: unknown
    const run = await started(limited, ({ signal }) => {
      signal.addEventListener('abort', () => (told = signal.reason))
      return new Promise(() => {})
    })
    expect((await run.life.tick()).nextAt).toBe(run.bench.clock.now() + 1_000)
    const message = `Step 'call' (attempt 1) exceeded its limit of 1 s.`
    expect((await after(run, 1_000)).events[0]).toMatchObject({
      error: { kind: 'timeout', message },
      durationMs: 1_000,
    })
    expect(told).toMatchObject({ message })
  })

  test('does not run while the gate is being asked', async () => {
    const decision = deferred<{ passed: boolean }>()
    const run = await started(
      { ...limited, steps: [{ id: 'call', agent: 'worker', timeoutMs: 1_000, gate: { condition: 'true' } }] },
      () => null,
      { decide: () => decision.promise },
    )
    expect(await run.life.tick()).toMatchObject({ inFlight: ['call'], nextAt: undefined })
    expect((await after(run, 5_000)).status).toBe('running')
    decision.resolve({ passed: true })
    expect((await run.life.tick()).status).toBe('completed')
  })
})

describe('the limit of the workflow', () => {
  const workflow: AgentWorkflow = {
    id: 'short',
    settings: { timeoutMs: 500 },
    steps: [
      { id: 'left', agent: 'worker', timeoutMs: 900, retries: 3, dependsOn: [] },
      { id: 'right', agent: 'worker', timeoutMs: 900, dependsOn: [] },
    ],
  }

  test('ends all that is in flight although no step has come to its own, and nothing is retried', async () => {
    const run = await started(workflow, never)
    expect(await after(run, 499)).toMatchObject({
      status: 'running',
      events: [],
      nextAt: run.bench.clock.now() + 1,
    })
    const report = await after(run, 1)
    expect(eventWords(report.events)).toEqual(['step_fail left#1@1', 'step_fail right#1@1', 'workflow_end'])
    const error = {
      kind: 'workflow-timeout',
      message: `Workflow 'short' exceeded its limit of 500 ms while it was in 'left', 'right'.`,
    }
    expect(report.events).toMatchObject([{ error }, { error }, { error, step: 'left' }])
  })

  test('ends a run that only waits for a retry, for which no step is to blame', async () => {
    const run = await started({ ...workflow, steps: workflow.steps.slice(0, 1) }, () => {
      throw new Error('model overloaded')
    })
    expect(await run.life.tick()).toMatchObject({ inFlight: [], nextAt: run.bench.clock.now() + 500 })
    const report = await after(run, 500)
    expect(report.events).toMatchObject([
      { kind: 'workflow_end', error: { message: `Workflow 'short' exceeded its limit of 500 ms.` } },
    ])
    expect(run.life.incarnation.state().error).toMatchObject({ kind: 'workflow-timeout', step: null })
    expect(run.life.incarnation.state().steps['left']?.status).toBe('retrying')
  })

  test('counts anew from a resume', async () => {
    const run = await started(workflow, never)
    expect((await after(run, 500)).status).toBe('failed')
    run.bench.clock.advanceTo(run.bench.clock.now() + 10_000)
    const next = { bench: run.bench, life: run.bench.life({ worker: never }) }
    await next.life.incarnation.recover({})
    expect((await next.life.tick()).status).toBe('running')
    expect((await after(next, 499)).status).toBe('running')
    expect((await after(next, 1)).status).toBe('failed')
  })
})

describe('retries', () => {
  const retried: AgentWorkflow = {
    id: 'retried',
    steps: [{ id: 'call', agent: 'worker', retries: 3, retryDelayMs: 100 }],
  }
  const overloaded: Agent = () => {
    throw new Error('model overloaded')
  }

  test('wait twice as long each time, not a millisecond less, and then the step has failed', async () => {
    const run = await started(retried, overloaded)
    for (const delayMs of [100, 200, 400]) {
      const retry = await run.life.tick()
      expect(retry).toMatchObject({
        events: [{ kind: 'step_retry', delayMs, notBefore: run.bench.clock.now() + delayMs }],
        nextAt: run.bench.clock.now() + delayMs,
      })
      expect((await after(run, delayMs - 1)).events).toEqual([])
      expect(eventWords((await after(run, 1)).events)[0]).toMatch('step_start call#1@')
    }
    expect(eventWords((await run.life.tick()).events)).toEqual(['step_fail call#1@4', 'workflow_end'])
  })

  test('are as many after a crash as before any was spent, and start without the wait', async () => {
    const { bench, life } = await started(retried, overloaded)
    await life.tick()
    await after({ bench, life }, 100)
    expect(await life.tick()).toMatchObject({ events: [{ kind: 'step_retry', attempt: 2, delayMs: 200 }] })
    const second = bench.life({ worker: overloaded })
    await second.incarnation.recover({})
    await second.runThroughTime()
    expect(eventWords(bench.events).filter((word) => /^step_(?:start|fail)/.test(word))).toEqual([
      'step_start call#1@1',
      'step_start call#1@2',
      'step_start call#1@3',
      'step_start call#1@4',
      'step_start call#1@5',
      'step_start call#1@6',
      'step_fail call#1@6',
    ])
    const [resume, start] = bench.events.slice(
      bench.events.findIndex(({ kind }) => kind === 'workflow_resume'),
    )
    expect([resume?.at, resume?.kind, start?.kind]).toEqual([start?.at, 'workflow_resume', 'step_start'])
  })

  test('are not spent by a crash in the middle of an attempt', async () => {
    const { bench } = await started({ id: 'once', steps: [{ id: 'call', agent: 'worker' }] }, never)
    const second = bench.life({ worker: () => 'done' })
    expect(await second.incarnation.recover({})).toMatchObject({ restarts: ['call'] })
    expect((await second.runToEnd()).status).toBe('completed')
    expect(second.incarnation.state().steps['call']?.attempts).toMatchObject([
      { attempt: 1, outcome: 'interrupted', durationMs: null },
      { attempt: 2, outcome: 'completed' },
    ])
  })

  test('of other steps are over once one has failed the run', async () => {
    const frail = { agent: 'worker', retries: 5, retryDelayMs: 100, dependsOn: [] }
    const run = await started(
      {
        id: 'three',
        steps: [
          { id: 'before', ...frail },
          { id: 'doomed', ...frail, retries: 0 },
          { id: 'after', ...frail },
        ],
      },
      overloaded,
    )
    const report = await run.life.tick()
    expect(eventWords(report.events)).toEqual([
      'step_retry before#1@1',
      'step_fail doomed#1@1',
      'step_fail after#1@1',
      'workflow_end',
    ])
    expect(report).toMatchObject({ status: 'failed', nextAt: undefined })
    expect((await after(run, 100)).events).toEqual([])
  })

  test.each(['on_success', ''])(
    'are not forgotten when they fall due while a tick is being made durable (%j)',
    async (condition) => {
      const disk = createVirtualFiles()
      let syncTakesMs = 0
      const bench = engineBench({
        perform(operation) {
          if (operation.op === 'fsync') bench.clock.advanceTo(bench.clock.now() + syncTakesMs)
          return disk.perform(operation)
        },
      })
      const life = bench.life({
        flaky: ({ attempt }) => {
          if (attempt === 1) throw new Error('not yet')
        },
        slow: async ({ clock }) => clock.sleep(995),
        last: never,
      })
      await life.start({
        id: 'due',
        steps: [
          { id: 'flaky', agent: 'flaky', retries: 1, retryDelayMs: 1_000, dependsOn: [] },
          { id: 'slow', agent: 'slow', dependsOn: [] },
          { id: 'last', agent: 'last', dependsOn: 'slow', ...(condition === '' ? {} : { condition }) },
        ],
      })
      await life.tick()
      const due = bench.clock.now() + 1_000
      await life.tick()
      bench.clock.advanceTo(due - 5)
      syncTakesMs = 10
      const report = await life.tick()
      expect(eventWords(report.events)).toEqual(['step_finish slow#1@1', 'step_start last#1@1'])
      expect([report.nextAt, bench.clock.now()]).toEqual([due, due + 5])
      expect(eventWords((await life.tick()).events)).toEqual(['step_start flaky#1@2'])
    },
  )

  test('are not given to a wrong result, which would be wrong again', async () => {
    const run = await started(retried, () => 1n as never)
    expect(eventWords((await run.life.tick()).events)).toEqual(['step_fail call#1@1', 'workflow_end'])
  })
})

describe('what comes after an attempt has ended', () => {
  const raced: AgentWorkflow = {
    id: 'raced',
    steps: [
      { id: 'call', agent: 'worker', timeoutMs: 100, retries: 1, retryDelayMs: 0, dependsOn: [] },
      { id: 'beside', agent: 'worker', dependsOn: [] },
    ],
  }

  test('is recorded as returned or thrown, and changes nothing', async () => {
    for (const outcome of ['returned', 'threw'] as const) {
      const late = deferred<string>()
      const run = await started(raced, ({ step, attempt }) =>
        step === 'call' && attempt === 1 ? late.promise : new Promise(() => {}),
      )
      await after(run, 100)
      const { steps } = run.life.incarnation.state()
      if (outcome === 'returned') late.resolve('too late')
      else late.reject(new Error('too late'))
      expect((await run.life.tick()).events).toMatchObject([
        { kind: 'late_result', step: 'call', visit: 1, attempt: 1, outcome },
      ])
      expect(run.life.incarnation.state().steps).toEqual(steps)
    }
  })

  test('is not worth a line when the agent has obeyed its signal', async () => {
    const run = await started(raced, ({ clock }) => clock.sleep(Infinity))
    expect(eventWords((await after(run, 100)).events)).toContain('step_retry call#1@1')
    expect((await run.life.tick()).events).toEqual([])
  })

  test('is not recorded behind the end of the run', async () => {
    const late = deferred<string>()
    const run = await started(limited, () => late.promise)
    expect((await after(run, 1_000)).status).toBe('failed')
    late.resolve('too late')
    expect(await run.life.tick()).toMatchObject({ status: 'failed', events: [], backlog: 0 })
  })
})

describe('cancelling', () => {
  test('ends what is in flight, what waits for a retry and the run, and tells the agents why', async () => {
    const reasons: unknown[] = []
    const run = await started(
      {
        id: 'many',
        steps: [
          { id: 'busy', agent: 'worker', dependsOn: [] },
          { id: 'retrying', agent: 'worker', retries: 1, dependsOn: [] },
          { id: 'later', agent: 'worker', dependsOn: ['busy'] },
        ],
      },
      ({ step, clock }) => {
        if (step === 'retrying') throw new Error('model overloaded')
        return clock.sleep(Infinity).catch((reason: unknown) => void reasons.push(reason))
      },
    )
    await run.life.tick()
    const before = run.bench.events.length
    await run.life.incarnation.cancel('changed our minds')
    expect(run.bench.events.slice(before)).toMatchObject([
      { kind: 'step_fail', step: 'busy', error: { kind: 'cancelled' } },
      { kind: 'workflow_cancel', reason: 'changed our minds' },
      { kind: 'workflow_end', status: 'cancelled' },
    ])
    expect(await after(run, 60_000)).toMatchObject({
      status: 'cancelled',
      events: [],
      inFlight: [],
      nextAt: undefined,
    })
    expect(reasons).toMatchObject([{ message: `Step 'busy' was cancelled: changed our minds` }])
  })

  test('leaves a gate that answers afterwards without effect', async () => {
    const decision = deferred<{ passed: boolean }>()
    const run = await started(
      { id: 'gated', steps: [{ id: 'call', agent: 'worker', gate: { condition: 'true' } }] },
      () => 'good',
      { decide: () => decision.promise },
    )
    await run.life.tick()
    await run.life.incarnation.cancel('enough')
    decision.resolve({ passed: true })
    expect(await run.life.tick()).toMatchObject({ status: 'cancelled', events: [] })
    expect(run.life.incarnation.state().completedSteps).toEqual([])
  })
})

describe('a tick', () => {
  const roots: AgentWorkflow = {
    id: 'roots',
    settings: { maxConcurrentSteps: 2 },
    steps: ['a', 'b', 'c', 'd'].map((id) => ({ id, agent: 'worker', dependsOn: [] })),
  }

  async function waiting(): Promise<Started> {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({ worker: () => null })
    await life.start(roots)
    return { bench, life }
  }

  test('starts as many steps as there are places', async () => {
    const { life } = await waiting()
    expect(eventWords((await life.tick()).events)).toEqual(['step_start a#1@1', 'step_start b#1@1'])
    expect(eventWords((await life.tick()).events)).toEqual([
      'step_finish a#1@1',
      'step_finish b#1@1',
      'step_start c#1@1',
      'step_start d#1@1',
    ])
  })

  test('starts no retry without a place either, and then retries before what has not started yet', async () => {
    const first = deferred<void>()
    const run = await started(
      {
        id: 'crowd',
        settings: { maxConcurrentSteps: 1, retries: 1, retryDelayMs: 10 },
        steps: ['frail', 'long', 'later'].map((id) => ({ id, agent: 'worker', dependsOn: [] })),
      },
      ({ step, attempt }) => {
        if (step === 'frail' && attempt === 1) throw new Error('model overloaded')
        return step === 'long' ? first.promise : null
      },
    )
    expect(eventWords((await run.life.tick()).events)).toEqual([
      'step_retry frail#1@1',
      'step_start long#1@1',
    ])
    expect((await after(run, 10)).events).toEqual([])
    first.resolve()
    expect(eventWords((await run.life.tick()).events)).toEqual([
      'step_finish long#1@1',
      'step_start frail#1@2',
    ])
  })

  test('starts nothing that its policy holds, and names what it held', async () => {
    const { life } = await waiting()
    const holds = new Set(['a', 'b', 'd'])
    expect(await life.tick({ holds })).toMatchObject({ events: [{ step: 'c' }], held: ['a', 'b', 'd'] })
    expect(await life.tick({ holds })).toMatchObject({ events: [{ kind: 'step_finish' }], inFlight: [] })
  })

  test('takes in as many results as its policy allows, and says how many are left', async () => {
    const { life } = await waiting()
    await life.tick()
    const one = await life.tick({ maxResults: 1, holds: new Set(['c', 'd']) })
    expect([eventWords(one.events), one.backlog, one.inFlight]).toEqual([['step_finish a#1@1'], 1, ['b']])
    expect(eventWords((await life.tick({ holds: new Set(['c', 'd']) })).events)).toEqual([
      'step_finish b#1@1',
    ])
  })

  test('ends after the event at which its policy stops it', async () => {
    const { life } = await waiting()
    const report = await life.tick({ stopsAfter: ({ kind }) => kind === 'step_start' })
    expect(eventWords(report.events)).toEqual(['step_start a#1@1'])
    const next = await life.tick({ stopsAfter: ({ kind }) => kind === 'step_finish' })
    expect(eventWords(next.events)).toEqual(['step_finish a#1@1'])
  })
})
