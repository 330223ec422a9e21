import {
  createCompression,
  createDigest,
  createNodeFiles,
  createSystemClock,
  createTurn,
} from '../adapters/node/index.ts'
import { createVirtualClock } from '../adapters/virtual/index.ts'
import { builtInStepNames, builtInStepProblem, isBuiltInStep } from '../built-in-steps/index.ts'
import { covers, FaultlineError, suggestion } from '../core/index.ts'
import type { JsonValue } from '../core/index.ts'
import type { FaultPlan, StepDefinition } from '../definition/index.ts'
import { missingRequiredFile } from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { checkFaultPlan, createFaultRecorder } from '../fault-injection/index.ts'
import type { AgentPort, Agents, IdsPort, OwnerPort, StorageOptions, WorkflowDriver } from '../ports/index.ts'
import type { LogEntry, WorkflowEvent } from '../trace/index.ts'
import type { GateController, Project } from './contract.ts'
import { checkGateControllers, createGateControllers } from './gate-controllers.ts'
import { mockAgent } from './mock-agents.ts'
import { createOutside } from './outside.ts'
import type { OutsideOptions } from './outside.ts'
import { filesOf, hideDirectories } from './project.ts'
import { createScheduler } from './schedule/scheduler.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { Session } from './session.ts'
import { createRecordedDisk, createSimulatedDisk } from './session-disk.ts'
import type { SessionDisk } from './session-disk.ts'
import { Ledger } from './world.ts'

/** Everything a session is made of, decided: no default is left to fill in. */
export interface SessionParts {
  readonly loaded: LoadedWorkflow
  /** Reads the workflow again, as it is written now, from the disk that the run works on. */
  readonly reload: (readFile: ReadFile) => Promise<LoadedWorkflow | undefined>
  readonly project: Project
  readonly plan: FaultPlan
  readonly seed: number | string
  readonly agents: AgentPort
  readonly gates: Readonly<Record<string, GateController>>
  readonly input: JsonValue
  readonly clock: 'virtual' | 'real'
  readonly disk: 'folder' | 'simulated'
  readonly storage: StorageOptions
  readonly driver: WorkflowDriver
  readonly correlationId: string
  readonly realWaitMs: number
  readonly ids: IdsPort
  readonly ownerOf: (life: number) => OwnerPort
  readonly outside: OutsideOptions
  /** Told of every event once it is durable. */
  readonly onEvent: (event: WorkflowEvent) => void
  readonly onLog?: (entry: LogEntry) => void
}

/** Undefined for a file that is not there. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>

/** Checks everything that can be wrong before the first step, then makes the session; writes nothing. */
export async function prepareSession(parts: SessionParts): Promise<Session> {
  const { loaded, project, plan, disk } = parts
  const { definition } = loaded
  checkFaultPlan(plan, definition)
  const scheduler = schedulerFor(plan, parts.clock)
  hideDirectories(project, parts.storage.directories)
  await checkParts(parts)
  const storage = await storageFor(disk, project)
  const virtualClock = parts.clock === 'real' ? undefined : createVirtualClock()
  const logs: LogEntry[] = []
  const projectFolder = disk === 'simulated' ? undefined : project.folder
  const outside = createOutside(parts.outside, projectFolder)
  const { files } = storage.disk
  const readFile: ReadFile = async (path) => files.perform({ op: 'read', path })
  return new Session({
    world: {
      driver: parts.driver,
      files,
      simulatedFiles: disk === 'simulated' || project.folder === undefined,
      projectFolder,
      clock: virtualClock ?? createSystemClock(),
      virtualClock,
      turn: createTurn(),
      digest: createDigest(),
      compression: createCompression(),
      ids: parts.ids,
      ownerOf: parts.ownerOf,
      agents: parts.agents,
      gates: createGateControllers(parts.gates),
      faults: createFaultRecorder(plan),
      world: new Ledger(),
      observer: {
        event: parts.onEvent,
        log(entry) {
          logs.push(entry)
          parts.onLog?.(entry)
        },
      },
      realWaitMs: parts.realWaitMs,
      storage: parts.storage,
      outside,
      ...(scheduler === undefined ? {} : { scheduler }),
    },
    project,
    definition,
    input: parts.input,
    seed: parts.seed,
    correlationId: parts.correlationId,
    plan,
    logs,
    clock: parts.clock,
    disk,
    async presentDefinition(goOnUnderIt) {
      const present = await parts.reload(readFile)
      if (goOnUnderIt) await checkGoingOn(present, parts)
      return present?.definition
    },
    readFile,
    sessionDisk: storage.disk,
    async release() {
      await outside.close()
      await storage.release()
    },
  })
}

