import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { AgentStep, AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agent, TickReport } from '../../../src/ports/index.ts'
import type { WorkflowEvent } from '../../../src/trace/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../support/engine-run.ts'

interface Started {
  readonly bench: EngineBench
  readonly life: EngineLifeUnderTest
}

async function started(step: Partial<AgentStep>, worker: Agent, seed = 1): Promise<Started> {
  const bench = engineBench(createVirtualFiles())
  const life = bench.life({ worker })
  await life.start({ id: 'one', steps: [{ id: 'call', agent: 'worker', ...step }] }, { seed })
  await life.tick()
  return { bench, life }
}

function after({ bench, life }: Started, ms: number): Promise<TickReport> {
  bench.clock.advanceTo(bench.clock.now() + ms)
  return life.tick()
}

const never: Agent = () => new Promise(() => {})
const overloaded: Agent = () => {
  throw new Error('model overloaded')
}

describe('the limit of a step over all its attempts', () => {
  test.each([
    [249, 'running', []],
    [250, 'failed', ['step_fail call#1@2', 'workflow_end']],
  ] as const)('ends its second attempt: %i ms in, the run is %s', async (ms, status, words) => {
    const run = await started({ timeoutMs: 200, retries: 5, retryDelayMs: 0, maxDurationMs: 250 }, never)
    await after(run, 200)
    const report = await after(run, ms - 200)
    expect([report.status, eventWords(report.events)]).toEqual([status, words])
  })

  test('says what was exceeded', async () => {
    const { bench, life } = await started({ maxDurationMs: 250 }, never)
    await life.runThroughTime()
    expect(life.incarnation.state().error).toEqual({
      kind: 'step-timeout',
      message: `Step 'call' exceeded its limit of 250 ms over all its attempts.`,
      step: 'call',
    })
    expect(bench.events.at(-1)?.at).toBe((bench.events[0]?.at ?? 0) + 250)
  })

  test('is what the engine next waits for, and what the agent is told of', async () => {
    const run = await started({ timeoutMs: 200, maxDurationMs: 150 }, never)
    expect((await run.life.tick()).nextAt).toBe(run.bench.clock.now() + 150)
  })

  test('leaves no retry whose wait it would not outlast, and the error is that of the attempt', async () => {
    const run = await started({ retries: 5, retryDelayMs: 100, maxDurationMs: 300 }, overloaded)
    expect(eventWords((await run.life.tick()).events)).toEqual(['step_retry call#1@1'])
    await after(run, 100)
    const report = await run.life.tick()
    expect(eventWords(report.events)).toEqual(['step_fail call#1@2', 'workflow_end'])
    expect(report.events[0]).toMatchObject({ error: { kind: 'exception', message: 'model overloaded' } })
  })

  test('ends a step that waits for a place after its retry is due', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({
      worker: ({ step }) => (step === 'long' ? never({} as never) : overloaded({} as never)),
    })
    await life.start({
      id: 'narrow',
      settings: { maxConcurrentSteps: 1 },
      steps: [
        { id: 'call', agent: 'worker', retries: 1, retryDelayMs: 10, maxDurationMs: 100, dependsOn: [] },
        { id: 'long', agent: 'worker', dependsOn: [] },
      ],
    })
    await life.tick()
    const run = { bench, life }
    expect(eventWords((await life.tick()).events)).toEqual(['step_retry call#1@1', 'step_start long#1@1'])
    expect((await after(run, 99)).events).toEqual([])
    expect(eventWords((await after(run, 1)).events)).toEqual(['step_fail call#1@1'])
  })

  test('begins anew with a resume', async () => {
    const run = await started({ timeoutMs: 200, maxDurationMs: 150 }, never)
    expect((await after(run, 150)).status).toBe('failed')
    const life = run.bench.life({ worker: never })
    await life.incarnation.recover({})
    await life.tick()
    expect((await after({ bench: run.bench, life }, 149)).status).toBe('running')
    expect((await after({ bench: run.bench, life }, 1)).status).toBe('failed')
  })
})

