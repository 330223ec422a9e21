import type {
  Agent,
  AgentOutput,
  Agents,
  GateDecision,
  GateRequest,
  ObserverPort,
  Directories,
  StorageOptions,
  WorkflowDriver,
} from '../ports/index.ts'
import type { CrashOutcome, Fault, FaultPlan } from '../definition/index.ts'
import type { MemfsFiles } from '../adapters/virtual/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import type {
  DiskAtCrash,
  LogEntry,
  RecordedSnapshots,
  SessionRecording,
  StateDocument,
  StepError,
  TimelineRow,
  WorkflowEvent,
  WorkflowSnapshot,
} from '../trace/index.ts'
import type { WorkflowSource } from '../engine/index.ts'
import type { OutsideOptions } from './outside.ts'

/** A workflow: a path relative to the project, or what `defineWorkflow` returned. */
export type WorkflowInput = string | WorkflowSource

/** Decides a gate in place of its condition. `'external'` leaves it open until `session.answerGate`. */
export type GateController =
  ((request: GateRequest) => GateDecision | boolean | Promise<GateDecision | boolean>) | 'external'

export interface WorkflowSessionOptions extends StorageOptions, OutsideOptions {
  /** The project the run works in: a `Project`, or the path of a folder. Default: a fresh empty project. */
  readonly project?: Project | string
  /** Agents by name. Default: mock agents that produce what each step declares. */
  readonly agents?: Agents
  /** Controllers by the id of the gated step. Default: the gate's own condition decides. */
  readonly gates?: Readonly<Record<string, GateController>>
  readonly input?: JsonValue
  /** Default: the seed of the project's fixture, else 1. Two different explicit seeds are an error. */
  readonly seed?: number | string
  readonly faults?: readonly Fault[] | FaultPlan
  /** Default `virtual`: time passes only when every agent waits for it. */
  readonly clock?: 'virtual' | 'real'
  /** Default `folder`: real files. `simulated`: the project's files are loaded into memory and nothing else is touched. */
  readonly disk?: 'folder' | 'simulated'
  readonly correlationId?: string
  readonly limits?: SessionLimits
  /** Default: the reference engine. */
  readonly driver?: WorkflowDriver
}

export interface SessionLimits {
  /** Replaces the limit of every step that does not set its own. */
  readonly stepTimeoutMs?: number
  /** Replaces the workflow's limit. */
  readonly workflowTimeoutMs?: number
  /** Real time to wait for an agent that waits on something other than `context.clock`. Default 2,000. */
  readonly realWaitMs?: number
}

export type RunOutcomeStatus =
  'completed' | 'failed' | 'paused' | 'waiting' | 'cancelled' | 'crashed' | 'stopped'

/** How a moving call ended. Failures of the workflow are outcomes, not exceptions. */
export interface RunOutcome {
  readonly status: RunOutcomeStatus
  /** The step at which it ended: the one that failed, is waited for, or has just finished. */
  readonly step?: string
  readonly error?: StepError
  /** The reference that has no value, when the run is paused. */
  readonly missingVar?: string
  /** A failure was tolerated (`continue_on_error`). */
  readonly degraded?: true
  /** A step that completed has reported `failures`. */
  readonly hasFailures?: true
}

export interface ResumeOptions {
  readonly from?: 'safe-point' | 'loop-target'
  readonly artifacts?: 'refuse' | 'rebuild' | 'accept'
  /** What to do when the workflow's file was edited since: refuse with a diff (default), or go on under what it says now. */
  readonly definition?: 'refuse' | 'current'
  /** Put over the run's input, member by member. */
  readonly input?: JsonObject
}

export interface CrashOptions {
  /** What the disk keeps of all that is not durable: `docs/simulated-disk.md`. Default `kill`: all of it, the machine goes on. */
  readonly disk?: CrashOutcome
}

export interface StepExecution {
  readonly step: string
  readonly visit: number
  readonly attempt: number
  /** Which life of the engine called the agent, from 1. */
  readonly incarnation: number
}

/** One effect of the outside world, counted by its idempotency key and name. */
export interface WorldEffect {
  readonly idempotencyKey: string
  readonly name: string
  readonly step: string
  /** How often it really happened, over all incarnations. */
  readonly count: number
}

export interface FiredFault {
  readonly fault: Fault
  /** Keys of the points at which it fired. */
  readonly keys: readonly string[]
}

export interface SessionFaults {
  readonly fired: readonly FiredFault[]
  readonly unused: readonly Fault[]
  /** The plan with exact keys only: fires at the same points without counting. */
  readonly resolved: FaultPlan
}

