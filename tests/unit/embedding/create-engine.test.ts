import { describe, expect, test } from 'vitest'
import {
  createInventedOwner,
  createSeededIds,
  createVirtualClock,
  createVirtualFiles,
} from '../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../src/core/index.ts'
import { createEngine, defineWorkflow } from '../../../src/embedding/index.ts'
import type { AgentWorkflow, Engine, EngineOptions } from '../../../src/embedding/index.ts'
import { isWriteLike } from '../../../src/ports/index.ts'
import type { FileOperation, FilesPort } from '../../../src/ports/index.ts'

function engineOf(options: Omit<EngineOptions, 'ports'>, files: FilesPort = createVirtualFiles()): Engine {
  return createEngine({
    ...options,
    ports: {
      files,
      clock: createVirtualClock(),
      ids: createSeededIds(1),
      owner: createInventedOwner('engine'),
    },
  })
}

/** A disk that says what is asked of it. */
function listened(): { readonly files: FilesPort; readonly calls: FileOperation[] } {
  const disk = createVirtualFiles()
  const calls: FileOperation[] = []
  return {
    calls,
    files: {
      perform(operation) {
        calls.push(operation)
        return disk.perform(operation)
      },
    },
  }
}

const chain = (...ids: readonly string[]): ReturnType<typeof defineWorkflow> =>
  defineWorkflow({ id: 'chain', steps: ids.map((id) => ({ id, agent: 'worker' })) })

const approval: AgentWorkflow = {
  id: 'approval',
  steps: [
    { id: 'ask', agent: 'worker', gate: { human: true } },
    { id: 'greet', agent: 'worker', parameters: { to: '${input.name}' } },
  ],
}

describe('an engine that has just been made', () => {
  test('holds no run, has touched no disk and cancels nothing that it starts', async () => {
    const { files, calls } = listened()
    const engine = engineOf({ agents: { worker: ({ signal }) => signal.aborted } }, files)
    expect([engine.running, calls]).toEqual([[], []])
    expect((await (await engine.start(chain('a'))).result).state.steps['a']?.output).toBe(false)
  })
})

describe('a run that an engine starts', () => {
  test('is created, updated and read through the port for files, under the id of its workflow with its input', async () => {
    const { files, calls } = listened()
    const engine = engineOf({ agents: { worker: () => null } }, files)
    const run = await engine.start(chain('a'), { input: { x: 1 } })
    await run.result
    const log = `${run.runId}/events.jsonl`
    const changes = calls.splice(0).filter(({ op, path }) => op === 'append' && path.endsWith(log))
    expect(changes.length).toBeGreaterThan(1)
    expect(changes[0]).toMatchObject({
      data: expect.stringMatching(/"workflowId":"chain".*"input":{"x":1}/),
    })
    await engine.getStatus(run.runId)
    expect(calls.some(({ op, path }) => op === 'read' && path.endsWith(log))).toBe(true)
    expect(calls.filter(isWriteLike)).toEqual([])
  })

  test('goes on in the background: its handle is there before its end, and tells of it', async () => {
    const answer = deferred<string>()
    const engine = engineOf({ agents: { worker: () => answer.promise } })
    const run = await engine.start(chain('a'), { input: { x: 1 }, correlationId: 'test' })
    expect(run.runId).toMatch(/^chain-/)
    expect(run.status()).toBe('running')
    expect(engine.running).toEqual([run])
    expect(await engine.getStatus(run.runId)).toMatchObject({
      status: 'running',
      state: { input: { x: 1 }, correlationId: 'test' },
    })
    answer.resolve('done')
    expect(await run.result).toMatchObject({
      runId: run.runId,
      status: 'completed',
      error: null,
      state: { steps: { a: { output: 'done' } } },
    })
    expect(run.status()).toBe('completed')
    expect(engine.running).toEqual([])
    expect((await engine.getStatus(run.runId)).status).toBe('completed')
  })

  test('has an id of its own, and two go on side by side', async () => {
    const engine = engineOf({ agents: { worker: () => null } })
    const runs = await Promise.all([engine.start(chain('a')), engine.start(chain('a'))])
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(2)
    const results = await Promise.all(runs.map(({ result }) => result))
    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed'])
  })

  test('waits for its turn in a queue that is given', async () => {
    const queue: { runId: string; job: () => Promise<void> }[] = []
    const called: string[] = []
    const engine = engineOf({
      agents: { worker: ({ step }) => void called.push(step) },
      schedule: (job, runId) => queue.push({ job, runId }),
    })
    const run = await engine.start(chain('a', 'b'))
    expect([queue.map(({ runId }) => runId), called]).toEqual([[run.runId], []])
    await queue[0]?.job()
    expect(called).toEqual(['a', 'b'])
    expect((await run.result).status).toBe('completed')
  })

  test('has no more steps in flight than the engine allows, and no fewer', async () => {
    let [now, most] = [0, 0]
    const gates = Array.from({ length: 6 }, () => deferred<void>())
    const engine = engineOf({
      maxConcurrentSteps: 3,
      agents: {
        async worker({ parameters }) {
          most = Math.max(most, ++now)
          if (now === 3) for (const gate of gates) gate.resolve()
          await gates[parameters['place'] as number]?.promise
          now--
        },
      },
    })
    const run = await engine.start(
      defineWorkflow({
        id: 'wide',
        steps: gates.map((_, place) => ({
          id: `s${place}`,
          agent: 'worker',
          dependsOn: [],
          parameters: { place },
        })),
      }),
    )
    expect((await run.result).status).toBe('completed')
    expect(most).toBe(3)
  })

  test('is refused when an agent is missing, also one that undoes', async () => {
    const engine = engineOf({ agents: { worker: () => null } })
    const undone = defineWorkflow({
      id: 'u',
      steps: [{ id: 'a', agent: 'worker', undo: { agent: 'wroker' } }],
    })
    await expect(engine.start(undone)).rejects.toMatchObject({ code: 'UNKNOWN_AGENT' })
  })
})

