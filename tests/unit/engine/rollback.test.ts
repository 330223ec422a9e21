import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agent, AgentContext } from '../../../src/ports/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../support/engine-run.ts'

const undo = (agent: string): NonNullable<AgentWorkflow['steps'][0]['undo']> => ({
  agent,
  parameters: { receipt: '${charge.output.id}' },
})
const order: AgentWorkflow = {
  id: 'order',
  settings: { rollback: true },
  steps: [
    { id: 'reserve', agent: 'worker', undo: { agent: 'release' } },
    { id: 'charge', agent: 'worker', undo: undo('refund') },
    { id: 'note', agent: 'worker' },
    { id: 'ship', agent: 'worker', undo: { agent: 'release' } },
  ],
}

interface Call {
  readonly agent: string
  readonly step: string
  readonly key: string
  readonly parameters: AgentContext['parameters']
}

interface Shop {
  readonly bench: EngineBench
  readonly undone: Call[]
  readonly life: (more?: Readonly<Record<string, Agent>>) => EngineLifeUnderTest
}

function shop(): Shop {
  const bench = engineBench(createVirtualFiles())
  const undone: Call[] = []
  const take: Agent = ({ agent, step, idempotencyKey: key, parameters, undoing }) => {
    expect(undoing).toBe(true)
    undone.push({ agent, step, key, parameters })
    return 'gone'
  }
  const worker: Agent = ({ step, undoing }) => {
    expect(undoing).toBe(false)
    if (step === 'ship') throw new Error('no carrier')
    return { id: `${step}-1` }
  }
  return {
    bench,
    undone,
    life: (more = {}) => bench.life({ worker, release: take, refund: take, ...more }),
  }
}

function undoWords({ events }: EngineBench): readonly string[] {
  return eventWords(events).filter((word) => word.startsWith('undo'))
}

