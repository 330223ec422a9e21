import { jsonDiff, type JsonChange } from '../core/index.ts'
import {
  describeDivergence,
  firstDivergence,
  normaliseState,
  type NormaliseOptions,
  type WorkflowSnapshot,
} from '../trace/index.ts'
import type { Bundle, BundleSession, BundleSnapshots } from './bundle.ts'
import { isArtifact } from './summary.ts'

export interface BundleComparison {
  /** The first error of each, where they differ. */
  readonly errors: readonly [string | null, string | null] | null
  readonly sessions: readonly SessionComparison[]
  readonly artifacts: readonly FileChange[]
}

export interface SessionComparison {
  /** Where the events part; null where they are the same. */
  readonly events: string | null
  /** By name of the snapshot; an empty list is none. */
  readonly states: readonly { readonly snapshot: string; readonly changes: readonly JsonChange[] }[]
}

export interface FileChange {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed'
}

/** Where two bundles differ, in the normal form in which runs are compared; what belongs to one process alone is no difference. */
export function compareBundles(before: Bundle, after: Bundle): BundleComparison {
  const [was, now] = [before, after].map(({ manifest }) => manifest.errors[0]?.message ?? null)
  const length = Math.max(before.sessions.length, after.sessions.length)
  return {
    errors: was === now ? null : [was ?? null, now ?? null],
    sessions: Array.from({ length }, (_, index) =>
      compareSessions(before.sessions[index], after.sessions[index]),
    ),
    artifacts: compareArtifacts(before, after),
  }
}

export function sameBundles({ errors, sessions, artifacts }: BundleComparison): boolean {
  return (
    errors === null &&
    artifacts.length === 0 &&
    sessions.every(({ events, states }) => events === null && states.length === 0)
  )
}

function compareSessions(
  before: BundleSession | undefined,
  after: BundleSession | undefined,
): SessionComparison {
  if (before === undefined || after === undefined)
    return { events: 'only one of the two has this session', states: [] }
  const times = [before, after].every(({ entry }) => entry.clock === 'virtual') ? 'relative' : 'drop'
  const divergence = firstDivergence(before.events, after.events, { times })
  const [were, are] = [named(before.snapshots), named(after.snapshots)]
  const states = [...new Set([...were.keys(), ...are.keys()])].map((snapshot) => ({
    snapshot,
    changes: jsonDiff(normalState(were.get(snapshot), times), normalState(are.get(snapshot), times)),
  }))
  return {
    events: divergence === undefined ? null : describeDivergence(divergence),
    states: states.filter(({ changes }) => changes.length > 0),
  }
}

function normalState(
  snapshot: WorkflowSnapshot | undefined,
  times: NonNullable<NormaliseOptions['times']>,
): unknown {
  return snapshot === undefined ? undefined : normaliseState(snapshot.state, { times })
}

function named(snapshots: BundleSnapshots): ReadonlyMap<string, WorkflowSnapshot> {
  const all: readonly (readonly [string, WorkflowSnapshot | null])[] = [
    ['before-failure', snapshots.beforeFailure],
    ['at-failure', snapshots.atFailure],
    ...snapshots.beforeResume.map((each, index) => [`before-resume-${index + 1}`, each] as const),
    ...snapshots.afterResume.map((each, index) => [`after-resume-${index + 1}`, each] as const),
  ]
  return new Map(all.flatMap(([name, snapshot]) => (snapshot === null ? [] : [[name, snapshot] as const])))
}

function compareArtifacts(before: Bundle, after: Bundle): readonly FileChange[] {
  const digests = ({ manifest }: Bundle): ReadonlyMap<string, string> =>
    new Map(manifest.files.flatMap(({ path, sha256 }) => (isArtifact(path) ? [[path, sha256] as const] : [])))
  const [were, are] = [digests(before), digests(after)]
  return [...new Set([...were.keys(), ...are.keys()])].sort().flatMap((path): readonly FileChange[] => {
    if (were.get(path) === are.get(path)) return []
    return [{ path, change: !were.has(path) ? 'added' : !are.has(path) ? 'removed' : 'changed' }]
  })
}
