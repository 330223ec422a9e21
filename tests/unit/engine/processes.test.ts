import { beforeEach, describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { decodeUtf8, deferred } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import { StepFailure } from '../../../src/ports/index.ts'
import type { Agents, FilesPort, ProcessPort, ProcessResult } from '../../../src/ports/index.ts'
import type { ProcessGroup } from '../../../src/trace/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'flow',
  steps: [
    { id: 'build', agent: 'builder', timeout: 5, retries: 1, retryDelay: 0 },
    { id: 'ship', agent: 'shipper', dependsOn: 'build' },
  ],
}

/** Processes that do nothing but say what is done to them, and end when they are told to. */
class FakeProcesses implements ProcessPort {
  readonly said: string[] = []
  readonly ended: ProcessGroup[] = []
  readonly results: ReturnType<typeof deferred<ProcessResult>>[] = []
  readonly #files: FilesPort
  begins = deferred<void>()

  constructor(files: FilesPort) {
    this.#files = files
    this.begins.resolve()
  }

  async start({ by }: { readonly by: { readonly attempt: number } }) {
    const name = `${this.results.length + 1}`
    const result = deferred<ProcessResult>()
    this.results.push(result)
    this.said.push(`start ${name} for attempt ${by.attempt}`)
    await this.begins.promise
    return {
      group: { pid: Number(name), startTime: '0', bootId: 'b', host: 'h', mark: name },
      release: () => this.said.push(`release ${name} ${this.#logged() ? 'in the log' : 'unknown'}`),
      end: () => this.said.push(`end ${name}`),
      abandon: () => this.said.push(`abandon ${name}`),
      result: result.promise,
    }
  }

  async endGroup(group: ProcessGroup): Promise<'ended' | 'elsewhere'> {
    this.ended.push(group)
    return 'ended'
  }

  exit(name: number): void {
    this.results[name - 1]?.resolve({ exitCode: 0, signal: null, stdout: '', stderr: '' })
  }

  #logged(): boolean {
    const [run] = this.#files.perform({ op: 'list', path: '.workflow/runs' }) as readonly { name: string }[]
    const path = `.workflow/runs/${run?.name}/events.jsonl`
    const durable = (this.#files as ReturnType<typeof createVirtualFiles>).afterCrash('power-min')
    const log = durable.perform({ op: 'read', path }) ?? new Uint8Array()
    return decodeUtf8(log).includes('process_start')
  }
}

let files: ReturnType<typeof createVirtualFiles>
let processes: FakeProcesses
let bench: EngineBench

beforeEach(() => {
  files = createVirtualFiles()
  processes = new FakeProcesses(files)
  bench = engineBench(files, { processes })
})

const agents: Agents = {
  async builder({ processes: own }) {
    await own.run({ command: ['make'] })
  },
  shipper: () => null,
}

/** Ticks, and lets everything that needs no time go on. */
async function ticks(life: EngineLifeUnderTest, times: number): Promise<void> {
  for (let count = 0; count < times; count++) await life.tick()
  await new Promise((resolve) => setImmediate(resolve))
}

