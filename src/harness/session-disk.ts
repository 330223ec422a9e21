import { createVirtualFiles } from '../adapters/virtual/index.ts'
import type { VirtualFiles } from '../adapters/virtual/index.ts'
import { bytesEqual, isPromise, isSystemError, joinPath, parentFolder, whenReady } from '../core/index.ts'
import type { MaybePromise } from '../core/index.ts'
import type { CrashOutcome } from '../definition/index.ts'
import { isWriteLike } from '../ports/index.ts'
import type { FileOperation, FileResults, FilesPort } from '../ports/index.ts'
import type { DiskAtCrash, UnsyncedFile } from '../trace/index.ts'
import { misuse } from './misuse.ts'

/** What a crash did to a disk; which life it ended is known to the session. */
export type DiskLoss = Pick<DiskAtCrash, 'outcome' | 'durable' | 'unsynced'>

/**
 * The disk that a session works on. It notes what is done to it, and looks at the notes only when somebody asks: after a
 * crash, for what was not durable yet, and for a bundle, for contents that were replaced.
 */
export interface SessionDisk {
  readonly files: FilesPort
  /** The next life finds what `outcome` leaves of all that is not durable. */
  crash(outcome: CrashOutcome): Promise<DiskLoss>
  /** Every content that a name was given, oldest first, as far as it was written through `files`. */
  contents(path: string): readonly Uint8Array[]
  /** What a file held before the session first changed it; undefined when there was none. */
  before(path: string): Uint8Array | undefined
}

/** A disk in memory that begins with these files. */
export function createSimulatedDisk(initial: Readonly<Record<string, Uint8Array>>): SessionDisk {
  let current = createVirtualFiles(initial)
  const notes = createNotes(current.fork())
  return {
    files: {
      perform(operation) {
        const result = current.perform(operation)
        if (isWriteLike(operation)) notes.add(operation)
        return result
      },
    },
    async crash(outcome) {
      const { loss, left } = notes.crash(outcome)
      current = left.fork()
      return loss
    },
    contents: (path) => notes.contents(path),
    before: (path) => (Object.hasOwn(initial, path) ? initial[path] : undefined),
  }
}

/** A disk that really exists: what a power loss would take from it is known from what was done to it. */
export function createRecordedDisk(files: FilesPort): SessionDisk {
  const notes = createNotes(createVirtualFiles())
  const before = new Map<string, Uint8Array | undefined>()
  const made = new Set<string>()
  const isFirstTouch = (path: string): boolean => !before.has(path) && !liesIn(made, path)

  const perform = <O extends FileOperation>(operation: O): MaybePromise<FileResults[O['op']]> => {
    const noted = notes.add(operation)
    const takeBack = (): void => notes.remove(noted)
    try {
      const result = files.perform(operation)
      if (isPromise(result)) void result.then((value) => done(operation, value), takeBack)
      else done(operation, result)
      return result
    } catch (error) {
      takeBack()
      throw error
    }
  }
  const done = ({ op, path }: FileOperation, result: unknown): void => {
    if (op === 'makeFolder' && result === true) made.add(path)
  }
  const lookFirst = <O extends FileOperation>(
    operation: O,
    [path, ...others]: readonly string[],
  ): MaybePromise<FileResults[O['op']]> => {
    if (path === undefined) return perform(operation)
    return whenReady(contentOf(files, path), (found) => {
      before.set(path, found)
      if (found !== undefined) notes.found(path, found)
      return lookFirst(operation, others)
    })
  }

  return {
    files: {
      perform(operation) {
        if (!isWriteLike(operation)) return files.perform(operation)
        return lookFirst(operation, changedPaths(operation).filter(isFirstTouch))
      },
    },
    async crash(outcome) {
      const { loss } = notes.crash(outcome)
      for (const { path, written, left } of loss.unsynced) {
        if (sameContent(written, left)) continue
        await files.perform({ op: 'close', path })
        if (left === null) await files.perform({ op: 'remove', path })
        else await rewrite(files, path, left)
      }
      return loss
    },
    contents: (path) => notes.contents(path),
    before: (path) => before.get(path),
  }
}

/** Beyond so many bytes nothing is noted any more: a command may run for days in the process that it began in. */
const mostNoted = 128 * 1024 * 1024

interface Notes {
  add(operation: FileOperation): Note
  remove(note: Note): void
  /** A file that was there before, durable since whenever. */
  found(path: string, bytes: Uint8Array): void
  contents(path: string): readonly Uint8Array[]
  crash(outcome: CrashOutcome): { readonly loss: DiskLoss; readonly left: VirtualFiles }
}

type Note = FileOperation | { readonly op: 'found'; readonly path: string; readonly data: Uint8Array }

