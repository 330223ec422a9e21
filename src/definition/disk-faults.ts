/**
 * How the disk looks to the next life after this one ends; `docs/simulated-disk.md` has the table. By name, so that a plan
 * or a report can say which.
 */
export type CrashOutcome = (typeof crashOutcomes)[number] | `subset-${number}`

/** Without the subsets, of which there are as many as unsynced changes allow. */
export const crashOutcomes = [
  'kill',
  'torn-1',
  'torn-half',
  'torn-end',
  'power-min',
  'power-names',
  'power-data',
] as const

export const fileErrorCodes = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EMFILE'] as const

export type FileErrorCode = (typeof fileErrorCodes)[number]

/**
 * What goes wrong at one file operation.
 * - `before`: it fails and has done nothing.
 * - `short`: half of the data is written, then it fails.
 * - `after`: it is done, and fails all the same.
 * - `dropped`: the fsync fails, and what it was to write is never written: still to be read, gone after a power loss.
 * - `lying`: the sync reports success and makes nothing durable.
 * - `flipped`: one bit of what is read is wrong, counted from the start and again from there beyond the end.
 */
export type FileFault =
  | { readonly mode: 'before' | 'short' | 'after' | 'dropped'; readonly error: FileErrorCode }
  | { readonly mode: 'lying' }
  | { readonly mode: 'flipped'; readonly bit: number }
