import type { JsonObject, JsonValue } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'

/** Version of the event line format. */
export const eventFormatVersion = 1

/** What every event carries. `seq` counts from 0 without gaps; `at` is milliseconds since 1970-01-01 UTC. */
export interface EventEnvelope {
  readonly v: typeof eventFormatVersion
  readonly seq: number
  /** Raised by every recovery; events of an older epoch than the log's last one are rejected. */
  readonly epoch: number
  /** Highest `seq` known to be on disk for good when this line was written; -1 before the first. */
  readonly durableSeq: number
  readonly at: number
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
}

/** What every event about a step carries besides. */
export interface StepEventContext {
  readonly step: string
  readonly visit: number
  readonly attempt: number
  readonly agent: string
  readonly action?: string
}

/** What an agent has returned. */
export interface StepOutput {
  /** Not in the line of the log when that names a blob: whoever reads the log through the engine finds it here all the same. */
  readonly output: JsonValue
  /** Set for an output that is too large for the log. */
  readonly outputBlob?: BlobReference
}

/** A file `blobs/<sha256>` in the folder of the run: the JSON of an output. */
export interface BlobReference {
  readonly sha256: string
  readonly sizeBytes: number
}

export interface WorkflowStartEvent {
  readonly kind: 'workflow_start'
  readonly status: 'running'
  readonly definition: WorkflowDefinition
  /** SHA-256 of the canonical JSON of `definition`. */
  readonly definitionSha256: string
  readonly input: JsonValue
  readonly seed: number | string
  /** How the run was launched (agents module, mock mode, source file): for the process that resumes it. */
  readonly launch: JsonObject
  readonly owner: string
}

export interface WorkflowResumeEvent {
  readonly kind: 'workflow_resume'
  readonly status: 'running'
  readonly owner: string
  /** Steps that were unfinished at the safe point and start again, in definition order. */
  readonly restarts: readonly string[]
  /** Set when recovery dropped a line that was cut short: the `seq` that line would have had. */
  readonly tailCutAtSeq?: number
  /** Set when `state.json` could not be used: why. The log stood in for it. */
  readonly stateIgnored?: string
  /** Set for `resume({ from: 'loop-target' })`: the gated step whose loop is opened again. */
  readonly reopensLoopOf?: string
  /** Set for `resume({ definition: 'current' })` after a change: what the run goes by from here on. */
  readonly adopts?: { readonly definition: WorkflowDefinition; readonly definitionSha256: string }
  /** Set for `resume({ input })`: an object, put over the run's input member by member. */
  readonly input?: JsonValue
}

/** Nothing can move without somebody from outside: the run is let go of, to be resumed with what it waits for. */
export interface WorkflowPauseEvent {
  readonly kind: 'workflow_pause'
  /** `paused`: input is missing; `waiting`: the gate of a step is to be answered. */
  readonly status: 'paused' | 'waiting'
  readonly step: string
  /** The reference that has no value, when input is missing. */
  readonly missingVar?: string
}

export interface WorkflowCancelEvent {
  readonly kind: 'workflow_cancel'
  readonly status: 'cancelled'
  readonly reason: string
  /** Set when steps in flight may go on: until when. What is not over by then is aborted. */
  readonly graceUntil?: number
}

export interface WorkflowEndEvent {
  readonly kind: 'workflow_end'
  readonly status: 'completed' | 'failed' | 'cancelled'
  /** Set when a failure was tolerated (`continueOnError`). */
  readonly degraded?: true
  /** Set when a step that completed has reported `failures`. */
  readonly hasFailures?: true
  /** The step that failed the run. */
  readonly step?: string
  readonly error?: StepError
}

export interface StepStartEvent extends StepEventContext, Routing {
  readonly kind: 'step_start'
  readonly status: 'running'
}

/** A program of the step exists and may begin. Recovery ends what of it a crash has left running. */
export interface ProcessStartEvent extends StepEventContext {
  readonly kind: 'process_start'
  readonly status: 'running'
  readonly group: ProcessGroup
}

/** A child process with all that it starts: enough to tell it from another that has got the same number since. */
export interface ProcessGroup {
  /** Of its leader, and so of the group. */
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
  readonly host: string
  /** In the environment of every member. */
  readonly mark: string
}