export interface WorkflowSession extends AsyncIterable<RunOutcome> {
  readonly runId: string
  readonly correlationId: string
  readonly seed: number | string
  readonly project: Project
  /** Counts engine lives from 1. */
  readonly incarnation: number
  readonly lastOutcome: RunOutcome | null
  readonly snapshots: RecordedSnapshots
  readonly faults: SessionFaults
  readonly world: readonly WorldEffect[]
  readonly logs: readonly LogEntry[]
  /** Port calls that code of a crashed incarnation made after its death; none of them had an effect. */
  readonly afterDeath: readonly string[]
  /** Goes on to the next durable step boundary; parallel siblings park at their next port call. */
  next(): Promise<RunOutcome>
  /** Goes on until the step has completed, or with `before` until it would start. */
  runUntil(step: string | { readonly before: string }): Promise<RunOutcome>
  runToEnd(): Promise<RunOutcome>
  /** A new engine that knows only what is on disk takes the run over; runs nothing. */
  resume(options?: ResumeOptions): Promise<RunOutcome>
  /** The process dies here: nothing that is in flight goes on, nothing is cleaned up. */
  crash(options?: CrashOptions): Promise<RunOutcome>
  /** Ends the run for good. Steps in flight have the workflow's time of grace, if it has one. */
  cancel(reason?: string): Promise<RunOutcome>
  /** What the last moving call left, as read back from disk. */
  state(): StateDocument
  events(): readonly WorkflowEvent[]
  timeline(): readonly TimelineRow[]
  executions(step?: string): Promise<readonly StepExecution[]>
  /** Moves the virtual clock. */
  advance(ms: number): Promise<void>
  /** Answers the gate of a step that waits. A run that was let go of is taken up again for that; it moves with the next call. */
  answerGate(step: string, decision: GateDecision | boolean): Promise<void>
  /** Takes up a run that is paused for want of input; it moves with the next call. */
  provideInput(input: JsonObject): Promise<void>
  /** Changes a project file the accepted way: recorded in the log, so that a resume trusts it. */
  edit(path: string, data: string | Uint8Array): Promise<void>
  /** A frozen copy of what is on disk now. */
  capture(label?: string): Promise<WorkflowSnapshot>
  /** Everything so far, for a bundle. */
  recording(): Promise<SessionRecording>
  /** Ends the session and judges the plan; the run stays on disk. Called again, it does nothing. */
  close(): Promise<void>
}

/** Follows the sessions of a project while they go on, so that something is left of them when the process dies. */
export interface SessionObserver extends ObserverPort {
  /** The session has begun; its first event was told before. */
  opened(session: WorkflowSession, how: OpenedSession, disk: WrittenContents): void
  /** A life of its engine has ended in a crash. */
  crashed(runId: string, crash: DiskAtCrash): void
}

/** What a session has written, as long as its process lives. */
export interface WrittenContents {
  /** Every content that a name was given, oldest first. */
  contents(path: string): readonly Uint8Array[]
}

/** What a session was opened with, beside what its first event says. */
export interface OpenedSession extends Pick<SessionRecording, 'clock' | 'disk' | 'plan'> {
  readonly directories: Directories
}

/** An isolated project, a folder or a volume in memory, that a run works in. */
export interface Project {
  readonly template: string
  /** The folder on the real disk; undefined for a project in memory. */
  readonly folder: string | undefined
  /** The files of a project in memory with the API of `node:fs`, below `/`; undefined for a folder. */
  readonly fs: MemfsFiles['fs'] | undefined
  readonly seed: number | string | undefined
  readonly correlationId: string | undefined
  /** Limits of sessions on the real clock that give none of their own. */
  readonly limits: SessionLimits | undefined
  /** Where sessions that say nothing else keep what their engine writes. */
  readonly directories: Directories | undefined
  /** Agents that the template brings. */
  readonly agents: Agents
  read(path: string): Promise<Uint8Array>
  readText(path: string): Promise<string>
  write(path: string, data: string | Uint8Array): Promise<void>
  exists(path: string): Promise<boolean>
  /** Paths of all files, sorted; `.workflow` and other directories of its runs left out unless `all`. */
  list(options?: { readonly all?: boolean }): Promise<readonly string[]>
  /** Removes the folder. Does nothing when it is kept or was given by path. */
  remove(): Promise<void>
}

/** What a path is expected to be. */
export interface ExpectedArtifact {
  readonly producedBy?: string
  readonly sha256?: string
  /** Exact text. */
  readonly text?: string
  /** Parsed as JSON and compared deeply. */
  readonly json?: JsonValue
}

export type ExpectedArtifacts = Readonly<Record<string, ExpectedArtifact>>

export type { Agent, AgentOutput, Agents }
