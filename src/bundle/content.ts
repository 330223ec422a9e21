import type { SessionRecording } from '../trace/index.ts'
import type {
  BundleError,
  BundleReason,
  BundleReplay,
  BundleRun,
  BundleTest,
  BundleVersions,
} from './manifest.ts'

/** What a bundle is made of: the failed test or run, and the recordings of its sessions (none if it got to none). */
export type BundleContent = BundleContentOfTest | BundleContentOfRun

export interface BundleContentOfTest extends CommonContent {
  readonly kind: 'test'
  readonly test: BundleTest
}

export interface BundleContentOfRun extends CommonContent {
  readonly kind: 'run'
  readonly run: Omit<BundleRun, 'sweep'> & Partial<Pick<BundleRun, 'sweep'>>
}

interface CommonContent {
  readonly reason: BundleReason
  readonly errors: readonly BundleError[]
  readonly sessions: readonly SessionRecording[]
  /** Commit and template may be left out where there are none. */
  readonly versions: Omit<BundleVersions, 'commit' | 'template'> &
    Partial<Pick<BundleVersions, 'commit' | 'template'>>
  /** Default: the bundle says that it cannot be replayed. */
  readonly replay?: BundleReplay
  /** Default: the first session's. */
  readonly seed?: number | string
  /** Default: the sessions'. */
  readonly correlationIds?: readonly string[]
  /** The process died before it could record everything. Default false. */
  readonly partial?: boolean
  /** Anything else a reader should know; shown in the summary. */
  readonly notes?: readonly string[]
}
