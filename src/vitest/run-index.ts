import type { BundleReason } from '../bundle/index.ts'

/** `run.json`: the bundles of a run. */
export interface RunIndex {
  readonly suiteRunId: string
  readonly bundles: readonly string[]
  /** By bundle; null where the bundle was not there. */
  readonly reasons: Readonly<Record<string, BundleReason | null>>
  readonly flaky: readonly string[]
  /** So many failures left none. */
  readonly leftOut: number
  readonly skipped: { readonly requires_llm: number | null }
}

export const runIndexFile = 'run.json'
