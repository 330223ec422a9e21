import {
  createCompression,
  createDigest,
  createNodeFiles,
  createSystemClock,
  createSystemIds,
  createSystemOwner,
} from '../adapters/node/index.ts'
import { FaultlineError, isFaultlineError } from '../core/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import type { FaultPlan } from '../definition/index.ts'
import { createConditionGate, createReferenceDriver } from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { faultPlan } from '../fault-injection/index.ts'
import type { Agents, Directories, RecoverRequest, RunReader } from '../ports/index.ts'
import type { WorkflowEvent } from '../trace/index.ts'
import type { Project, WorkflowSession } from './contract.ts'
import { agentPort, checkParts, prepareSession } from './prepare-session.ts'
import type { Session } from './session.ts'

export interface ProcessRunOptions {
  readonly project: Project
  /** The project's folder. */
  readonly folder: string
  /** Absent: mock agents. */
  readonly agents: Agents | undefined
  readonly mockDelayMs?: number
  readonly clock: 'virtual' | 'real'
  readonly directories: Directories
  readonly onEvent: (event: WorkflowEvent) => void
}

export interface StartProcessRunOptions extends ProcessRunOptions {
  readonly plan: FaultPlan
  readonly seed: number | string
  readonly input: JsonValue
  /** What the process that resumes the run needs to know. */
  readonly launch: JsonObject
  /** What a resume of this session finds the workflow to be. Default: as it was started. */
  readonly reload?: () => Promise<LoadedWorkflow>
}

/** Starts a run that this very process holds, as the command line does: other processes see whether it lives. */
export async function startProcessRun(
  loaded: LoadedWorkflow,
  options: StartProcessRunOptions,
): Promise<WorkflowSession> {
  const ids = createSystemIds()
  const correlationId = ids.runId('cli')
  const session = await processSession(loaded, options, { ...options, correlationId })
  await session.begin(options.launch)
  return session
}

export interface ResumeProcessRunOptions extends ProcessRunOptions {
  /** The workflow as its file has it now; undefined when there is no file any more. */
  readonly present: LoadedWorkflow | undefined
  readonly request: Omit<RecoverRequest, 'runId'> & { readonly runId: string }
  /** Faults belong to a process: none are carried over. Default: no faults. */
  readonly plan?: FaultPlan
}

/** Takes over a run that an earlier process has left. */
export async function resumeProcessRun(options: ResumeProcessRunOptions): Promise<WorkflowSession> {
  const reader = runReader(options.folder, options.directories)
  const { state } = await reader.read(options.request.runId)
  const { present, request } = options
  const recorded: LoadedWorkflow = { definition: state.definition, file: undefined, locate: () => undefined }
  const loaded = request.definition === 'current' && present !== undefined ? present : recorded
  const { seed, input, correlationId } = state
  const session = await processSession(loaded, options, {
    plan: options.plan ?? faultPlan([]),
    seed,
    input,
    correlationId,
  })
  await session.adopt({ ...request, ...(present === undefined ? {} : { expects: present.definition }) })
  return session
}

/**
 * Ends a run that no process holds, for good: its agents are not needed for that.
 *
 * @throws FaultlineError `RUN_OWNED` while a process holds it.
 */
export async function cancelRun({
  folder,
  directories,
  runId,
  reason,
}: {
  readonly folder: string
  readonly directories: Directories
  readonly runId: string
  readonly reason: string
}): Promise<void> {
  const files = createNodeFiles(folder)
  const incarnation = createReferenceDriver().incarnate({
    files,
    clock: createSystemClock(),
    agents: agentPort({}),
    gates: createConditionGate(),
    ids: createSystemIds(),
    digest: createDigest(),
    compression: createCompression(),
    owner: createSystemOwner(),
    observer: { event: () => {}, log: () => {} },
    wake: () => {},
    projectFolder: folder,
    directories,
  })
  try {
    await incarnation.recover({ runId, cancel: reason })
  } catch (error) {
    if (!isFaultlineError(error, 'RUN_NOT_RESUMABLE') || error.details['status'] !== 'cancelled') throw error
  } finally {
    await incarnation.close()
    await files.closeAll()
  }
}

/**
 * Whether a run could be started: its agents are there, the parameters of built-in steps are good, and so are the files that must stand
 * in the project.
 *
 * @throws FaultlineError `UNKNOWN_AGENT`, `DEFINITION_INVALID`, `REQUIRED_FILE_MISSING`
 */
export async function assertRunnable(
  loaded: LoadedWorkflow,
  { project, agents }: Pick<ProcessRunOptions, 'project' | 'agents'>,
): Promise<void> {
  await checkParts({ loaded, project, agents: agentPort(agents), gates: {} })
}

/** Reads the runs of a project, as this process sees them. */
export function runReader(projectFolder: string, directories: Directories): RunReader {
  return createReferenceDriver().reader({
    files: createNodeFiles(projectFolder),
    digest: createDigest(),
    compression: createCompression(),
    owner: createSystemOwner(),
    directories,
  })
}

/**
 * The named run, else the last one; the only one when nothing says which was the last.
 *
 * @throws FaultlineError `RUN_NOT_FOUND` when there is none, or several to choose from.
 */
export async function runIdOrLast(reader: RunReader, runId: string | undefined): Promise<string> {
  const chosen = runId ?? (await reader.last())
  if (chosen !== undefined) return chosen
  const [only, ...others] = await reader.list()
  if (only !== undefined && others.length === 0) return only
  throw new FaultlineError(
    'RUN_NOT_FOUND',
    only === undefined
      ? `No run has been started here. Start one with 'faultline run <file>', or go to the project's folder.`
      : `Nothing says which run was the last. Name one of: ${[only, ...others].map((run) => `'${run}'`).join(', ')}.`,
    { details: { runs: [only, ...others] } },
  )
}

async function processSession(
  loaded: LoadedWorkflow,
  options: ProcessRunOptions,
  recorded: {
    readonly plan: FaultPlan
    readonly seed: number | string
    readonly input: JsonValue
    readonly correlationId: string
    readonly reload?: () => Promise<LoadedWorkflow>
  },
): Promise<Session> {
  const owner = createSystemOwner()
  return prepareSession({
    loaded,
    reload: recorded.reload ?? (async () => loaded),
    project: options.project,
    plan: recorded.plan,
    seed: recorded.seed,
    agents: agentPort(options.agents, options.mockDelayMs),
    gates: {},
    input: recorded.input,
    clock: options.clock,
    disk: 'folder',
    storage: { directories: options.directories },
    driver: createReferenceDriver(),
    correlationId: recorded.correlationId,
    realWaitMs: 60_000,
    ids: createSystemIds(),
    ownerOf: () => owner,
    outside: {},
    onEvent: options.onEvent,
  })
}