/** A step that could start but for a value that its parameters ask for. It is not called. */
export interface StepPauseEvent extends StepEventContext {
  readonly kind: 'step_pause'
  readonly status: 'paused'
  /** The reference as it is written between the braces. */
  readonly missingVar: string
}

/** An attempt has taken as long as its step's `warnAfter`; said once. Explains; nothing is resumed from it. */
export interface TimeoutWarningEvent extends StepEventContext {
  readonly kind: 'timeout_warning'
  readonly status: 'warned'
  readonly warnAfterMs: number
  /** What the attempt may take. */
  readonly timeoutMs: number
}

/** The run has taken as long as its workflow's `warnAfter`, counted like its limit; said once. Explains. */
export interface WorkflowWarningEvent {
  readonly kind: 'workflow_warning'
  readonly status: 'warned'
  readonly warnAfterMs: number
  /** What the run may take. */
  readonly timeoutMs: number
}

/** How a step was reached. Only where connections have conditions, or one of several is enough. */
export interface Routing {
  /** The steps whose connection to this one is taken. */
  readonly takes?: readonly string[]
}

/** Why a step does not run. */
export type SkipReason =
  /** Its own condition is false. */
  | 'condition_false'
  /** A step that it depends on has failed. */
  | 'dependency_failed'
  /** All that lead to it were skipped. */
  | 'dependency_skipped'
  /** No connection that leads to it is taken. */
  | 'no_active_connection'
  /** The run is stopping because another step has failed. */
  | 'run_failed'

/** A step will not run in this visit. */
export interface StepSkipEvent extends Omit<StepEventContext, 'attempt'>, Routing {
  readonly kind: 'step_skip'
  readonly status: 'skipped'
  readonly reason: SkipReason
  /** The steps that it does not run because of. */
  readonly because: readonly string[]
}

export interface ArtifactsPreparedEvent extends StepEventContext, StepOutput {
  readonly kind: 'artifacts_prepared'
  readonly status: 'running'
  /**
   * Staged, digested and on disk; the renames to their final places follow and are rolled forward after a crash. With the
   * output, recovery can finish the step without calling its agent again.
   */
  readonly artifacts: readonly ArtifactRecord[]
  readonly scoring?: ScoringResult
}

/** A file of an attempt that stands under its final name. Explains; nothing is resumed from it. */
export interface ArtifactCreatedEvent extends StepEventContext {
  readonly kind: 'artifact_created'
  readonly status: 'created'
  readonly artifact: ArtifactRecord
}

/** A step has returned and its gate is to be answered by a person: the step is in place, and not complete. */
export interface GateWaitEvent extends StepEventContext, StepOutput {
  readonly kind: 'gate_wait'
  readonly status: 'waiting'
  readonly scoring?: ScoringResult
  /** After that the gate has failed; absent: never. */
  readonly expiresAt?: number
}

export interface GateResultEvent extends StepEventContext, StepOutput {
  readonly kind: 'gate_result'
  readonly status: 'passed' | 'failed'
  readonly reason?: string
  /** Who decided a gate without a condition: somebody, or the lapse of time. */
  readonly by?: 'person' | 'expiry'
  readonly scoring?: ScoringResult
  readonly route:
    | { readonly to: 'pass' }
    | { readonly to: 'loop'; readonly target: string; readonly loop: number }
    | { readonly to: 'fail' }
}

export interface StepFinishEvent extends StepEventContext, StepOutput {
  readonly kind: 'step_finish'
  readonly status: 'completed'
  readonly scoring?: ScoringResult
  readonly artifacts: readonly ArtifactRecord[]
  readonly durationMs: number
}

export interface StepRetryEvent extends StepEventContext {
  readonly kind: 'step_retry'
  readonly status: 'retrying'
  readonly error: StepError
  readonly durationMs: number
  readonly delayMs: number
  /** The next attempt starts no earlier. */
  readonly notBefore: number
}

export interface StepFailEvent extends StepEventContext {
  readonly kind: 'step_fail'
  readonly status: 'failed'
  /** Set when the run goes on as if nothing depended on it (`continueOnError`). */
  readonly tolerated?: true
  readonly error: StepError
  readonly durationMs: number
}

