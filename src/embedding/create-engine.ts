import {
  createChildProcesses,
  createCompression,
  createDigest,
  createHttpService,
  createNodeFiles,
  createSystemClock,
  createSystemIds,
  createSystemOwner,
  systemEnvironment,
} from '../adapters/node/index.ts'
import { builtInStepProblem, isBuiltInStep, withBuiltInSteps } from '../built-in-steps/index.ts'
import { defaultSeed, FaultlineError, suggestion } from '../core/index.ts'
import type { JsonValue } from '../core/index.ts'
import type { StepDefinition, WorkflowDefinition } from '../definition/index.ts'
import { createConditionGate, createReferenceDriver, loadWorkflow } from '../engine/index.ts'
import type { LoadedWorkflow, WorkflowSource } from '../engine/index.ts'
import type {
  AgentPort,
  Agents,
  DriverPorts,
  GatePort,
  RecoverRequest,
  RunReader,
  StorageOptions,
} from '../ports/index.ts'
import type { ObservedStatus, StateDocument } from '../trace/index.ts'
import { observerFor } from './observers.ts'
import type { EngineObserver, MetricsSink } from './observers.ts'
import { MovingRun } from './run-handle.ts'
import type { RunHandle } from './run-handle.ts'

export interface EngineOptions extends StorageOptions {
  /** By the name that steps use. */
  readonly agents: Agents
  /** The project's folder. Default: the current one. */
  readonly project?: string
  /** Caps what a workflow says: no run has more steps in flight. */
  readonly maxConcurrentSteps?: number
  /** Decides gates in place of their conditions. */
  readonly gates?: GatePort
  readonly observers?: readonly EngineObserver[]
  /** Told what every attempt of a step came to. */
  readonly metrics?: MetricsSink
  /** A queue: runs each job when its turn has come. Default: at once. */
  readonly schedule?: (job: () => Promise<void>, runId: string) => void
  /** In place of the real machine. */
  readonly ports?: EnginePorts
}

export type EnginePorts = Partial<
  Pick<DriverPorts, 'files' | 'clock' | 'ids' | 'digest' | 'owner' | 'http' | 'processes'>
>

export interface StartOptions {
  readonly input?: JsonValue
  readonly seed?: number | string
  readonly correlationId?: string
}

export type TakeUpOptions = Pick<RecoverRequest, 'from' | 'artifacts' | 'takeOver' | 'input' | 'answers'>

export interface RunStanding {
  /** `interrupted`: it should be running, and no live process holds it. */
  readonly status: ObservedStatus
  readonly state: StateDocument
}

export interface Engine {
  /** Persists the beginning of a run and resolves with its handle; the run goes on in the background. */
  start(workflow: WorkflowSource | LoadedWorkflow, options?: StartOptions): Promise<RunHandle>
  /** Takes up a run that failed, was interrupted, or stopped for something. */
  resume(runId: string, options?: TakeUpOptions): Promise<RunHandle>
  /**
   * How a run stands on disk, whoever holds it.
   *
   * @throws FaultlineError `RUN_NOT_FOUND`
   */
  getStatus(runId: string): Promise<RunStanding>
  /** Runs that this engine holds and that move. */
  readonly running: readonly RunHandle[]
}

/**
 * The engine for a process of one's own.
 *
 * @example
 * const engine = createEngine({ agents, observers: [(event) => console.log(event.kind)] })
 * const run = await engine.start(workflow, { input: { name: 'Ada' } })
 * const { status } = await run.result
 */
