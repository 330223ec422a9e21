import type { JsonObject, JsonValue, MaybePromise } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type {
  EventOf,
  KnownFiles,
  ObservedStatus,
  RunStatus,
  StateDocument,
  WorkflowEvent,
} from '../trace/index.ts'
import type { AgentPort } from './agent.ts'
import type { ClockPort } from './clock.ts'
import type { CompressionPort } from './compression.ts'
import type { DigestPort } from './digest.ts'
import type { FilesPort } from './files.ts'
import type { GateDecision, GatePort } from './gate.ts'
import type { HttpPort } from './http.ts'
import type { IdsPort, OwnerPort } from './identity.ts'
import type { ObserverPort } from './observer.ts'
import type { ProcessPort } from './process.ts'
import type { StorageOptions } from './storage.ts'

/**
 * What the harness needs of a workflow engine. The reference engine is one driver; everything the harness does (stepping,
 * faults, crashes, the ledger of effects) works through this port alone.
 */
export interface WorkflowDriver {
  readonly name: string
  readonly capabilities: DriverCapabilities
  /** A new engine life. It knows only what the files hold: nothing is shared with earlier lives. */
  incarnate(ports: DriverPorts): Incarnation
  /** Reads runs that are on disk, without taking part in them. */
  reader(ports: ReaderPorts): RunReader
}

/** What a driver can do. Tests that need more are refused with the reason, never run as if. */
export interface DriverCapabilities {
  /** How a run can be held between two steps. */
  readonly pause: 'engine' | 'cancel+resume' | 'hold-in-worker'
  /** How far time can be moved. */
  readonly timeSkip: 'virtual' | 'wake-one' | 'scale-in-worker' | 'none'
  /** What the engine keeps: ordered events, one row per step, or only the current state. */
  readonly journal: 'events' | 'steps' | 'state'
  /** Whether artifacts are staged and committed by the engine. */
  readonly artifacts: boolean
  /** Whether steps can have gates. */
  readonly gates: boolean
}

/** Everything outside the engine, as values. */
export interface DriverPorts extends StorageOptions {
  readonly files: FilesPort
  readonly clock: ClockPort
  readonly agents: AgentPort
  readonly gates: GatePort
  readonly ids: IdsPort
  readonly digest: DigestPort
  readonly owner: OwnerPort
  readonly observer: ObserverPort
  /** Needed for a history that is compressed. */
  readonly compression?: CompressionPort
  /** Needed for steps that ask other services. */
  readonly http?: HttpPort
  /** Needed for steps that start processes. */
  readonly processes?: ProcessPort
  /** Called whenever something arrived that a further `tick` would act on. */
  readonly wake: () => void
  /** What need not be read again, for who takes the same run up thousands of times. */
  readonly knownFiles?: KnownFiles | undefined
  /** The project on the real disk, for agents; undefined when the disk is simulated. */
  readonly projectFolder: string | undefined
}

export type ReaderPorts = Pick<DriverPorts, 'files' | 'digest' | 'owner' | 'directories' | 'compression'>

export interface StartRequest {
  readonly definition: WorkflowDefinition
  readonly input: JsonValue
  readonly seed: number | string
  readonly correlationId: string
  /** Kept in event 0 for the process that resumes the run. */
  readonly launch: JsonObject
}

export interface RecoverRequest {
  /** Absent: the run that `last.json` names. */
  readonly runId?: string
  /** `safe-point` (default) or, after a failed gate, the step its `onFail` names, with a fresh loop budget. */
  readonly from?: 'safe-point' | 'loop-target'
  /** What to do about artifacts that no longer verify. Default `refuse`. */
  readonly artifacts?: 'refuse' | 'rebuild' | 'accept'
  /** The definition as it stands today. */
  readonly expects?: WorkflowDefinition
  /**
   * What to do when the run goes by another definition than `expects`: refuse with a diff (default), or go on under the
   * current one. Steps keep what they have done under their id, new ones run, and those that are gone leave the run.
   */
  readonly definition?: 'refuse' | 'current'
  /** Put over the run's input, member by member: what a run is paused for. */
  readonly input?: JsonObject
  /** Answers to gates that wait for them, by step id. */
  readonly answers?: Readonly<Record<string, GateDecision>>
  /** End the run for good, for this reason: `recover` then throws `RUN_NOT_RESUMABLE`, as for any run that has been cancelled. */
  readonly cancel?: string
  /** Take the lock of an owner on another host, which cannot be asked whether it lives. */
  readonly takeOver?: boolean
}

