import { jsonDiff, type JsonChange } from '../core/index.ts'

/** One place at which two snapshots differ; a side that does not have the place is undefined. */
export type SnapshotChange = JsonChange

/**
 * Where two snapshots (or any two JSON documents) differ: objects by key, lists by position, in sorted order. A part that
 * only one side has is one change with the whole part as its value.
 *
 * @example
 * expect(diffSnapshots(session.snapshots.atFailure, session.snapshots.beforeResume[0])).toEqual([])
 */
export function diffSnapshots(before: unknown, after: unknown): readonly SnapshotChange[] {
  return jsonDiff(before, after)
}

/** Changes as lines to read: `+` came, `-` went, `~` changed. */
export function formatSnapshotDiff(changes: readonly SnapshotChange[]): string {
  if (changes.length === 0) return 'no differences'
  return changes.map(formatChange).join('\n')
}

function formatChange({ path, before, after }: SnapshotChange): string {
  const place = path === '' ? '(all)' : path
  if (before === undefined) return `+ ${place}: ${shorten(after)}`
  if (after === undefined) return `- ${place}: ${shorten(before)}`
  return `~ ${place}: ${shorten(before)} -> ${shorten(after)}`
}

const longestValue = 120

function shorten(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}... (${text.length} characters)`
}
