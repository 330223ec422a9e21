import { describe, expect, test } from 'vitest'
import { createNodeFiles, createTurn } from '../../../../src/adapters/node/index.ts'
import {
  createInventedOwner,
  createSeededIds,
  createVirtualClock,
  createVirtualFiles,
} from '../../../../src/adapters/virtual/index.ts'
import type { VirtualClock } from '../../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../../src/core/index.ts'
import { createEngine, defineWorkflow } from '../../../../src/embedding/index.ts'
import type { Engine, EngineOptions } from '../../../../src/embedding/index.ts'
import type { FilesPort } from '../../../../src/ports/index.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const stores: readonly (readonly [name: string, make: () => Promise<FilesPort>])[] = [
  ['in memory', async () => createVirtualFiles()],
  ['in a folder', async () => createNodeFiles(temporaryFolder())],
]

const workflow = (id: string): ReturnType<typeof defineWorkflow> =>
  defineWorkflow({
    id,
    name: `The ${id}`,
    steps: [
      { id: 'first', agent: 'worker' },
      { id: 'second', agent: 'other', retries: 1, retryDelayMs: 50 },
    ],
  })

describe.each(stores)('the history of a workflow %s', (_name, make) => {
  const engineOn = (
    files: FilesPort,
    agents: EngineOptions['agents'] = { worker: () => null, other: () => null },
    owner = 'engine',
  ): { readonly engine: Engine; readonly clock: VirtualClock } => {
    const clock = createVirtualClock()
    const ports = { files, clock, ids: createSeededIds(owner), owner: createInventedOwner(owner) }
    return { clock, engine: createEngine({ agents, ports }) }
  }

  test('has a record with instants, results, durations and every attempt', async () => {
    let calls = 0
    const { engine, clock } = engineOn(await make(), {
      async worker({ clock: own }) {
        await own.sleep(20)
        return { failures: ['a test failed'] }
      },
      other() {
        if (++calls === 1) throw new Error('not yet')
        return 'done'
      },
    })
    const run = await engine.start(workflow('nightly'), { correlationId: 'night-1' })
    await passTime(clock, run.result)
    const startedAt = (await engine.getStatus(run.runId)).state.startedAt
    expect(await engine.history('nightly')).toEqual([
      {
        runId: run.runId,
        workflowId: 'nightly',
        workflowName: 'The nightly',
        correlationId: 'night-1',
        status: 'completed',
        success: true,
        degraded: false,
        hasFailures: true,
        startedAt,
        finishedAt: startedAt + 70,
        durationMs: 70,
        updatedAt: startedAt + 70,
        completedSteps: 2,
        error: null,
        steps: [
          {
            step: 'first',
            agent: 'worker',
            status: 'completed',
            visit: 1,
            startedAt,
            finishedAt: startedAt + 20,
            durationMs: 20,
            attempts: [
              {
                visit: 1,
                attempt: 1,
                startedAt,
                finishedAt: startedAt + 20,
                durationMs: 20,
                outcome: 'completed',
                error: null,
              },
            ],
            output: { failures: ['a test failed'] },
            failures: ['a test failed'],
            error: null,
            skipped: null,
          },
          expect.objectContaining({
            step: 'second',
            output: 'done',
            startedAt: startedAt + 20,
            finishedAt: startedAt + 70,
            durationMs: 0,
            attempts: [
              expect.objectContaining({
                attempt: 1,
                outcome: 'failed',
                error: expect.objectContaining({ message: 'not yet' }),
              }),
              expect.objectContaining({ attempt: 2, outcome: 'completed', error: null }),
            ],
          }),
        ],
      },
    ])
  })

  test('has a record from the first moment on, and of a run that was cut off or has failed', async () => {
    const files = await make()
    const answer = deferred<void>()
    const { engine } = engineOn(files, {
      worker: () => answer.promise,
      other() {
        throw new Error('broken')
      },
    })
    const run = await engine.start(workflow('nightly'))
    expect((await engine.history('nightly'))[0]).toMatchObject({
      status: 'running',
      success: null,
      finishedAt: null,
      durationMs: null,
    })
    const { engine: survivor, clock } = engineOn(files, { worker: () => null, other: () => null }, 'survivor')
    await engine.close()
    await expect(run.result).rejects.toMatchObject({ code: 'RUN_LET_GO' })
    expect((await survivor.history('nightly'))[0]).toMatchObject({
      status: 'interrupted',
      success: null,
      finishedAt: null,
      steps: [
        { step: 'first', status: 'interrupted' },
        { step: 'second', status: 'pending' },
      ],
    })
    await passTime(clock, (await survivor.resume(run.runId)).result)
    expect((await survivor.history('nightly'))[0]).toMatchObject({ status: 'completed', success: true })
  })

  test('is sorted with the newest first, cut at the limit, and has no runs of other workflows', async () => {
    const { engine, clock } = engineOn(await make())
    const ids: string[] = []
    for (let index = 0; index < 3; index++) {
      clock.advanceTo(clock.now() + 1_000)
      for (const id of ['nightly', 'other']) {
        const run = await engine.start(workflow(id))
        await passTime(clock, run.result)
        if (id === 'nightly') ids.unshift(run.runId)
      }
    }
    const found = async (limit?: number): Promise<readonly string[]> =>
      (await engine.history('nightly', limit === undefined ? {} : { limit })).map(({ runId }) => runId)
    expect(await found()).toEqual(ids)
    expect(await found(2)).toEqual(ids.slice(0, 2))
    expect(await engine.history('unheard-of')).toEqual([])
    expect((await engine.runs.all()).runs).toHaveLength(6)
  })

  test.each([0, -1, 1.5, NaN, 1_001])('refuses the limit %s', async (limit) => {
    const { engine } = engineOn(await make())
    await expect(engine.history('nightly', { limit })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: `The limit of a history must be a whole number from 1 to 1000, not ${limit}.`,
    })
  })

  test('loses none of a hundred runs that start at once', async () => {
    const { engine } = engineOn(await make())
    const runs = await Promise.all(Array.from({ length: 100 }, () => engine.start(workflow('nightly'))))
    await Promise.all(runs.map(({ result }) => result))
    const history = await engine.history('nightly', { limit: 1_000 })
    expect(new Set(history.map(({ runId }) => runId))).toEqual(new Set(runs.map(({ runId }) => runId)))
    expect(new Set(history.map(({ status }) => status))).toEqual(new Set(['completed']))
  })

  test('names the runs that cannot be read, and those that have not begun, and shows the others', async () => {
    const files = await make()
    const { engine, clock } = engineOn(files)
    const runs = [await engine.start(workflow('nightly')), await engine.start(workflow('nightly'))]
    await passTime(clock, Promise.all(runs.map(({ result }) => result)))
    const [damaged, whole] = runs.map(({ runId }) => runId)
    await files.perform({ op: 'write', path: `.workflow/runs/${damaged}/events.jsonl`, data: 'x\n' })
    await files.perform({ op: 'makeFolder', path: '.workflow/runs/nothing-yet' })
    await files.perform({ op: 'makeFolder', path: '.workflow/runs/no run' })
    const { runs: readable, ...others } = await engine.runs.list({ workflowId: 'nightly' })
    expect(readable.map(({ runId }) => runId)).toEqual([whole])
    expect(others).toEqual({ damaged: [damaged], unbegun: ['nothing-yet'] })
  })
})

/** Until something has settled, moves the clock to what is due within a second: sleeps and retries, and no limit. */
async function passTime(clock: VirtualClock, until: Promise<unknown>): Promise<void> {
  const turn = createTurn()
  let settled = false
  void until.finally(() => (settled = true))
  while (!settled) {
    await turn.next()
    const next = clock.next()
    if (next !== undefined && next - clock.now() <= 1_000) clock.advanceTo(next)
  }
}
