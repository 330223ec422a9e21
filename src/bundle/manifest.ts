import type { JsonObject } from '../core/index.ts'
import type { RunStatus, UnknownPart } from '../trace/index.ts'

/** Major version of the bundle format, as it stands in `schema`. Fields may be added without raising it. */
export const bundleMajor = 1
export const bundleSchemaName = 'faultline-bundle'

/** Why a bundle was written. A reader takes a reason that it does not know for `other`. */
export const bundleReasons = [
  'assertion',
  'step-error',
  'error',
  'timeout',
  'workflow-timeout',
  'set-up',
  'clean-up',
  'worker-died',
  'hang',
  'interrupted',
  'unfired-fault',
  'invariant',
  'run-failed',
  'replay',
  'other',
] as const
export type BundleReason = (typeof bundleReasons)[number]

/** `manifest.json`: what the bundle is about, and every part of it. A part that does not exist is null, never missing. */
export interface BundleManifest {
  readonly schema: string
  readonly kind: 'test' | 'run'
  readonly reason: BundleReason
  /** The process died before it could finish the bundle: later parts may not be there. */
  readonly partial: boolean
  /** Set for kind `test`. */
  readonly test: BundleTest | null
  /** Set for kind `run`. */
  readonly run: BundleRun | null
  readonly correlationIds: readonly string[]
  readonly seed: number | string | null
  readonly errors: readonly BundleError[]
  readonly versions: BundleVersions
  readonly replay: BundleReplay | null
  readonly sessions: readonly BundleSessionEntry[]
  readonly files: readonly BundleFile[]
  /** Files that stayed out of the bundle, and why. */
  readonly omitted: readonly OmittedFile[]
  readonly limits: BundleLimits
  readonly redaction: RedactionReport
  readonly notes: readonly string[]
}

/** Which test failed; enough to find it again in both Vitest majors, whose own test ids differ. */
export interface BundleTest {
  /** Name of the Vitest project, or null for the only one. */
  readonly project: string | null
  /** Relative to the root, forward slashes. */
  readonly file: string
  /** Names of suites and test, joined with ` > `. */
  readonly fullName: string
  readonly line: number | null
  readonly tags: readonly string[]
  readonly timeoutMs: number | null
  /** From 1. */
  readonly attempt: number
  /** From 1, or null when the test does not repeat. */
  readonly repeat: number | null
}

/** Which run of the command line failed. */
export interface BundleRun {
  /** Relative to the project, forward slashes. */
  readonly workflowFile: string | null
  /** As on the command line, without the command itself. */
  readonly arguments: readonly string[]
  /** Set where a sweep has found it: what struck the run, and what it broke. */
  readonly sweep: BundleSweep | null
}

export interface BundleSweep {
  /** One after the other, by the keys of their points. */
  readonly faults: readonly JsonObject[]
  readonly invariants: readonly string[]
  /** The module of its agents; null: the project's own, or stand-ins. */
  readonly agents: string | null
  readonly mock: boolean
  /** What people do for a run that waits: `answers` to gates, `input`. */
  readonly operator: JsonObject | null
}

export interface BundleError {
  readonly name: string
  readonly message: string
  readonly stack: string | null
}

export interface BundleVersions {
  readonly faultline: string
  readonly node: string
  /** Null for a run of the command line. */
  readonly vitest: string | null
  /** `linux-x64`. */
  readonly platform: string
  /** What was checked out; null outside a repository. */
  readonly commit: string | null
  /** What the project was made from; null for one that was there. */
  readonly template: BundleTemplate | null
}

export interface BundleTemplate {
  readonly name: string
  /** Digest of its files, agents included. */
  readonly sha256: string
}

/** How to make it happen again, ready to be copied into a shell at the root. */
export interface BundleReplay {
  readonly command: string
  readonly env: Readonly<Record<string, string>> | null
}

/** One session (or run) of the bundle; the first one's files lie at the top, the others' below `sessions/<n>/`. */
export interface BundleSessionEntry {
  readonly runId: string
  readonly correlationId: string
  readonly workflowId: string
  readonly seed: number | string
  readonly clock: 'virtual' | 'real'
  readonly disk: 'folder' | 'simulated'
  /** Where the run stood when the bundle was written. */
  readonly status: RunStatus
  /** Folder of its files, or an empty text for the top. */
  readonly folder: string
  /** Paths in the bundle; null for a snapshot that was not taken or left out. */
  readonly snapshots: SnapshotPaths
  /** What each crash met on the disk, as paths in the bundle; null where the session did not crash. */
  readonly crashes: readonly (string | null)[] | null
  /** Where the files below `originals` come from; null where nobody knew what was there before the run. */
  readonly originals: 'template' | 'project' | null
  /** Parts that nobody knows any more, or not all of: they are null or empty, and this is why. */
  readonly unknown: readonly UnknownPart[]
}

export interface SnapshotPaths {
  readonly beforeFailure: string | null
  readonly atFailure: string | null
  readonly beforeResume: readonly (string | null)[]
  readonly afterResume: readonly (string | null)[]
}

export interface BundleFile {
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
  /** Set when only the beginning is in the bundle. */
  readonly truncated: { readonly originalBytes: number } | null
}

export interface OmittedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly why: 'file-limit' | 'bundle-limit'
}

export interface BundleLimits {
  /** Outputs, inputs and messages above it are replaced by their size and digest. Default 64 KiB. */
  readonly payloadBytes: number
  /** Text files above it are cut, others are left out. Default 5 MiB. */
  readonly fileBytes: number
  /** Files that would go over it are left out, artifacts first. Default 25 MiB. */
  readonly bundleBytes: number
}

/** How often each rule replaced something in this bundle. */
export interface RedactionReport {
  readonly total: number
  readonly rules: Readonly<Record<string, number>>
}

export const defaultBundleLimits: BundleLimits = {
  payloadBytes: 64 * 1024,
  fileBytes: 5 * 1024 * 1024,
  bundleBytes: 25 * 1024 * 1024,
}
