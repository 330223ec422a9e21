/** Something that a check of a run has found. */
export interface Finding {
  /** A `note` is worth knowing and costs nothing; a `problem` stands between the run and a resume, or made it forget. */
  readonly severity: 'problem' | 'note'
  readonly file: string
  /** Counted from 1. */
  readonly line?: number
  readonly seq?: number
  readonly what: string
  /** What to do about it. */
  readonly advice: string
}

export interface ValidationReport {
  readonly runId: string
  /** What was checked and is not named by a finding. */
  readonly events: number
  readonly artifacts: number
  readonly findings: readonly Finding[]
}