describe('a process', () => {
  test('is let go once its group is durably in the log, and the step goes on when it has ended', async () => {
    const life = bench.life(agents)
    await life.start(workflow)
    await ticks(life, 2)
    expect(processes.said).toEqual(['start 1 for attempt 1', 'release 1 in the log'])
    processes.exit(1)
    expect((await life.runToEnd()).status).toBe('completed')
    expect(eventWords(bench.events)).toContain('process_start build#1@1')
    // Ending what has ended does nothing.
    expect(processes.said.slice(2)).toEqual(['end 1'])
  })

  test('ends with its attempt, and the next attempt starts none before it is gone', async () => {
    const life = bench.life(agents)
    await life.start(workflow)
    await ticks(life, 2)
    bench.clock.advanceTo(bench.clock.now() + 5_000)
    await ticks(life, 3)
    expect(processes.said.slice(2)).toEqual(['end 1'])
    processes.exit(1)
    await ticks(life, 2)
    expect(processes.said.slice(3)).toEqual(['start 2 for attempt 2', 'release 2 in the log'])
    processes.exit(2)
    expect((await life.runToEnd()).status).toBe('completed')
  })

  test('that exists only after its attempt has ended never begins', async () => {
    processes.begins = deferred()
    const life = bench.life(agents)
    await life.start(workflow)
    await ticks(life, 2)
    bench.clock.advanceTo(bench.clock.now() + 5_000)
    await ticks(life, 1)
    processes.begins.resolve()
    await ticks(life, 1)
    expect(processes.said.slice(0, 3)).toEqual([
      'start 1 for attempt 1',
      'start 2 for attempt 2',
      'abandon 1',
    ])
  })

  test('that its agent does not wait for ends with the step all the same', async () => {
    const life = bench.life({
      ...agents,
      builder({ processes: own }) {
        void own.run({ command: ['serve'] }).catch(() => {})
        return new Promise((resolve) => setImmediate(() => setImmediate(() => resolve('done'))))
      },
    })
    await life.start(workflow)
    await ticks(life, 4)
    expect(processes.said).toEqual(['start 1 for attempt 1', 'release 1 in the log', 'end 1'])
  })

  test('that a dead life has left is ended before the run is taken over, and one of a finished step is not', async () => {
    const life = bench.life(agents)
    await life.start(workflow)
    await ticks(life, 2)
    const next = bench.life(agents)
    const atEnd: string[] = []
    processes.endGroup = async (group) => {
      atEnd.push(`${group.mark}, and the lock is ${holder()}`)
      return 'ended'
    }
    await next.incarnation.recover({})
    expect(atEnd).toEqual(['1, and the lock is of life 1'])
    await ticks(next, 2)
    processes.exit(2)
    await ticks(next, 1)
    await bench.life(agents).incarnation.recover({})
    expect(atEnd).toHaveLength(1)

    function holder(): string {
      const [run] = files.perform({ op: 'list', path: '.workflow/runs' }) ?? []
      const lock = files.perform({ op: 'read', path: `.workflow/runs/${run?.name}/lock` })
      return /"epoch":1\b/.test(decodeUtf8(lock ?? new Uint8Array())) ? 'of life 1' : 'of another'
    }
  })

  test('on another machine cannot be ended, and whoever takes the run over is told', async () => {
    const life = bench.life(agents)
    await life.start(workflow)
    await ticks(life, 2)
    processes.endGroup = async () => 'elsewhere'
    await bench.life(agents).incarnation.recover({})
    expect(bench.logs.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      `warn: Process group 1 on host 'h' may still be running and writing: it cannot be ended from here.`,
    ])
  })

  test('of a life that holds the run is left alone by others', async () => {
    const life = bench.life(agents, undefined, 'life')
    await life.start(workflow)
    await ticks(life, 2)
    const holding = engineBench(files, { processes }).life(agents, undefined, 'life')
    await (async () => holding.incarnation.recover({}))().catch(() => {})
    expect(processes.ended).toEqual([])
  })
})

test('a process that undoes a step is let go in the same way, and ended before a rollback that died is taken up again', async () => {
  const undoing: AgentWorkflow = {
    id: 'undoing',
    settings: { rollback: true },
    steps: [
      { id: 'build', agent: 'maker', undo: { agent: 'builder' } },
      { id: 'ship', agent: 'loser', dependsOn: 'build' },
    ],
  }
  const all: Agents = {
    ...agents,
    maker: () => null,
    loser() {
      throw new Error('lost')
    },
  }
  const life = bench.life(all)
  await life.start(undoing)
  await ticks(life, 4)
  expect(processes.said).toEqual(['start 1 for attempt 1', 'release 1 in the log'])
  const next = bench.life(all)
  await next.incarnation.recover({})
  expect(processes.ended.map(({ mark }) => mark)).toEqual(['1'])
  await ticks(next, 2)
  processes.exit(2)
  expect((await next.runToEnd()).status).toBe('failed')
  expect(eventWords(bench.events).filter((word) => /process|undo/.test(word))).toEqual([
    'undo_start build#1@1',
    'process_start build#1@1',
    'undo_start build#1@2',
    'process_start build#1@2',
    'undo_finish build#1@2',
  ])
  // What has been undone has nothing left to end.
  await bench.life(all).incarnation.recover({})
  expect(processes.ended).toHaveLength(1)
})

test('a step that needs processes or services says so where the engine has none', async () => {
  const bare = engineBench(createVirtualFiles()).life({
    builder: ({ processes: own }) => void own,
    shipper: () => null,
  })
  await bare.start(workflow)
  const { events } = await bare.runThroughTime()
  expect(events.find(({ kind }) => kind === 'step_fail')).toMatchObject({
    error: {
      kind: 'configuration',
      category: 'permanent',
      message: `Step 'build' needs child processes, and this engine was given none.`,
    },
  })
})

test('an agent may say of what kind its failure is, and whether to try again', async () => {
  const kinds = ['transient', 'permanent'] as const
  const tries: number[] = []
  for (const category of kinds) {
    const each = engineBench(createVirtualFiles())
    let calls = 0
    const life = each.life({
      builder() {
        calls++
        throw new StepFailure('no', { kind: 'response', category, code: 'HTTP_1' })
      },
    })
    await life.start({ id: 'f', steps: [{ id: 'build', agent: 'builder', retries: 2, retryDelay: 0 }] })
    await life.runToEnd()
    tries.push(calls)
    expect(each.events.at(-2)).toMatchObject({
      kind: 'step_fail',
      error: { kind: 'response', category, code: 'HTTP_1', message: 'no' },
    })
  }
  expect(tries).toEqual([3, 1])
})