describe('whoever listens', () => {
  test('hears of every transition in order, whatever another one throws', async () => {
    const heard: string[] = []
    const engine = engineOf({
      agents: { worker: ({ step }) => ({ step }) },
      observers: [
        () => {
          throw new Error('deaf')
        },
        ({ kind, seq }) => heard.push(`${seq} ${kind}`),
      ],
    })
    const { status, state } = await (await engine.start(chain('a', 'b'))).result
    expect([status, state.seq]).toEqual(['completed', heard.length - 1])
    expect(heard).toEqual([
      '0 workflow_start',
      '1 step_start',
      '2 step_finish',
      '3 step_start',
      '4 step_finish',
      '5 workflow_end',
    ])
  })

  test('is told what every attempt came to, with its time and its error', async () => {
    const metrics: unknown[] = []
    const engine = engineOf({
      agents: {
        worker({ step }) {
          if (step === 'b') throw new Error('no')
        },
      },
      metrics: ({ step, status, durationMs, error }) =>
        metrics.push([step, status, durationMs, error?.message]),
    })
    const run = await engine.start(chain('a', 'b'))
    expect(await run.result).toMatchObject({ status: 'failed', error: { step: 'b', message: 'no' } })
    expect(metrics).toEqual([
      ['a', 'COMPLETED', 0, undefined],
      ['b', 'FAILED', 0, 'no'],
    ])
  })

  test('hears of what is missing when a run pauses', async () => {
    const heard: unknown[] = []
    const engine = engineOf({
      agents: { worker: () => null },
      observers: [(event) => void (event.kind === 'workflow_pause' && heard.push(event.missingVar))],
    })
    await (
      await engine.start(defineWorkflow({ ...approval, steps: approval.steps.slice(1) }))
    ).result
    expect(heard).toEqual(['input.name'])
  })
})

describe('a handle', () => {
  test('gives a run what it stops for, and tells each time how it goes on', async () => {
    const engine = engineOf({ agents: { worker: ({ parameters }) => parameters } })
    const run = await engine.start(defineWorkflow(approval))
    expect((await run.result).status).toBe('waiting')
    await run.answerGate('ask', true)
    expect((await run.result).status).toBe('paused')
    await run.provideInput({ name: 'Ada' })
    expect(await run.result).toMatchObject({
      status: 'completed',
      state: { steps: { greet: { output: { to: 'Ada' } } } },
    })
  })

  test('answers a gate while other steps keep the run busy', async () => {
    const busy = deferred<null>()
    const started = deferred<void>()
    const engine = engineOf({
      agents: { worker: () => null, busy: () => busy.promise },
      observers: [({ kind }) => void (kind === 'gate_wait' && started.resolve())],
    })
    const run = await engine.start(
      defineWorkflow({
        id: 'both',
        steps: [
          { id: 'ask', agent: 'worker', dependsOn: [], gate: { human: true } },
          { id: 'long', agent: 'busy', dependsOn: [] },
        ],
      }),
    )
    await started.promise
    await run.answerGate('ask', true)
    busy.resolve(null)
    expect((await run.result).status).toBe('completed')
  })

  test('cancels a run that moves, and its agents hear of it', async () => {
    const called = deferred<AbortSignal>()
    const engine = engineOf({
      agents: {
        worker({ signal }) {
          called.resolve(signal)
          return new Promise(() => {})
        },
      },
    })
    const run = await engine.start(chain('a', 'b'))
    const signal = await called.promise
    await run.cancel('enough')
    expect(await run.result).toMatchObject({ status: 'cancelled', state: { reason: 'enough' } })
    expect(signal.aborted).toBe(true)
    await expect(engine.resume(run.runId)).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' })
  })

  test('cancels a run that waits, and refuses to cancel one that has completed', async () => {
    const engine = engineOf({ agents: { worker: () => null } })
    const run = await engine.start(defineWorkflow(approval))
    await run.result
    await run.cancel('never mind')
    expect(await run.result).toMatchObject({ status: 'cancelled', state: { reason: 'never mind' } })
    const other = await engine.start(chain('a'))
    await other.result
    await expect(other.cancel()).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' })
  })
})