describe('jitter', () => {
  const shaken: Partial<AgentStep> = { retries: 6, retryDelayMs: 1_000, retryJitter: 0.2 }

  async function delays(seed: number, step = shaken): Promise<readonly number[]> {
    const { bench, life } = await started(step, overloaded, seed)
    await life.runThroughTime()
    return bench.events.flatMap((event) => (event.kind === 'step_retry' ? [event.delayMs] : []))
  }

  test('moves every wait by no more than its share, and not all of them alike', async () => {
    const drawn = await delays(1)
    const shares = drawn.map((ms, index) => ms / (1_000 * 2 ** index))
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.8)
    expect(Math.max(...shares)).toBeLessThanOrEqual(1.2)
    expect(new Set(shares).size).toBe(6)
  })

  test('is that of the seed: the same again for the same, another for another', async () => {
    expect(await delays(1)).toEqual(await delays(1))
    expect(await delays(2)).not.toEqual(await delays(1))
  })

  test('is not there unless it is asked for', async () => {
    const { retryJitter, ...plain } = shaken
    void retryJitter
    expect(await delays(1, plain)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000])
  })
})

describe('a warning', () => {
  const warned: AgentWorkflow = {
    id: 'one',
    settings: { stages: { review: { timeout: '5s', warnAfter: '3s' } }, timeoutMultiplier: 2 },
    steps: [{ id: 'call', agent: 'worker', stage: 'review' }],
  }

  test('is given once an attempt has taken so long, to whoever listens, and never again', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({ worker: never })
    await life.start(warned)
    const run = { bench, life }
    expect((await life.tick()).nextAt).toBe(bench.clock.now() + 6_000)
    expect((await after(run, 5_999)).events).toEqual([])
    const report = await after(run, 1)
    expect(report.events).toMatchObject([
      { kind: 'timeout_warning', step: 'call', attempt: 1, warnAfterMs: 6_000, timeoutMs: 10_000 },
    ])
    expect(bench.events.at(-1)).toBe(report.events[0])
    expect(report.nextAt).toBe(bench.clock.now() + 4_000)
    expect((await after(run, 3_999)).events).toEqual([])
    expect((await after(run, 1)).status).toBe('failed')
  })

  const run: AgentWorkflow = {
    id: 'one',
    settings: { timeout: '10s', warnAfter: '7s' },
    steps: [{ id: 'call', agent: 'worker', timeout: '9s', retries: 5, retryDelay: '2s' }],
  }
  const words = (events: readonly WorkflowEvent[]): readonly string[] =>
    events.flatMap(({ kind, at }) =>
      /warning|workflow_end|resume/.test(kind) ? [`${kind} ${at - from}`] : [],
    )
  let from = 0

  test('of a run is given once it has taken so long, whatever it waits for, and anew after a resume', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({ worker: overloaded })
    from = bench.clock.now()
    await life.start(run)
    await life.runThroughTime()
    expect(words(bench.events)).toEqual(['workflow_warning 7000', 'workflow_end 10000'])
    expect(bench.events.find(({ kind }) => kind === 'workflow_warning')).toMatchObject({
      status: 'warned',
      warnAfterMs: 7_000,
      timeoutMs: 10_000,
    })
    const next = bench.life({ worker: overloaded })
    await next.incarnation.recover({})
    await next.runThroughTime()
    expect(words(bench.events).slice(2)).toEqual([
      'workflow_resume 10000',
      'workflow_warning 17000',
      'workflow_end 20000',
    ])
  })

  test('of a run is not given once that is cancelled', async () => {
    const bench = engineBench(createVirtualFiles())
    from = bench.clock.now()
    const life = bench.life({ worker: never })
    await life.start({ ...run, settings: { ...run.settings, cancelGrace: '9s' } })
    await after({ bench, life }, 6_000)
    await life.incarnation.cancel('enough')
    expect((await after({ bench, life }, 2_000)).events).toEqual([])
    expect(words(bench.events)).toEqual([])
  })

  test('is given again to the next attempt', async () => {
    const run = await started({ timeoutMs: 100, warnAfterMs: 60, retries: 1, retryDelayMs: 0 }, never)
    await run.life.runThroughTime()
    expect(eventWords(run.bench.events).filter((word) => word.startsWith('timeout'))).toEqual([
      'timeout_warning call#1@1',
      'timeout_warning call#1@2',
    ])
  })
})