export interface RecoveryReport {
  readonly runId: string
  /** The resume point: steps that start first, in definition order. */
  readonly restarts: readonly string[]
}

/** One life of the engine with one run in its hands. Its methods must not be called while an earlier call is pending. */
export interface Incarnation {
  /** Persists the beginning of a run and resolves with its id; runs nothing. */
  start(request: StartRequest): MaybePromise<string>
  /** Takes over a run from what is on disk; runs nothing. */
  recover(request: RecoverRequest): MaybePromise<RecoveryReport>
  /** Moves the run as far as it can go at this instant, then reports. Resolves only after everything reported is durable. */
  tick(policy: TickPolicy): MaybePromise<TickReport>
  /** The acknowledged state. */
  state(): StateDocument
  /** Writes a project file from outside the steps and records that, so that a later resume trusts it. */
  edit(path: string, data: Uint8Array): MaybePromise<void>
  /** Answers the gate of a step that waits for a person. */
  answerGate(step: string, decision: GateDecision): MaybePromise<void>
  /**
   * Ends the run for good: nothing more starts, and agents in flight are aborted, after the workflow's time of grace if it has
   * one. The run goes on ticking until they are over; a second call does not wait for them.
   */
  cancel(reason: string): MaybePromise<void>
  /** Lets go of files and lock. The run stays as it is on disk. */
  close(): MaybePromise<void>
  /**
   * This life as it stands, to go on from over other ports, any number of times: the first tick of each makes the calls that are
   * still to be made. Undefined while somebody is being waited for who has not answered. A driver need not be able to do it.
   */
  fork?(): ForkedLife | undefined
}

/** Makes one more life that goes on from the instant of the fork, on files as they were then. */
export type ForkedLife = (ports: DriverPorts) => Incarnation

/** What a tick may do. */
export interface TickPolicy {
  /** Steps that must not start now, by id. */
  readonly holds: ReadonlySet<string>
  /** Asked after every event: true ends the tick's work; no further result is taken in and no step is started. */
  stopsAfter(event: WorkflowEvent): boolean
  /** How many arrived results to take in; the rest stays for the next tick. Infinity in production. */
  readonly maxResults: number
  /**
   * Asked when all of a tick is durable and its calls are still to be made: the instant at which `fork` is possible. After
   * false they are never made: the life is about to be closed.
   */
  readonly beforeCalls?: () => boolean
}

export interface TickReport {
  readonly status: RunStatus
  /** Events made durable by this tick, in order. */
  readonly events: readonly WorkflowEvent[]
  /** Steps that could start but for the policy that holds them. */
  readonly held: readonly string[]
  /** Steps whose agent or gate is being waited for. */
  readonly inFlight: readonly string[]
  /** Results that have arrived and were left for the next tick. */
  readonly backlog: number
  /** When time alone would make a further tick worthwhile (a limit, a retry). */
  readonly nextAt: number | undefined
}

export interface RunReader {
  /** Run ids, sorted by name. */
  list(): MaybePromise<readonly string[]>
  /** The newest run, if one was ever started. */
  last(): MaybePromise<string | undefined>
  /** What is on disk now, or as it stood after event `throughSeq`. */
  read(runId: string, throughSeq?: number): MaybePromise<RunView>
  /**
   * The checkpoints of a run, oldest first; `read(runId, throughSeq)` makes the state at one of them from the log.
   *
   * @throws FaultlineError `STATE_CORRUPT` when the line that a checkpoint names is no longer what it was.
   */
  checkpoints(runId: string): MaybePromise<readonly EventOf<'checkpoint'>[]>
  /** Former versions of the run's `state.json`, oldest first. */
  history(runId: string): MaybePromise<readonly SavedState[]>
  /**
   * One of them.
   *
   * @throws FaultlineError `STATE_CORRUPT` when it does not verify.
   */
  savedState(runId: string, saveSeq: number): MaybePromise<StateDocument>
}

export interface SavedState {
  readonly saveSeq: number
  /** It is the fold of events 0 to `seq`. */
  readonly seq: number
  /** Relative to the project. */
  readonly path: string
}

export interface RunView {
  readonly state: StateDocument
  readonly events: readonly WorkflowEvent[]
  /** Like the state's status, but a running state without a live owner reads `interrupted`. */
  readonly status: ObservedStatus
  /** Why `state.json` cannot be used, if so; the log has stood in for it. */
  readonly stateProblem?: string
}
