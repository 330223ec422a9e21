import type { JsonObject, JsonValue } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type { ArtifactRecord, BlobReference, ScoringResult, SkipReason, StepError } from './events.ts'

/** Version of the persisted state body. A new one needs a step in `state-migrations.ts` and golden files of the old. */
export const stateSchemaVersion = 2

/** `paused`: input is missing; `waiting`: a person has to answer a gate. Nobody holds such a run. */
export type RunStatus = 'running' | 'paused' | 'waiting' | 'completed' | 'failed' | 'cancelled'
/** What a reader sees: `interrupted` is a running state without a live owner. */
export type ObservedStatus = RunStatus | 'interrupted'
/** `paused`: a parameter has no value; `waiting`: done, and to be answered for by a person. */
export type StepStatus =
  'pending' | 'running' | 'retrying' | 'paused' | 'waiting' | 'completed' | 'failed' | 'skipped'

/** The whole run as one JSON value: the body of `state.json`, what snapshots hold, what every view is made of. */
export interface StateDocument {
  readonly schemaVersion: typeof stateSchemaVersion
  /** Counts the saves of this run from 1. */
  readonly saveSeq: number
  /** The state is the fold of events 0 to `seq`. */
  readonly seq: number
  readonly epoch: number
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
  readonly status: RunStatus
  /** What the run was cancelled for or how it failed; null while nothing is wrong. */
  readonly reason: string | null
  readonly progress: {
    readonly completed: number
    /** Absent while none is. */
    readonly skipped?: number
    readonly total: number
  }
  /** Present once a failure was tolerated. */
  readonly degraded?: true
  /** Present while a completed step has reported `failures`. */
  readonly hasFailures?: true
  /** The connections taken so far, by the order of the steps they enter; present where connections have conditions. */
  readonly activeConnections?: readonly { readonly from: string; readonly to: string }[]
  /** The last step that has completed and still counts: a resume goes on behind it. */
  readonly safePoint: SafePointRecord
  readonly monitoring: {
    /** Attempts that ended in an error. */
    readonly errorCount: number
    /** How often a new engine has taken the run over. */
    readonly recoveryAttempts: number
  }
  /** Steps in flight, waiting for a retry, or failed; in definition order. */
  readonly currentSteps: readonly string[]
  /** In the order in which they completed. */
  readonly completedSteps: readonly string[]
  readonly steps: Readonly<Record<string, StepDocument>>
  readonly gateDecisions: readonly GateDecisionRecord[]
  /** The newest record of every committed path, sorted by path. */
  readonly artifacts: readonly ProducedArtifact[]
  readonly input: JsonValue
  readonly seed: number | string
  readonly launch: JsonObject
  /** What ended the run; `step` is null when no single step did. */
  readonly error: (StepError & { readonly step: string | null }) | null
  readonly startedAt: number
  readonly updatedAt: number
  readonly definitionSha256: string
  readonly definition: WorkflowDefinition
}

export interface SafePointRecord {
  /** Null before the first step has completed. */
  readonly step: string | null
  /** Its `step_finish`, or 0; null in a state that was written before this was recorded. */
  readonly seq: number | null
}

export interface StepDocument {
  readonly status: StepStatus
  readonly agent: string
  readonly visit: number
  readonly attempt: number
  /** Not in `state.json` when `outputBlob` is. */
  readonly output: JsonValue
  readonly outputBlob?: BlobReference
  readonly scoring: ScoringResult | null
  readonly error: StepError | null
  readonly attempts: readonly AttemptRecord[]
  readonly artifacts: readonly ArtifactRecord[]
  /** Returns taken from this step's gate so far. */
  readonly loops: number
  /** Why it was skipped, and because of which steps. */
  readonly skipped?: { readonly reason: SkipReason; readonly because: readonly string[] }
  /** Set for a failure that the run goes on after. */
  readonly tolerated?: true
  /** The reference that has no value, of a step that is paused. */
  readonly missingVar?: string
  /** Since when its gate is to be answered, and until when, of a step that waits. */
  readonly waiting?: GateWaitRecord
  /** What became of taking back what it had done; not there before anybody tried. */
  readonly undo?: UndoRecord
}

export interface GateWaitRecord {
  readonly since: number
  readonly expiresAt: number | null
}

export interface UndoRecord {
  readonly attempt: number
  readonly status: 'running' | 'completed' | 'failed'
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly output: JsonValue
  readonly error: StepError | null
}

/** One try of a step, over all visits, in order. */
export interface AttemptRecord {
  readonly visit: number
  readonly attempt: number
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly durationMs: number | null
  readonly outcome: 'running' | 'completed' | 'failed' | 'gate-failed' | 'interrupted'
  readonly error: StepError | null
}

export interface ProducedArtifact extends ArtifactRecord {
  /** The step that produced it, or null for a recorded edit. */
  readonly producedBy: string | null
  readonly visit: number
  readonly attempt: number
}

export interface GateDecisionRecord {
  readonly step: string
  readonly visit: number
  readonly attempt: number
  readonly passed: boolean
  readonly reason: string | null
  readonly scoring: ScoringResult | null
  readonly route: 'pass' | 'loop' | 'fail'
  /** Who decided a gate without a condition. */
  readonly by?: 'person' | 'expiry'
}

/** A snapshot whose checksum is right. What recovery needs of it is at hand; the rest is read when somebody asks. */
export interface StoredState {
  readonly runId: string
  readonly seq: number
  readonly saveSeq: number
  document(): StateDocument
}

export type DecodedState =
  | { readonly state: StoredState; readonly problem?: never }
  | { readonly state?: never; readonly problem: string }

/** What `last.json` holds: the newest run, and how much of its log was durable when this was written. */
export interface LastPointer {
  readonly runId: string
  readonly seq: number
}
