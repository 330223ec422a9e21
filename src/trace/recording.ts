import type { JsonObject, JsonValue } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import type { WorkflowEvent } from './events.ts'
import type { ObservedStatus, ProducedArtifact, StateDocument } from './state-document.ts'

/** What is on disk at one moment; frozen, independent of the session, comparable with `diffSnapshots`. */
export interface WorkflowSnapshot {
  readonly label: string
  readonly runId: string
  readonly correlationId: string
  readonly status: ObservedStatus
  /** `seq` of the last event it holds. */
  readonly seq: number
  readonly state: StateDocument
  readonly artifacts: readonly ProducedArtifact[]
}

export interface RecordedSnapshots {
  /** The durable state just before the first failure, or null. */
  readonly beforeFailure: WorkflowSnapshot | null
  readonly atFailure: WorkflowSnapshot | null
  readonly beforeResume: readonly WorkflowSnapshot[]
  readonly afterResume: readonly WorkflowSnapshot[]
}

export interface LogEntry {
  readonly at: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
  readonly step?: string
  readonly visit?: number
  readonly attempt?: number
}

/** Everything one session (or one command-line run) leaves for a bundle. */
export interface SessionRecording {
  readonly runId: string
  readonly correlationId: string
  readonly seed: number | string
  readonly clock: 'virtual' | 'real'
  readonly disk: 'folder' | 'simulated'
  readonly definition: WorkflowDefinition
  readonly input: JsonValue
  readonly launch: JsonObject
  readonly events: readonly WorkflowEvent[]
  readonly snapshots: RecordedSnapshots
  readonly logs: readonly LogEntry[]
  /** As the user gave it. */
  readonly plan: FaultPlan
  /** The same with exact keys of the points at which faults fired. */
  readonly resolvedPlan: FaultPlan
  /** Files that the run produced, with their bytes. */
  readonly artifacts: readonly RecordedFile[]
}

export interface RecordedFile {
  readonly path: string
  readonly bytes: Uint8Array
}
