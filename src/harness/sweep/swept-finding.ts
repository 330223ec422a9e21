import type { SessionRecording } from '../../trace/index.ts'
import type { Violation } from '../invariants/index.ts'
import type { Finding } from './report.ts'

/** What a run with the faults of a finding does: what it breaks, and all that a bundle tells of a run. */
export interface RecordedFinding {
  readonly violations: readonly Violation[]
  /** Undefined where no run can be read from what was left. */
  readonly recording: SessionRecording | undefined
}

/** A finding of a sweep in a project, and the way to see in full what it does. */
export interface SweptFinding {
  readonly finding: Finding
  record(): Promise<RecordedFinding | undefined>
}
