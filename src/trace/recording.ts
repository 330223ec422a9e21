import type { JsonObject, JsonValue } from '../core/index.ts'
import type { CrashOutcome, FaultPlan, WorkflowDefinition } from '../definition/index.ts'
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
  /** Where in the project's own code the error was thrown. */
  readonly stack?: readonly string[]
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
  /** Contents that artifacts had before their newest one, as far as they are known, in the order of their events. */
  readonly earlierArtifacts: readonly EarlierArtifact[]
  /** What lay where the run has put artifacts; null where nobody knows it any more. */
  readonly originals: OriginalFiles | null
  /** What each crash of the session met, oldest first. */
  readonly crashes: readonly DiskAtCrash[]
  /** What died with its process, and why. Default: nothing. */
  readonly unknown?: readonly UnknownPart[]
}

export const unknownParts = ['snapshots', 'artifacts', 'earlierArtifacts', 'crashes'] as const

/** A part of a recording that is empty, or not whole, since nobody knows it any more. */
export interface UnknownPart {
  readonly part: (typeof unknownParts)[number]
  /** A sentence. */
  readonly why: string
}

export interface RecordedFile {
  readonly path: string
  readonly bytes: Uint8Array
}

export interface EarlierArtifact extends RecordedFile {
  /** `seq` of the event that committed it. */
  readonly seq: number
}

export interface OriginalFiles {
  /** The template as it is, or else the project as the session found it. */
  readonly from: 'template' | 'project'
  /** An artifact that is not among them is new. */
  readonly files: readonly RecordedFile[]
}

/** The disk at the end of a life that crashed: what would survive a power loss, and what would not. */
export interface DiskAtCrash {
  /** Which life of the engine ended, from 1. */
  readonly incarnation: number
  /** `seq` of the last event that the next life finds. */
  readonly seq: number
  /** What the crash has left of all that was not durable. */
  readonly outcome: CrashOutcome
  /** Files that the session has changed, durable with their names. */
  readonly durable: readonly { readonly path: string; readonly sizeBytes: number }[]
  readonly unsynced: readonly UnsyncedFile[]
}

/** A file whose bytes or name were not durable; null where there was no such file. */
export interface UnsyncedFile {
  readonly path: string
  /** As the process that died had written it. */
  readonly written: Uint8Array | null
  /** As it would be after a power loss. */
  readonly durable: Uint8Array | null
  /** As the next life finds it. */
  readonly left: Uint8Array | null
}
