import { joinPath } from '../core/index.ts'
import type { WorkflowSnapshot } from '../trace/index.ts'
import type { BundleSnapshots } from './bundle.ts'
import type { SnapshotPaths } from './manifest.ts'

/** Names of the files at the top of every bundle. */
export const manifestFile = 'manifest.json'
export const summaryFile = 'summary.md'
export const pageFile = 'index.html'

/** Names of the files of one session, relative to its folder. */
export const sessionFiles = {
  timeline: 'timeline.jsonl',
  readableTimeline: 'timeline.md',
  events: 'events.jsonl',
  plan: 'plan.json',
  resolvedPlan: 'plan.resolved.json',
  definition: 'definition.json',
  input: 'input.json',
  log: 'logs/log.jsonl',
  readableLog: 'logs/log.txt',
  artifacts: 'artifacts',
  earlierArtifacts: 'earlier-artifacts',
  originals: 'originals',
  disk: 'disk',
} as const

/** The first session lies at the top of the bundle, so that the usual bundle is flat. */
export function sessionFolder(index: number): string {
  return index === 0 ? '' : `sessions/${index + 1}`
}

export interface SnapshotFile {
  readonly path: string
  readonly snapshot: WorkflowSnapshot
}

/** Where each snapshot that was taken is written. */
export function snapshotFiles(folder: string, snapshots: BundleSnapshots): SnapshotFile[] {
  const { beforeFailure, atFailure, beforeResume, afterResume } = snapshots
  const named = [
    ['before-failure', beforeFailure] as const,
    ['at-failure', atFailure] as const,
    ...beforeResume.map((snapshot, index) => [`before-resume-${index + 1}`, snapshot] as const),
    ...afterResume.map((snapshot, index) => [`after-resume-${index + 1}`, snapshot] as const),
  ]
  return named.flatMap(([name, snapshot]) =>
    snapshot === null ? [] : [{ path: snapshotPath(folder, name), snapshot }],
  )
}

/** The paths of the snapshots that are in the bundle, null for the others. */
export function snapshotPaths(
  folder: string,
  snapshots: BundleSnapshots,
  isThere: (path: string) => boolean,
): SnapshotPaths {
  const there = (name: string): string | null => {
    const path = snapshotPath(folder, name)
    return isThere(path) ? path : null
  }
  return {
    beforeFailure: there('before-failure'),
    atFailure: there('at-failure'),
    beforeResume: snapshots.beforeResume.map((_, index) => there(`before-resume-${index + 1}`)),
    afterResume: snapshots.afterResume.map((_, index) => there(`after-resume-${index + 1}`)),
  }
}

function snapshotPath(folder: string, name: string): string {
  return joinPath(folder, 'state', `${name}.json`)
}

/** Where the report of a crash is written, counted from 0. */
export function crashPath(folder: string, index: number): string {
  return joinPath(folder, sessionFiles.disk, `crash-${index + 1}.json`)
}

/** The paths of the reports that are in the bundle; null when there was no crash. */
export function crashPaths(
  folder: string,
  count: number,
  isThere: (path: string) => boolean,
): readonly (string | null)[] | null {
  if (count === 0) return null
  return Array.from({ length: count }, (_, index) => crashPath(folder, index)).map((path) =>
    isThere(path) ? path : null,
  )
}