function schedulerFor({ schedule }: FaultPlan, clock: 'virtual' | 'real'): Scheduler | undefined {
  if (schedule === undefined) return undefined
  if (clock === 'virtual') return createScheduler({ kind: 'picks', picks: schedule })
  throw new FaultlineError(
    'FAULT_PLAN_INVALID',
    `The fault plan has a schedule, which needs the virtual clock, and this session runs on the real one.`,
    { details: { path: 'schedule' } },
  )
}

/** Whether a workflow has all that it asks for: agents, steps for its gate controllers, required files. */
export async function checkParts({
  loaded,
  agents,
  gates,
  project,
}: Pick<SessionParts, 'loaded' | 'agents' | 'gates' | 'project'>): Promise<void> {
  checkAgents(agents, loaded)
  checkGateControllers(gates, loaded.definition)
  await checkRequiredFiles(loaded, project)
}

/** Every file of a project by path: what a simulated disk begins with. */
export async function filesOfProject(project: Project): Promise<Readonly<Record<string, Uint8Array>>> {
  const files: Record<string, Uint8Array> = {}
  for (const path of await project.list({ all: true })) files[path] = await project.read(path)
  return files
}

/** Agents by name, or the mock agent for every name. */
export function agentPort(agents: Agents | undefined, mockDelayMs = 0): AgentPort {
  if (agents === undefined) {
    const mock = mockAgent({ delayMs: mockDelayMs })
    return { has: () => true, names: [], invoke: async ({ context }) => mock(context) }
  }
  return {
    has: (name) => Object.hasOwn(agents, name),
    names: Object.keys(agents),
    invoke: async ({ context }) => agents[context.agent]?.(context),
  }
}

/** Checks a definition that a run is to go on under as if it were started. */
async function checkGoingOn(present: LoadedWorkflow | undefined, parts: SessionParts): Promise<void> {
  if (present === undefined) {
    throw new FaultlineError(
      'FILE_NOT_FOUND',
      `The workflow file '${parts.loaded.file}' is not there any more, so the run cannot go on under its current definition. ` +
        `Restore the file, or resume without definition 'current'.`,
      { details: { path: parts.loaded.file } },
    )
  }
  checkAgents(parts.agents, present)
  await checkRequiredFiles(present, parts.project)
}

function checkAgents(agents: AgentPort, loaded: LoadedWorkflow): void {
  const named = loaded.definition.steps.flatMap(({ id, agent, parameters, undo }) => [
    { id, agent, parameters, at: `steps.${id}` },
    ...(undo === undefined
      ? []
      : [{ id, agent: undo.agent, parameters: undo.parameters, at: `steps.${id}.undo` }]),
  ])
  for (const step of named) {
    const { id, agent, at } = step
    if (agents.has(agent)) continue
    if (isBuiltInStep(agent)) {
      checkBuiltInStep(step, loaded)
      continue
    }
    const place = loaded.locate(`${at}.agent`)
    throw new FaultlineError(
      'UNKNOWN_AGENT',
      `${place === undefined ? '' : `${place}: `}Step '${id}' names agent '${agent}', which was not given. ${suggestion(agent, [...agents.names, ...builtInStepNames])}`,
      { details: { step: id, agent } },
    )
  }
}

function checkBuiltInStep(
  step: Pick<StepDefinition, 'id' | 'agent' | 'parameters'> & { readonly at: string },
  loaded: LoadedWorkflow,
): void {
  const problem = builtInStepProblem(step)
  if (problem === undefined) return
  const path = `${step.at}.parameters`
  const place = loaded.locate(path) ?? loaded.locate(`${step.at}.agent`)
  throw new FaultlineError('DEFINITION_INVALID', `${place === undefined ? '' : `${place}: `}${problem}`, {
    details: { step: step.id, path },
  })
}

async function checkRequiredFiles(loaded: LoadedWorkflow, project: Project): Promise<void> {
  const files = await project.list()
  const missing = missingRequiredFile(loaded, (path) => files.some((file) => covers(path, file)))
  if (missing !== undefined) throw missing
}

interface Storage {
  readonly disk: SessionDisk
  readonly release: () => Promise<void>
}

async function storageFor(disk: 'folder' | 'simulated', project: Project): Promise<Storage> {
  if (disk === 'simulated') {
    return { disk: createSimulatedDisk(await filesOfProject(project)), release: async () => {} }
  }
  if (project.folder === undefined) {
    return { disk: createRecordedDisk(filesOf(project)), release: async () => {} }
  }
  const files = createNodeFiles(project.folder)
  return { disk: createRecordedDisk(files), release: async () => files.closeAll() }
}
