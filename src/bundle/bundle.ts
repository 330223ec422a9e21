import type { JsonValue } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import type { LogEntry, TimelineRow, WorkflowEvent, WorkflowSnapshot } from '../trace/index.ts'
import type { CrashReport } from './crash-report.ts'
import type { BundleManifest, BundleSessionEntry } from './manifest.ts'

/** What the summaries are made of, while a bundle is written and after it was read. */
export interface BundleView {
  readonly manifest: BundleManifest
  readonly sessions: readonly BundleSession[]
}

/** One session of a bundle, redacted. A part that was left out for its size is null. */
export interface BundleSession {
  readonly entry: BundleSessionEntry
  readonly events: readonly WorkflowEvent[]
  readonly timeline: readonly TimelineRow[]
  readonly snapshots: BundleSnapshots
  /** As the user gave it. */
  readonly plan: FaultPlan | null
  /** With the exact keys at which faults fired. */
  readonly resolvedPlan: FaultPlan | null
  readonly definition: WorkflowDefinition | null
  readonly input: JsonValue
  readonly logs: readonly LogEntry[]
  /** What each crash met on the disk; null for one that was left out for its size. */
  readonly crashes: readonly (CrashReport | null)[]
}

export interface BundleSnapshots {
  readonly beforeFailure: WorkflowSnapshot | null
  readonly atFailure: WorkflowSnapshot | null
  readonly beforeResume: readonly (WorkflowSnapshot | null)[]
  readonly afterResume: readonly (WorkflowSnapshot | null)[]
}

/** A bundle read from disk. The parts at its top are the first session's; empty or null when it got to no session. */
export interface Bundle extends BundleView, Omit<BundleSession, 'entry'> {
  /** Where it was read from. */
  readonly folder: string
  /**
   * The text of any of its files.
   *
   * @throws FaultlineError `FILE_NOT_FOUND` naming the files there are.
   */
  text(path: string): Promise<string>
}
