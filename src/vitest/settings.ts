import type { BundleSlots } from './bundle-slots.ts'

/** What the plugin tells the workers; plain data, since it crosses a process border. */
export interface FaultlineSettings {
  /** The folder that bundle paths are relative to. */
  readonly root: string
  /** The folder of the tests: `<root>` in bundles. Another one than `root` in a replay. */
  readonly testRoot: string
  /** Where the projects of this run are made. */
  readonly projectsRoot: string | null
  /** Folder of this run's bundles, relative to `root`. */
  readonly bundles: string
  /** Null: there is no limit. */
  readonly bundleSlots: BundleSlots | null
  /** Where workers note what is going on; null: nowhere. */
  readonly journals: string | null
  /** When a silent worker is given up; null: never. */
  readonly silence: SilenceLimits | null
  /** Absolute folder of the user's own templates. */
  readonly templates: string | null
  readonly keep: 'never' | 'on-failure' | 'always'
  readonly seed: number | string
  readonly limits: FaultlineLimits
  readonly redact: readonly RegularExpressionText[]
  readonly replay: ReplaySettings | null
  readonly vitest: string
  readonly faultline: string
}

export interface RegularExpressionText {
  readonly source: string
  readonly flags: string
}

export interface FaultlineLimits {
  /** One attempt of a step, on the real clock. */
  readonly stepMs: number
  /** A whole run, on the real clock. */
  readonly workflowMs: number
  /** A test with the tag `e2e_workflow`. */
  readonly testMs: number
}

/** A worker is given up when it has been silent for the limit of the test, or of a hook if that is longer, and the grace. */
export interface SilenceLimits {
  readonly hookMs: number
  readonly graceMs: number
}

export interface ReplaySettings {
  readonly fullName: string
  readonly file: string
  readonly seed: number | string | null
}

declare module 'vitest' {
  interface ProvidedContext {
    faultline: FaultlineSettings
    /** Apart from the settings, which journals hold. */
    faultlineKey: string
  }
}

export const defaultLimits: FaultlineLimits = { stepMs: 10_000, workflowMs: 20_000, testMs: 30_000 }
export const defaultBundles = 'faultline-bundles'
