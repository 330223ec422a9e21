import type { JsonValue } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import type { LogEntry, TimelineRow, WorkflowEvent, WorkflowSnapshot } from '../trace/index.ts'

/** What a page shows, redacted by whoever hands it in. */
export interface PageContent {
  /** The failed test's full name, or what was run. */
  readonly title: string
  readonly verdict: PageVerdict
  readonly facts: readonly PageFact[]
  readonly errors: readonly PageError[]
  /** Ready to be copied into a shell, or null when there is nothing to replay. */
  readonly replay: string | null
  readonly notes: readonly string[]
  readonly sessions: readonly PageSession[]
  /** What lies beside the page. */
  readonly files: readonly PageFile[]
}

export interface PageVerdict {
  readonly word: string
  readonly good: boolean
}

export interface PageFact {
  readonly label: string
  readonly text: string
}

export interface PageError {
  readonly name: string
  readonly message: string
  readonly stack: string | null
}

export interface PageSession {
  readonly facts: readonly PageFact[]
  /** `seq` of the event to begin with; null for the last one. */
  readonly focus: number | null
  readonly events: readonly WorkflowEvent[]
  /** One row per event. */
  readonly timeline: readonly TimelineRow[]
  /** In the order in which they were taken. */
  readonly snapshots: readonly WorkflowSnapshot[]
  readonly logs: readonly LogEntry[]
  readonly artifacts: readonly PageArtifact[]
  readonly plan: FaultPlan | null
  readonly resolvedPlan: FaultPlan | null
  readonly definition: WorkflowDefinition | null
  readonly input: JsonValue
}

export interface PageArtifact {
  readonly path: string
  readonly sizeBytes: number
  /** Null where it is no text, or is not in the page for its size. */
  readonly text: string | null
  /** Why the text is missing or not whole. */
  readonly note: string | null
}

export interface PageFile {
  readonly path: string
  readonly sizeBytes: number
  readonly note: string | null
}