describe('another engine', () => {
  test('takes up what failed, and runs nothing again', async () => {
    const files = createVirtualFiles()
    const failing = engineOf(
      {
        agents: {
          worker({ step }) {
            if (step === 'b') throw new Error('no')
          },
        },
      },
      files,
    )
    const { runId } = await (await failing.start(chain('a', 'b'))).result
    const called: string[] = []
    const mended = engineOf({ agents: { worker: ({ step }) => void called.push(step) } }, files)
    expect((await (await mended.resume(runId)).result).status).toBe('completed')
    expect(called).toEqual(['b'])
  })

  test('knows no run of an unknown id', async () => {
    const engine = engineOf({ agents: {} })
    await expect(engine.getStatus('chain-00000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' })
    await expect(engine.resume('chain-00000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' })
    expect(engine.running).toEqual([])
  })
})

test('a run that cannot be written rejects its result, and harms nobody who does not wait for it', async () => {
  const leaked: unknown[] = []
  const onLeak = (reason: unknown): void => void leaked.push(reason)
  process.on('unhandledRejection', onLeak)
  const disk = createVirtualFiles()
  let appends = 0
  const full: FilesPort = {
    perform(operation) {
      if (operation.op === 'append' && ++appends > 1)
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      return disk.perform(operation)
    },
  }
  const engine = engineOf({ agents: { worker: () => null } }, full)
  await engine.start(chain('a'))
  const [run] = engine.running
  while (engine.running.length > 0) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onLeak)
  expect(leaked).toEqual([])
  await expect(run?.result).rejects.toMatchObject({ code: 'STORE_FAILED' })
})

describe('an engine is asked for what it was not given', () => {
  const building: AgentWorkflow = {
    id: 'building',
    steps: [{ id: 'build', agent: 'command', parameters: { command: ['true'] } }],
  }

  test('a command on files that no program sees is refused before anything is on disk', async () => {
    const { files, calls } = listened()
    const engine = engineOf({ agents: {} }, files)
    await expect(engine.start(defineWorkflow(building))).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining(`Step 'build' runs a command`),
    })
    expect(calls.filter(isWriteLike)).toEqual([])
    const own = await engineOf({ agents: { command: () => 'mine' } }).start(defineWorkflow(building))
    expect((await own.result).state.steps['build']?.output).toBe('mine')
  })

  test('a built-in step whose parameters are wrong is refused at the start', async () => {
    const steps = [{ id: 'ask', agent: 'http', parameters: { methodd: 'GET' } }]
    await expect(
      engineOf({ agents: {} }).start(defineWorkflow({ id: 'asking', steps })),
    ).rejects.toMatchObject({
      code: 'DEFINITION_INVALID',
    })
  })

  test('a run is not taken up without an agent that it names: nothing counts as done that nobody did', async () => {
    const files = createVirtualFiles()
    const agents = {
      worker() {
        throw new Error('no')
      },
    }
    const { runId, result } = await engineOf({ agents }, files).start(chain('a'))
    expect((await result).status).toBe('failed')
    const other = engineOf({ agents: { walker: () => null } }, files)
    await expect(other.resume(runId)).rejects.toMatchObject({
      code: 'UNKNOWN_AGENT',
      message: `Step 'a' names agent 'worker', which was not given. Did you mean 'walker'?`,
    })
    expect((await other.getStatus(runId)).status).toBe('failed')
  })
})