export function createEngine(options: EngineOptions): Engine {
  const { agents, project = '.', gates = createConditionGate(), schedule = atOnce } = options
  const { observers = [], metrics, maxConcurrentSteps, ports = {}, ...storage } = options
  const driver = createReferenceDriver()
  const environment = systemEnvironment()
  // A program works in the project's folder, and would not see files that are elsewhere.
  const processes =
    ports.processes ??
    (ports.files === undefined ? createChildProcesses({ folder: project, environment }) : undefined)
  const shared = {
    ...storageOf(storage),
    files: ports.files ?? createNodeFiles(project),
    clock: ports.clock ?? createSystemClock(),
    ids: ports.ids ?? createSystemIds(),
    digest: ports.digest ?? createDigest(),
    owner: ports.owner ?? createSystemOwner(),
    compression: createCompression(),
    http: ports.http ?? createHttpService(),
    gates,
    agents: withBuiltInSteps(agentsOf(agents), { environment }),
    observer: observerFor(observers, metrics),
    projectFolder: ports.files === undefined ? project : undefined,
    ...(processes === undefined ? {} : { processes }),
  }
  const assertRunnable = (definition: WorkflowDefinition): void => {
    assertAgents(definition, agents)
    if (processes === undefined) assertNoCommands(definition, agents)
  }
  const reader: RunReader = driver.reader(shared)
  const running = new Set<RunHandle>()

  const newRun = (): MovingRun => {
    const run: MovingRun = new MovingRun({
      clock: shared.clock,
      born: (wake) => {
        running.add(run)
        return driver.incarnate({ ...shared, wake })
      },
      read: async (runId) => (await reader.read(runId)).state,
      schedule: (job) => schedule(job, run.runId),
      released: () => running.delete(run),
    })
    return run
  }

  return {
    async start(workflow, { input = null, seed = defaultSeed, correlationId } = {}) {
      const { definition } = 'definition' in workflow ? workflow : await loadWorkflow(workflow)
      assertRunnable(definition)
      const request = {
        definition: capped(definition, maxConcurrentSteps),
        input,
        seed,
        correlationId: correlationId ?? shared.ids.runId('engine'),
        launch: {},
      }
      return newRun().begin(async (life) => life.start(request))
    },
    async resume(runId, request = {}) {
      assertRunnable((await reader.read(runId)).state.definition)
      return newRun().begin(async (life) => (await life.recover({ ...request, runId })).runId)
    },
    async getStatus(runId) {
      const { status, state } = await reader.read(runId)
      return { status, state }
    },
    get running() {
      return [...running]
    },
  }
}

/** A job that fails has told its handle. */
function atOnce(job: () => Promise<void>): void {
  void job()
}

function agentsOf(agents: Agents): AgentPort {
  return {
    has: (name) => Object.hasOwn(agents, name),
    names: Object.keys(agents),
    invoke: async ({ context }) => agents[context.agent]?.(context),
  }
}

function assertAgents({ steps }: WorkflowDefinition, agents: Agents): void {
  for (const { id, undo, ...step } of steps) {
    for (const { agent: name, parameters } of undo === undefined ? [step] : [step, undo]) {
      if (Object.hasOwn(agents, name)) continue
      if (isBuiltInStep(name)) {
        assertParameters({ id, agent: name, parameters })
        continue
      }
      throw new FaultlineError(
        'UNKNOWN_AGENT',
        `Step '${id}' names agent '${name}', which was not given. ${suggestion(name, Object.keys(agents))}`,
        { details: { step: id, agent: name } },
      )
    }
  }
}

function assertParameters(step: Pick<StepDefinition, 'id' | 'agent' | 'parameters'>): void {
  const problem = builtInStepProblem(step)
  if (problem !== undefined)
    throw new FaultlineError('DEFINITION_INVALID', problem, { details: { step: step.id } })
}

function assertNoCommands({ steps }: WorkflowDefinition, agents: Agents): void {
  const step = steps.find(({ agent, undo }) => [agent, undo?.agent].includes('command'))
  if (step === undefined || Object.hasOwn(agents, 'command')) return
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `Step '${step.id}' runs a command, and this engine has other files than those on the disk: give it 'ports.processes' as well, ` +
      `or an agent named 'command'.`,
    { details: { step: step.id, agent: 'command' } },
  )
}

function capped(definition: WorkflowDefinition, most: number | undefined): WorkflowDefinition {
  const { limits } = definition
  if (most === undefined || limits.maxConcurrentSteps <= most) return definition
  return { ...definition, limits: { ...limits, maxConcurrentSteps: most } }
}

function storageOf(options: StorageOptions): StorageOptions {
  const { directories, history, eventLog, checkpointEvery, outputCapBytes } = options
  return {
    ...(directories === undefined ? {} : { directories }),
    ...(history === undefined ? {} : { history }),
    ...(eventLog === undefined ? {} : { eventLog }),
    ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
    ...(outputCapBytes === undefined ? {} : { outputCapBytes }),
  }
}
