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
import type { AgentWorkflow } from '../../src/engine/index.ts'
import type {
  Agents,
  DriverPorts,
  FileOperation,
  FilesPort,
  GatePort,
  Incarnation,
  StorageOptions,
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
  readonly logs: readonly LogEntry[]
  /** A new engine life. */
  life(agents: Agents, gates?: GatePort): EngineLifeUnderTest
}

export interface EngineLifeUnderTest {
  readonly incarnation: Incarnation
  start(workflow: AgentWorkflow, options?: { readonly seed?: number }): Promise<string>
  runToEnd(): Promise<TickReport>
}

/** Over all benches, since a life on a copied disk must not be taken for the one that died. */
let lives = 0

export function engineBench(
  files: FilesPort,
  storage: StorageOptions & Pick<DriverPorts, 'compression'> = {},
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
    life(agents, gates = createConditionGate()) {
      lives++
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
        owner: createInventedOwner(`life-${lives}`),
        observer: { event: (event) => events.push(event), log: (entry) => logs.push(entry) },
        wake: () => bell.ring(),
        projectFolder: undefined,
        ...storage,
      })
      return {
        incarnation,
        async start(workflow, { seed = 1 } = {}) {
          const { definition } = await loadWorkflow(defineWorkflow(workflow))
          return incarnation.start({ definition, input: null, seed, correlationId: 'test', launch: {} })
        },
        runToEnd: () => runToEnd(incarnation, bell, clock),
      }
    },
  }
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
      ? `${event.kind} ${event.step}#${event.visit}@${event.attempt}`
      : event.kind,
  )
}
