import type { MaybePromise, Program } from '../core/index.ts'

/**
 * A file operation as data. Paths are relative to the root that the adapter was made for, with forward slashes; text is
 * written as UTF-8. Everything that touches a disk goes through these thirteen, so that one place can record, fault or fence it.
 */
export type FileOperation =
  /** The bytes of a file, or undefined when there is none. Nobody may write to them: a simulated disk hands out its own. */
  | { readonly op: 'read'; readonly path: string }
  /** The entries of a folder sorted by name, or undefined when there is none. */
  | { readonly op: 'list'; readonly path: string }
  | { readonly op: 'stat'; readonly path: string }
  /** Creates the file or replaces its content. Not durable and not atomic. */
  | { readonly op: 'write'; readonly path: string; readonly data: FileData }
  /** Creates the file with its content, all at once, only if nothing has the name: answers false otherwise. */
  | { readonly op: 'writeNew'; readonly path: string; readonly data: FileData }
  /** Adds at the end, creating the file if there is none; the file stays open until `close`. */
  | { readonly op: 'append'; readonly path: string; readonly data: FileData }
  /** Makes the content of a file durable. */
  | { readonly op: 'fsync'; readonly path: string }
  /** Makes the names in a folder durable ('' is the root). */
  | { readonly op: 'fsyncFolder'; readonly path: string }
  /** Replaces `to` if it is a file. */
  | { readonly op: 'rename'; readonly path: string; readonly to: string }
  /** Removes a file; answers false when there was none. */
  | { readonly op: 'remove'; readonly path: string }
  /** Removes a folder and all in it; answers false when there was none. */
  | { readonly op: 'removeFolder'; readonly path: string }
  /** Makes one folder below an existing one; answers false when it was there. */
  | { readonly op: 'makeFolder'; readonly path: string }
  /** Lets go of a file that `append` holds open. */
  | { readonly op: 'close'; readonly path: string }

export type FileData = string | Uint8Array

export interface FileResults {
  readonly read: Uint8Array | undefined
  readonly list: readonly FolderEntry[] | undefined
  readonly stat: FileStat | undefined
  readonly write: void
  readonly writeNew: boolean
  readonly append: void
  readonly fsync: void
  readonly fsyncFolder: void
  readonly rename: void
  readonly remove: boolean
  readonly removeFolder: boolean
  readonly makeFolder: boolean
  readonly close: void
}

export interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'other'
}

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'other'
  readonly sizeBytes: number
}

/**
 * A disk, or something that stands for one.
 *
 * Failures are thrown (or rejected) as errors with the `code`, `syscall` and `path` of Node's system errors.
 */
export interface FilesPort {
  /** Answers at once on a simulated disk and with a promise on a real one. */
  perform<O extends FileOperation>(operation: O): MaybePromise<FileResults[O['op']]>
}

/** Whether an operation changes what is on the disk, or what of it is durable: a crash between two others tells nothing new. */
export function isWriteLike({ op }: FileOperation): boolean {
  return op !== 'read' && op !== 'list' && op !== 'stat' && op !== 'close'
}

/** Code that reads and writes files by yielding operations; see `interpret` in core. */
export type FileProgram<T> = Program<FileOperation, T>

/** Yields one operation and hands back its typed result: `const bytes = yield* perform({ op: 'read', path })`. */
export function* perform<O extends FileOperation>(
  operation: O,
): Program<FileOperation, FileResults[O['op']]> {
  return (yield operation) as FileResults[O['op']]
}
