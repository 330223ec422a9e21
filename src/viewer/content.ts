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
  /** What artifacts held, by digest: equal contents stand in the page once. */
  readonly contents: Readonly<Record<string, PageText>>
  /** What lay where the run has put artifacts; null where nobody knows. */
  readonly originals: 'template' | 'project' | null
  readonly crashes: readonly PageCrash[]
  readonly plan: FaultPlan | null
  readonly resolvedPlan: FaultPlan | null
  readonly definition: WorkflowDefinition | null
  readonly input: JsonValue
}

/** One file that the run produced. Contents are named by their digests, and may not be in the page. */
export interface PageArtifact {
  readonly path: string
  /** Null where it was not there any more. */
  readonly newest: ContentName | null
  /** What lay in its place before the run; null where nothing did, or nobody knows. */
  readonly original: ContentName | null
  /** Oldest first. */
  readonly versions: readonly PageVersion[]
}

export interface ContentName {
  readonly sizeBytes: number
  readonly sha256: string
}

export interface PageVersion extends ContentName {
  /** `seq` of the event that tells of it. */
  readonly seq: number
  /** `step#visit@attempt` that made it; null for an edit from outside the steps. */
  readonly by: string | null
}

export interface PageText {
  /** Null where it is no text. */
  readonly text: string | null
  /** Why the text is missing or not whole. */
  readonly note: string | null
}

/** The disk when a life of the engine ended: what was durable, and what was not and became of it. */
export interface PageCrash {
  readonly incarnation: number
  /** `seq` of the last event that the next life found. */
  readonly seq: number
  readonly outcome: string
  readonly durable: readonly { readonly path: string; readonly sizeBytes: number }[]
  readonly unsynced: readonly PageUnsynced[]
}

export interface PageUnsynced {
  readonly path: string
  readonly written: ContentName | null
  readonly durable: ContentName | null
  readonly left: ContentName | null
  readonly fate: 'kept' | 'lost' | 'torn' | 'mixed'
  readonly atStake: { readonly text: string; readonly cutFrom: number | null } | null
}

export interface PageFile {
  readonly path: string
  readonly sizeBytes: number
  readonly note: string | null
}