describe('a rollback', () => {
  test('undoes what has completed, the last one first, each once, and then the run has failed', async () => {
    const { bench, undone, life } = shop()
    const engine = life()
    const runId = await engine.start(order)
    expect((await engine.runToEnd()).status).toBe('failed')
    expect(undone).toEqual([
      { agent: 'refund', step: 'charge', key: `${runId}/charge#1/undo`, parameters: { receipt: 'charge-1' } },
      { agent: 'release', step: 'reserve', key: `${runId}/reserve#1/undo`, parameters: {} },
    ])
    expect(eventWords(bench.events).slice(-6)).toEqual([
      'step_fail ship#1@1',
      'undo_start charge#1@1',
      'undo_finish charge#1@1',
      'undo_start reserve#1@1',
      'undo_finish reserve#1@1',
      'workflow_end',
    ])
    const { steps, error } = engine.incarnation.state()
    expect(error).toMatchObject({ step: 'ship', message: 'no carrier' })
    expect(steps['charge']).toMatchObject({
      status: 'completed',
      undo: { attempt: 1, status: 'completed', output: 'gone', error: null },
    })
    expect(steps['note']).not.toHaveProperty('undo')
  })

  test('is not made unless it is asked for', async () => {
    const { undone, life } = shop()
    const engine = life()
    await engine.start({ ...order, settings: {} })
    expect((await engine.runToEnd()).status).toBe('failed')
    expect(undone).toEqual([])
  })

  test('is not made of a run that is cancelled', async () => {
    const { undone, life } = shop()
    const engine = life({ worker: ({ step }) => (step === 'ship' ? new Promise(() => {}) : null) })
    await engine.start(order)
    for (let tick = 0; tick < 4; tick++) await engine.tick()
    await engine.incarnation.cancel('enough')
    expect(engine.incarnation.state().status).toBe('cancelled')
    expect(undone).toEqual([])
  })

  test('goes on after an undo that fails, which is recorded and not tried again', async () => {
    const { bench, undone, life } = shop()
    const engine = life({
      refund: () => {
        throw new Error('bank closed')
      },
    })
    await engine.start({ ...order, steps: order.steps.map((step) => ({ ...step, retries: 0 })) })
    expect((await engine.runToEnd()).status).toBe('failed')
    expect(undone.map(({ step }) => step)).toEqual(['reserve'])
    expect(undoWords(bench)).toEqual([
      'undo_start charge#1@1',
      'undo_fail charge#1@1',
      'undo_start reserve#1@1',
      'undo_finish reserve#1@1',
    ])
    expect(engine.incarnation.state().steps['charge']?.undo).toMatchObject({
      status: 'failed',
      error: { message: 'bank closed' },
    })
  })

  test('gives an undo its own limit, at whose end it has failed', async () => {
    const { bench, life } = shop()
    const engine = life({ refund: () => new Promise(() => {}) })
    await engine.start({
      ...order,
      settings: { rollback: true, timeoutMs: 50 },
      steps: order.steps.map((step) =>
        step.id === 'charge' ? { ...step, undo: { agent: 'refund', timeoutMs: 100 } } : step,
      ),
    })
    for (let tick = 0; tick < 4; tick++) await engine.tick()
    const { nextAt } = await engine.tick()
    expect(nextAt).toBe(bench.clock.now() + 100)
    bench.clock.advanceTo(bench.clock.now() + 99)
    expect((await engine.tick()).events).toEqual([])
    bench.clock.advanceTo(nextAt as number)
    expect((await engine.tick()).events[0]).toMatchObject({
      kind: 'undo_fail',
      error: { kind: 'timeout', message: `Undoing step 'charge' exceeded its limit of 100 ms.` },
      durationMs: 100,
    })
  })

  test('starts nothing more after the limit of the workflow, not even what runs always', async () => {
    const { bench, life } = shop()
    const engine = life({ worker: ({ step }) => (step === 'ship' ? new Promise(() => {}) : { id: step }) })
    await engine.start({
      ...order,
      settings: { rollback: true, timeoutMs: 50 },
      steps: [...order.steps, { id: 'tidy', agent: 'worker', condition: 'always' }],
    })
    expect((await engine.runThroughTime()).status).toBe('failed')
    expect(undoWords(bench)).toHaveLength(4)
    expect(eventWords(bench.events)).not.toContain('step_start tidy#1@1')
  })

  test('cannot be cancelled half-way', async () => {
    const { life } = shop()
    const engine = life({ refund: () => new Promise(() => {}) })
    await engine.start(order)
    for (let tick = 0; tick < 5; tick++) await engine.tick()
    await expect((async () => engine.incarnation.cancel('enough'))()).rejects.toMatchObject({
      code: 'SESSION_MISUSE',
    })
  })

  test('lets no undo leave files behind', async () => {
    const { life } = shop()
    const engine = life({ refund: ({ artifacts }) => artifacts.write('a.md', 'x') })
    await engine.start(order)
    await engine.runToEnd()
    expect(engine.incarnation.state().steps['charge']?.undo?.error?.message).toBe(
      `Undoing step 'charge' leaves no artifacts: 'a.md' is not written.`,
    )
  })

  test('that a crash interrupts goes on where it was, under the same key, and starts nothing else', async () => {
    const { bench, undone, life } = shop()
    const first = life({
      refund: ({ idempotencyKey: key, agent, step, parameters }) => {
        undone.push({ agent, step, key, parameters })
        return new Promise(() => {})
      },
    })
    await first.start(order)
    for (let tick = 0; tick < 5; tick++) await first.tick()
    const second = life()
    expect(await second.incarnation.recover({})).toMatchObject({ restarts: [] })
    expect(bench.events.findLast(({ kind }) => kind === 'workflow_resume')).toMatchObject({ restarts: [] })
    expect((await second.runToEnd()).status).toBe('failed')
    expect(undone.map(({ step, key }) => `${step} ${key.split('/')[1]}`)).toEqual([
      'charge charge#1',
      'charge charge#1',
      'reserve reserve#1',
    ])
    expect(new Set(undone.slice(0, 2).map(({ key }) => key)).size).toBe(1)
    expect(undoWords(bench)).toEqual([
      'undo_start charge#1@1',
      'undo_start charge#1@2',
      'undo_finish charge#1@2',
      'undo_start reserve#1@1',
      'undo_finish reserve#1@1',
    ])
    expect(second.incarnation.state().error).toMatchObject({ step: 'ship', message: 'no carrier' })
  })

  test('is followed by a resume that does again what was undone and what came of it', async () => {
    const { bench, undone, life } = shop()
    const engine = life()
    await engine.start(order)
    await engine.runToEnd()
    const again = life({ worker: ({ step, visit }) => ({ id: `${step}-${visit}` }) })
    expect(await again.incarnation.recover({})).toMatchObject({ restarts: ['reserve'] })
    expect((await again.runToEnd()).status).toBe('completed')
    expect(
      eventWords(bench.events)
        .filter((word) => word.startsWith('step_start'))
        .slice(-4),
    ).toEqual([
      'step_start reserve#2@1',
      'step_start charge#2@1',
      'step_start note#2@1',
      'step_start ship#1@2',
    ])
    expect(undone).toHaveLength(2)
    expect(again.incarnation.state().steps['charge']).not.toHaveProperty('undo')
  })
})