/** What was done to a disk, and the same done to a simulated one, as far as somebody has asked. */
function createNotes(start: VirtualFiles): Notes {
  let shadow = start
  let notes: Note[] = []
  let bytes = 0
  const changed = new Set<string>()
  const contents = new Map<string, Uint8Array[]>()

  const push = (note: Note): Note => {
    bytes += 'data' in note ? note.data.length : 0
    if (bytes <= mostNoted) notes.push(note)
    else notes = []
    return note
  }
  const catchUp = (): void => {
    for (const note of notes) {
      repeat(shadow, note)
      if (note.op === 'found') continue
      changedPaths(note).forEach((path) => changed.add(path))
      const path = note.op === 'rename' ? note.to : note.path
      if (note.op !== 'rename' && note.op !== 'write' && note.op !== 'writeNew') continue
      const now = shadow.perform({ op: 'read', path })
      if (now !== undefined) contents.set(path, [...(contents.get(path) ?? []), now])
    }
    notes = []
  }

  return {
    add: (operation) => push(unchangeable(operation)),
    remove(note) {
      notes = notes.filter((each) => each !== note)
    },
    found: (path, data) => void push({ op: 'found', path, data }),
    contents(path) {
      catchUp()
      return contents.get(path) ?? []
    },
    crash(outcome) {
      if (bytes > mostNoted && outcome !== 'kill') {
        throw misuse(
          `The session has written more than ${mostNoted} bytes, so that nobody knows any more what of it is durable: ` +
            `crash({ disk: '${outcome}' }) needs a smaller run.`,
        )
      }
      catchUp()
      const left = shadow.afterCrash(outcome)
      const loss = { outcome, ...differences(shadow, left, changed) }
      shadow = left
      return { loss, left }
    },
  }
}

/** Whoever gave the bytes may write to them again. */
function unchangeable(operation: FileOperation): FileOperation {
  if (!('data' in operation) || typeof operation.data === 'string') return operation
  return { ...operation, data: new Uint8Array(operation.data) }
}

/** What is written around the ports is not known here: an operation on it has nothing to repeat. */
function repeat(shadow: VirtualFiles, note: Note): void {
  try {
    const paths = note.op === 'rename' ? [note.path, note.to] : [note.path]
    for (const path of paths) placeFolder(shadow, parentFolder(path))
    if (note.op !== 'found') {
      shadow.perform(note)
      return
    }
    shadow.perform({ op: 'write', path: note.path, data: note.data })
    shadow.perform({ op: 'fsync', path: note.path })
    shadow.perform({ op: 'fsyncFolder', path: parentFolder(note.path) })
  } catch (error) {
    if (!isSystemError(error)) throw error
  }
}

/** A folder that nobody was seen to make was there before. */
function placeFolder(shadow: VirtualFiles, folder: string): void {
  if (folder === '' || shadow.perform({ op: 'stat', path: folder }) !== undefined) return
  placeFolder(shadow, parentFolder(folder))
  shadow.perform({ op: 'makeFolder', path: folder })
  shadow.perform({ op: 'fsyncFolder', path: parentFolder(folder) })
}

function differences(
  disk: VirtualFiles,
  afterwards: VirtualFiles,
  changed: ReadonlySet<string>,
): Pick<DiskLoss, 'durable' | 'unsynced'> {
  const written = disk.snapshotFiles()
  const durable = disk.afterCrash('power-min').snapshotFiles()
  const left = afterwards.snapshotFiles()
  const unsynced: UnsyncedFile[] = []
  const safe: { path: string; sizeBytes: number }[] = []
  for (const path of [...new Set([...written.keys(), ...durable.keys()])].sort()) {
    const file = {
      path,
      written: written.get(path) ?? null,
      durable: durable.get(path) ?? null,
      left: left.get(path) ?? null,
    }
    if (!sameContent(file.written, file.durable)) unsynced.push(file)
    else if (changed.has(path) && file.written !== null) safe.push({ path, sizeBytes: file.written.length })
  }
  return { durable: safe, unsynced }
}

function sameContent(left: Uint8Array | null, right: Uint8Array | null): boolean {
  if (left === null || right === null) return left === right
  return bytesEqual(left, right)
}

/** Files whose bytes or names an operation changes. */
function changedPaths(operation: FileOperation): readonly string[] {
  switch (operation.op) {
    case 'write':
    case 'writeNew':
    case 'append':
    case 'remove':
      return [operation.path]
    case 'rename':
      return [operation.path, operation.to]
    default:
      return []
  }
}

function liesIn(folders: ReadonlySet<string>, path: string): boolean {
  for (let folder = parentFolder(path); folder !== ''; folder = parentFolder(folder)) {
    if (folders.has(folder)) return true
  }
  return false
}

/** A name that leads to a folder has no content. */
function contentOf(files: FilesPort, path: string): MaybePromise<Uint8Array | undefined> {
  return whenReady(files.perform({ op: 'stat', path }), (stat) =>
    stat?.kind === 'file' ? files.perform({ op: 'read', path }) : undefined,
  )
}

async function rewrite(files: FilesPort, path: string, data: Uint8Array): Promise<void> {
  const folders = path.split('/').slice(0, -1)
  for (let depth = 1; depth <= folders.length; depth++) {
    await files.perform({ op: 'makeFolder', path: joinPath(...folders.slice(0, depth)) })
  }
  await files.perform({ op: 'write', path, data })
}
