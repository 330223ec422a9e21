import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agent } from '../../../src/ports/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../support/engine-run.ts'

const two: AgentWorkflow = {
  id: 'two',
  settings: { cancelGrace: '1s', maxConcurrentSteps: 2 },
  steps: [
    { id: 'left', agent: 'worker', dependsOn: [] },
    { id: 'right', agent: 'worker', retries: 3, dependsOn: [] },
    { id: 'queued', agent: 'worker', dependsOn: [] },
    { id: 'last', agent: 'worker', dependsOn: ['left'] },
  ],
}

interface Cancelled {
  readonly bench: EngineBench
  readonly life: EngineLifeUnderTest
  readonly left: ReturnType<typeof deferred<string>>
  readonly right: ReturnType<typeof deferred<string>>
  readonly aborted: string[]
}

async function cancelled(workflow = two): Promise<Cancelled> {
  const bench = engineBench(createVirtualFiles())
  const [left, right] = [deferred<string>(), deferred<string>()]
  const aborted: string[] = []
  const worker: Agent = ({ step, signal }) => {
    signal.addEventListener('abort', () => aborted.push(step))
    return step === 'left' ? left.promise : right.promise
  }
  const life = bench.life({ worker })
  await life.start(workflow)
  await life.tick()
  await life.incarnation.cancel('enough')
  return { bench, life, left, right, aborted }
}

describe('cancelling with a time of grace', () => {
  test('lets steps in flight finish, starts nothing else, and ends when they are over', async () => {
    const { bench, life, left, right, aborted } = await cancelled()
    expect(bench.events.at(-1)).toMatchObject({
      kind: 'workflow_cancel',
      graceUntil: bench.clock.now() + 1_000,
    })
    left.resolve('done')
    expect(await life.tick()).toMatchObject({ status: 'running', nextAt: bench.clock.now() + 1_000 })
    right.resolve('done too')
    const report = await life.tick()
    expect(eventWords(report.events)).toEqual(['step_finish right#1@1', 'workflow_end'])
    expect(report.status).toBe('cancelled')
    expect(aborted).toEqual([])
    const { steps, reason } = life.incarnation.state()
    expect(Object.values(steps).map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      'pending',
      'pending',
    ])
    expect(reason).toBe('enough')
  })

  test('starts nothing else where steps are decided either, nor skips any', async () => {
    const deciding = { ...two, steps: two.steps.map((step) => ({ ...step, condition: 'always' })) }
    const { life, left, right } = await cancelled(deciding)
    left.resolve('done')
    expect(eventWords((await life.tick()).events)).toEqual(['step_finish left#1@1'])
    right.resolve('done too')
    expect(eventWords((await life.tick()).events)).toEqual(['step_finish right#1@1', 'workflow_end'])
  })

  test('aborts what is not over by then, and says so of each', async () => {
    const { bench, life, left, aborted } = await cancelled()
    left.resolve('done')
    await life.tick()
    bench.clock.advanceTo(bench.clock.now() + 999)
    expect((await life.tick()).events).toEqual([])
    bench.clock.advanceTo(bench.clock.now() + 1)
    const report = await life.tick()
    expect(report.events).toMatchObject([
      { kind: 'step_fail', step: 'right', error: { kind: 'cancelled' } },
      { kind: 'workflow_end', status: 'cancelled' },
    ])
    expect(aborted).toEqual(['right'])
  })

  test('retries nothing that fails in it, and ends cancelled, not failed', async () => {
    const { life, left, right } = await cancelled()
    left.resolve('done')
    right.reject(new Error('no'))
    const report = await life.tick()
    expect(eventWords(report.events)).toEqual(['step_finish left#1@1', 'step_fail right#1@1', 'workflow_end'])
    expect(report.status).toBe('cancelled')
  })

  test('ends cancelled although the last step has completed meanwhile', async () => {
    const { life, left } = await cancelled({ ...two, steps: two.steps.slice(0, 1) })
    left.resolve('done')
    expect((await life.tick()).status).toBe('cancelled')
  })

  test('is over at once when it is cancelled again', async () => {
    const { life, aborted } = await cancelled()
    await life.incarnation.cancel('now')
    expect(life.incarnation.state()).toMatchObject({ status: 'cancelled', reason: 'enough' })
    expect(aborted).toEqual(['left', 'right'])
  })

  test('is final: a crash in it leaves a run that is cancelled and not taken up again', async () => {
    const { bench } = await cancelled()
    const runId = (await bench.reader.last()) as string
    const next = bench.life({ worker: () => 'never asked' })
    await expect((async () => next.incarnation.recover({}))()).rejects.toMatchObject({
      code: 'RUN_NOT_RESUMABLE',
      message: `Run '${runId}' has been cancelled; there is nothing to resume.`,
    })
    const { state, status } = await bench.reader.read(runId)
    expect([status, state.reason]).toEqual(['cancelled', 'enough'])
    expect(eventWords(bench.events).slice(-3)).toEqual(['workflow_cancel', 'workflow_resume', 'workflow_end'])
    await expect((async () => bench.life({}).incarnation.recover({}))()).rejects.toMatchObject({
      code: 'RUN_NOT_RESUMABLE',
    })
  })
})

test('a run that nobody holds is cancelled after it was taken up', async () => {
  const { bench } = await cancelled({ ...two, settings: {} })
  expect((await bench.reader.read((await bench.reader.last()) as string)).status).toBe('cancelled')
  const failing = engineBench(createVirtualFiles())
  const life = failing.life({
    worker: () => {
      throw new Error('no')
    },
  })
  await life.start({ id: 'one', steps: [{ id: 'call', agent: 'worker' }] })
  await life.runToEnd()
  const next = failing.life({})
  await next.incarnation.recover({})
  await next.incarnation.cancel('given up')
  expect(next.incarnation.state()).toMatchObject({ status: 'cancelled', reason: 'given up' })
  expect(eventWords(failing.events).slice(-3)).toEqual(['workflow_resume', 'workflow_cancel', 'workflow_end'])
})