/** What a completed step has done is about to be taken back. `agent` and `action` are those of its `undo`; attempts count from 1. */
export interface UndoStartEvent extends StepEventContext {
  readonly kind: 'undo_start'
  readonly status: 'running'
}

export interface UndoFinishEvent extends StepEventContext, StepOutput {
  readonly kind: 'undo_finish'
  readonly status: 'completed'
  readonly durationMs: number
}

/** The rollback goes on with the step before: nothing is tried twice. */
export interface UndoFailEvent extends StepEventContext {
  readonly kind: 'undo_fail'
  readonly status: 'failed'
  readonly error: StepError
  readonly durationMs: number
}

/** A recorded change of a project file from outside the steps (`session.edit`). */
export interface ArtifactEditEvent {
  readonly kind: 'artifact_edit'
  readonly status: 'edited'
  readonly artifact: ArtifactRecord
}

/** A result that came after its attempt had ended: thrown away, but not in silence. Explains; nothing is resumed from it. */
export interface LateResultEvent extends StepEventContext {
  readonly kind: 'late_result'
  readonly status: 'discarded'
  readonly outcome: 'returned' | 'threw'
}

/** A place in the log that is worth looking back at: the state is the fold of events 0 to `throughSeq`. */
export interface CheckpointEvent extends StepEventContext {
  readonly kind: 'checkpoint'
  readonly status: 'saved'
  /** `000011-build`: unique within the run. */
  readonly name: string
  /** The `step_finish` that completed the step, or what the run is paused for. */
  readonly throughSeq: number
  /** SHA-256 of the JSON text of that event's line. */
  readonly lineSha256: string
  readonly because: 'interval' | 'milestone' | 'pause'
}

export type EventBody =
  | WorkflowStartEvent
  | WorkflowResumeEvent
  | WorkflowPauseEvent
  | WorkflowCancelEvent
  | WorkflowEndEvent
  | StepStartEvent
  | ProcessStartEvent
  | StepPauseEvent
  | TimeoutWarningEvent
  | WorkflowWarningEvent
  | StepSkipEvent
  | ArtifactsPreparedEvent
  | ArtifactCreatedEvent
  | GateWaitEvent
  | GateResultEvent
  | StepFinishEvent
  | StepRetryEvent
  | StepFailEvent
  | UndoStartEvent
  | UndoFinishEvent
  | UndoFailEvent
  | ArtifactEditEvent
  | LateResultEvent
  | CheckpointEvent

export type EventKind = EventBody['kind']
export type WorkflowEvent = EventEnvelope & EventBody
export type EventOf<K extends EventKind> = Extract<WorkflowEvent, { kind: K }>

export interface ArtifactRecord {
  /** Relative to the project, forward slashes. */
  readonly path: string
  readonly sha256: string
  readonly sizeBytes: number
}

export interface ScoringResult {
  readonly passed: boolean
  readonly scores: Readonly<Record<string, number>>
}

export type StepErrorKind =
  | 'exception'
  | 'external'
  | 'timeout'
  | 'step-timeout'
  | 'workflow-timeout'
  | 'gate'
  | 'condition'
  | 'missing-input'
  | 'validation'
  | 'configuration'
  | 'critical'
  | 'missing-artifact'
  | 'cancelled'
  /** A service was not reached, or went away in the middle. */
  | 'connection'
  /** A service answered something else than it should. */
  | 'response'
  /** A program did not start, or ended badly. */
  | 'process'

/** Whether another attempt may succeed. */
export type StepErrorCategory = 'transient' | 'permanent'

export interface StepError {
  readonly kind: StepErrorKind
  readonly message: string
  /** Constructor name of what was thrown, for kind `exception`. */
  readonly name?: string
  /** Said by whoever failed; absent: the kind decides. */
  readonly category?: StepErrorCategory
  /** `ECONNREFUSED`, `HTTP_503`, `EXIT_2`. */
  readonly code?: string
  /** The reference without a value, for kind `missing-input`. */
  readonly missingVar?: string
}
