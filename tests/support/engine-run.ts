import { createDigest } from '../../src/adapters/node/index.ts'
import { createInventedOwner, createSeededIds, createVirtualClock } from '../../src/adapters/virtual/index.ts'
import type { VirtualClock } from '../../src/adapters/virtual/index.ts'
import {
  createConditionGate,
  createReferenceDriver,
  createWakeBell,
  defineWorkflow,
  loadWorkflow,
  runToEnd,
} from '../../src/engine/index.ts'
import type { JsonValue } from '../../src/core/index.ts'
import type { AgentWorkflow, WorkflowSource } from '../../src/engine/index.ts'
import type {
  Agents,
  DriverPorts,
  FileOperation,
  FilesPort,
  GatePort,
  Incarnation,
  RunReader,
  StorageOptions,
  TickPolicy,
  TickReport,
} from '../../src/ports/index.ts'
import type { LogEntry, WorkflowEvent } from '../../src/trace/index.ts'

/** Lives of the reference engine on one disk, for tests of the engine alone. */
export interface EngineBench {
  readonly clock: VirtualClock
  readonly files: FilesPort
  /** Every file operation so far, as `op path`. */
  readonly trace: readonly string[]
  readonly events: readonly WorkflowEvent[]
  /** What agents and the engine said to the observer besides. */
  readonly logs: readonly LogEntry[]
  /** Reads the runs on this disk as a process would that takes no part in them. */
  readonly reader: RunReader
  /** A new engine life. Its owner is one that no earlier life had, unless one is named. */
  life(agents: Agents, gates?: GatePort, owner?: string): EngineLifeUnderTest
}

export interface EngineLifeUnderTest {
  readonly incarnation: Incarnation
  start(
    workflow: AgentWorkflow | WorkflowSource,
    options?: { readonly seed?: number; readonly input?: JsonValue },
  ): Promise<string>
  /** The production loop; the clock stands still. */
  runToEnd(): Promise<TickReport>
  /** The production loop on a disk that answers at once; the clock goes on to what is due next whenever nothing else is left. */
  runThroughTime(): Promise<TickReport>
  /** One tick, once everything that needs no time has answered. Takes and starts everything unless the policy says less. */
  tick(policy?: Partial<TickPolicy>): Promise<TickReport>
}

const everything: TickPolicy = { holds: new Set(), stopsAfter: () => false, maxResults: Infinity }

/** Over all benches, since a life on a copied disk must not be taken for the one that died. */
let lives = 0

export function engineBench(
  files: FilesPort,
  storage: StorageOptions &
    Partial<
      Pick<DriverPorts, 'compression' | 'knownFiles' | 'observer' | 'processes' | 'projectFolder'>
    > = {},
): EngineBench {
  const clock = createVirtualClock()
  const trace: string[] = []
  const events: WorkflowEvent[] = []
  const logs: LogEntry[] = []
  const recorded: FilesPort = {
    perform(operation) {
      trace.push(describeOperation(operation))
      return files.perform(operation)
    },
  }
  return {
    clock,
    files,
    trace,
    events,
    logs,
    reader: createReferenceDriver().reader({
      files,
      digest: createDigest(),
      owner: createInventedOwner('reader'),
      ...storage,
    }),
    life(agents, gates = createConditionGate(), owner = `life-${++lives}`) {
      const bell = createWakeBell()
      const incarnation = createReferenceDriver().incarnate({
        files: recorded,
        clock,
        agents: {
          has: (name) => Object.hasOwn(agents, name),
          names: Object.keys(agents),
          invoke: async ({ context }) => agents[context.agent]?.(context),
        },
        gates,
        ids: createSeededIds(1),
        digest: createDigest(),
        owner: createInventedOwner(owner),
        observer: { event: (event) => events.push(event), log: (entry) => logs.push(entry) },
        wake: () => bell.ring(),
        projectFolder: undefined,
        ...storage,
      })
      return {
        incarnation,
        async start(workflow, { seed = 1, input = null } = {}) {
          const source = 'kind' in workflow ? workflow : defineWorkflow(workflow)
          const { definition } = await loadWorkflow(source)
          return incarnation.start({ definition, input, seed, correlationId: 'test', launch: {} })
        },
        runToEnd: () => runToEnd(incarnation, bell, clock),
        runThroughTime: () => throughTime(runToEnd(incarnation, bell, clock), clock),
        async tick(policy) {
          await quiet()
          return incarnation.tick({ ...everything, ...policy })
        },
      }
    },
  }
}

/** Waits for `work`, which waits for the clock. */
async function throughTime<T>(work: Promise<T>, clock: VirtualClock): Promise<T> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  work.then(settle, settle)
  for (await quiet(); !settled; await quiet()) {
    const next = clock.next()
    if (next === undefined) throw new Error('Nothing is due, and what is in flight waits for something else.')
    clock.advanceTo(next)
  }
  return work
}

/** Resolves when all that follows from what has happened so far has happened: agents of these tests only await promises. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** `op path`, with the run's folder shortened to `<run>`. */
function describeOperation(operation: FileOperation): string {
  const short = (path: string): string => path.replace(/^\.workflow\/runs\/[^/]+/, '<run>')
  const to = operation.op === 'rename' ? ` -> ${short(operation.to)}` : ''
  return `${operation.op} ${short(operation.path)}${to}`
}

/** One word per event: `start build#1@1`. */
export function eventWords(events: readonly WorkflowEvent[]): readonly string[] {
  return events.map((event) =>
    'step' in event && event.step !== undefined && 'visit' in event
      ? `${event.kind} ${event.step}#${event.visit}${'attempt' in event ? `@${event.attempt}` : ''}`
      : event.kind,
  )
}
