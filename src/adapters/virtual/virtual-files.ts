import { containedPath, joinPath, systemError, unreachable, type SystemErrorCode } from '../../core/index.ts'
import type { CrashOutcome } from '../../definition/index.ts'
import type {
  FileData,
  FileOperation,
  FileResults,
  FilesPort,
  FileStat,
  FolderEntry,
} from '../../ports/index.ts'
import { afterCrash, isTorn, possibleOutcomes } from './crash-outcomes.ts'
import { diskDigest, visibleDigest } from './disk-digest.ts'
import { contentBytes, contentSize } from './file-content.ts'
import { PathWalk, type Place } from './path-walk.ts'
import { durableTarget, rootNumber, VirtualDisk, type Inode } from './virtual-disk.ts'

/** A disk in memory that knows which of its names and contents would survive a power loss. Answers at once. */
export interface VirtualFiles extends FilesPort {
  /** How many operations that change a disk have been asked of this one since it was made; a fork counts from its own start. */
  readonly changesMade: number
  perform<O extends FileOperation>(operation: O): FileResults[O['op']]
  /** An independent copy, in microseconds: what either writes from now on the other does not see. */
  fork(): VirtualFiles
  /** The disk as the next life finds it if this one ends now. This disk stays as it is. */
  afterCrash(outcome: CrashOutcome): VirtualFiles
  /**
   * One outcome for each different disk that a crash now can leave.
   *
   * @param among Without it all that there are, subsets included: many times the work of the others.
   */
  distinctOutcomes(among?: readonly CrashOutcome[]): readonly CrashOutcome[]
  /** The disks themselves that a crash now can leave, told apart by one of their digests. */
  distinctCrashes(by: 'digest' | 'visibleDigest', among?: readonly CrashOutcome[]): readonly LeftDisk[]
  /** What a file would read as after a power loss now, nothing unsynced having reached the disk; undefined without such a file. */
  durableBytes(path: string): Uint8Array | undefined
  /** Equal for disks that no operation and no crash to come can tell apart. Hashes no byte a second time, forks included. */
  digest(): string
  /** Equal for disks that read alike, whatever of it is durable. */
  visibleDigest(): string
  /**
   * What a failing fsync leaves on Linux: the unsynced bytes of a file count as written and never will be. They are still
   * read until a power loss, and are zeros after it, also when a later fsync succeeds.
   */
  dropUnsynced(path: string): void
  /** Every file with its bytes, sorted by path. Nobody may write to the bytes: files with the same content share them. */
  snapshotFiles(): Map<string, Uint8Array>
}

/**
 * Makes a disk that holds `initial`, files by path, with their folders, all durable.
 *
 * Every folder's names are durable on their own, as POSIX has it: after a rename into another folder, sync the target
 * folder first, or a power loss between the two syncs takes the file from both.
 *
 * @example
 * const files = createVirtualFiles({ 'notes.md': '# Notes' })
 * files.perform({ op: 'append', path: 'notes.md', data: '!' })
 */
export function createVirtualFiles(initial: Readonly<Record<string, FileData>> = {}): VirtualFiles {
  const disk = new VirtualDisk()
  const filling = new FilesOnDisk(disk)
  for (const [path, data] of Object.entries(initial)) placeFile(filling, path, data)
  disk.syncAll()
  return new FilesOnDisk(disk)
}

function placeFile(files: FilesPort, path: string, data: FileData): void {
  const parts = containedPath(path).split('/')
  for (let depth = 1; depth < parts.length; depth++) {
    void files.perform({ op: 'makeFolder', path: parts.slice(0, depth).join('/') })
  }
  void files.perform({ op: 'write', path, data })
}

/** What a crash has left. */
export interface LeftDisk {
  readonly outcome: CrashOutcome
  readonly files: VirtualFiles
  readonly digest: string
}

/** What is not only looked at. */
type Change = Exclude<FileOperation, { readonly op: 'read' | 'list' | 'stat' | 'close' }>

class FilesOnDisk implements VirtualFiles {
  readonly #disk: VirtualDisk
  readonly #walk: PathWalk
  #changesMade = 0

  constructor(disk: VirtualDisk) {
    this.#disk = disk
    this.#walk = new PathWalk(disk)
  }

  get changesMade(): number {
    return this.#changesMade
  }

  fork(): VirtualFiles {
    return new FilesOnDisk(this.#disk.fork())
  }

  afterCrash(outcome: CrashOutcome): VirtualFiles {
    return new FilesOnDisk(afterCrash(this.#disk, outcome))
  }

  distinctOutcomes(among?: readonly CrashOutcome[]): readonly CrashOutcome[] {
    return this.distinctCrashes('digest', among).map(({ outcome }) => outcome)
  }

  distinctCrashes(
    by: 'digest' | 'visibleDigest',
    among: readonly CrashOutcome[] = possibleOutcomes(this.#disk),
  ): readonly LeftDisk[] {
    const crashes = new Map<string, LeftDisk>()
    for (const outcome of among) {
      if (isTorn(outcome) && !this.#disk.isBeingWritten && among.includes('kill')) continue
      const files = this.afterCrash(outcome)
      const digest = files[by]()
      if (!crashes.has(digest)) crashes.set(digest, { outcome, digest, files })
    }
    return [...crashes.values()]
  }

  durableBytes(path: string): Uint8Array | undefined {
    let inode: Inode | undefined = this.#disk.inode(rootNumber)
    for (const name of containedPath(path).split('/')) {
      const number: number | undefined = inode?.kind === 'folder' ? durableTarget(inode, name) : undefined
      inode = number === undefined ? undefined : this.#disk.inode(number)
    }
    return inode?.kind === 'file' ? contentBytes(inode.durable) : undefined
  }

  digest(): string {
    return diskDigest(this.#disk)
  }

  visibleDigest(): string {
    return visibleDigest(this.#disk)
  }

  dropUnsynced(path: string): void {
    this.#disk.dropUnsynced(this.#openFile(path, 'existing'))
  }

  snapshotFiles(): Map<string, Uint8Array> {
    const files: [string, Uint8Array][] = []
    this.#collect(rootNumber, '', files)
    return new Map(files.sort(([left], [right]) => (left < right ? -1 : 1)))
  }

  perform<O extends FileOperation>(operation: O): FileResults[O['op']]
  perform(operation: FileOperation): FileResults[FileOperation['op']] {
    const { path } = operation
    switch (operation.op) {
      case 'read':
        return this.#read(path)
      case 'list':
        return this.#list(path)
      case 'stat':
        return this.#stat(path)
      case 'close':
        return this.#walk.forget(containedPath(path))
      default:
        this.#changesMade++
        return this.#change(operation)
    }
  }

  #change(operation: Change): FileResults[Change['op']] {
    const { path } = operation
    switch (operation.op) {
      case 'write':
        return this.#write(path, operation.data)
      case 'writeNew':
        return this.#writeNew(path, operation.data)
      case 'append':
        return this.#append(path, operation.data)
      case 'fsync':
        return this.#disk.syncFile(this.#openFile(path, 'existing'))
      case 'fsyncFolder':
        return this.#disk.syncFolder(this.#openFolder(path))
      case 'rename':
        return this.#rename(path, operation.to)
      case 'remove':
        return this.#remove(path, 'file')
      case 'removeFolder':
        return this.#remove(path, 'folder')
      case 'makeFolder':
        return this.#makeFolder(path)
      default:
        return unreachable(operation)
    }
  }

  #read(path: string): Uint8Array | undefined {
    const inode = this.#walk.inode(path)
    if (inode === undefined) return undefined
    if (inode.kind === 'folder') throw systemError({ code: 'EISDIR', syscall: 'read', path })
    return contentBytes(inode.volatile)
  }

  #list(path: string): readonly FolderEntry[] | undefined {
    const inode = this.#walk.inode(path)
    if (inode === undefined) return undefined
    if (inode.kind === 'file') throw systemError({ code: 'ENOTDIR', syscall: 'scandir', path })
    const { names, targets } = inode.names
    return names.map((name, place) => ({ name, kind: this.#disk.inode(targets[place] as number).kind }))
  }

  #stat(path: string): FileStat | undefined {
    const inode = this.#walk.inode(path)
    if (inode === undefined) return undefined
    return { kind: inode.kind, sizeBytes: inode.kind === 'file' ? contentSize(inode.volatile) : 0 }
  }

  #write(path: string, data: FileData): void {
    this.#disk.replaceContent(this.#openFile(path, 'or new'), data)
  }

  #writeNew(path: string, data: FileData): boolean {
    const place = this.#place(path, 'open')
    if (place.target !== undefined) return false
    this.#disk.appendContent(this.#disk.createFile(place.folder, place.name), data)
    return true
  }

  #append(path: string, data: FileData): void {
    this.#disk.appendContent(this.#openFile(path, 'or new'), data)
  }

  #rename(path: string, to: string): void {
    const source = this.#place(path, 'rename', { path, dest: to })
    const goal = this.#place(to, 'rename', { path, dest: to })
    const refusal = this.#renameRefusal(source, goal)
    if (refusal !== undefined) throw systemError({ code: refusal, syscall: 'rename', path, dest: to })
    if (source.target === goal.target) return
    this.#setNames([goal, source.target], [source, undefined])
  }

  /** Why a rename fails, judged in Linux's order: one lying in the other comes before what kinds the two are. */
  #renameRefusal(source: Place, goal: Place): SystemErrorCode | undefined {
    if (source.target === undefined) return 'ENOENT'
    if (goal.path.startsWith(`${source.path}/`)) return 'EINVAL'
    if (source.path.startsWith(`${goal.path}/`)) return 'ENOTEMPTY'
    if (goal.target === undefined || goal.target === source.target) return undefined
    const moved = this.#disk.inode(source.target)
    const replaced = this.#disk.inode(goal.target)
    if (moved.kind !== replaced.kind) return moved.kind === 'file' ? 'EISDIR' : 'ENOTDIR'
    return replaced.kind === 'folder' && replaced.names.size > 0 ? 'ENOTEMPTY' : undefined
  }

  #remove(path: string, kind: 'file' | 'folder'): boolean {
    const inode = this.#walk.inode(containedPath(path))
    if (inode === undefined) return false
    if (inode.kind !== kind) {
      throw kind === 'file'
        ? systemError({ code: 'EISDIR', syscall: 'unlink', path })
        : systemError({ code: 'ENOTDIR', syscall: 'rmdir', path })
    }
    this.#setNames([this.#place(path, 'unlink'), undefined])
    return true
  }

  #makeFolder(path: string): boolean {
    if (path === '') return false
    const place = this.#place(path, 'mkdir')
    if (place.target === undefined) {
      this.#disk.createFolder(place.folder, place.name)
      return true
    }
    if (this.#disk.inode(place.target).kind === 'folder') return false
    throw systemError({ code: 'EEXIST', syscall: 'mkdir', path })
  }

  #openFile(path: string, which: 'existing' | 'or new'): number {
    const known = this.#walk.openedFile(path)
    if (known !== undefined) return known
    const place = this.#place(path, 'open')
    if (place.target === undefined && which === 'existing') {
      throw systemError({ code: 'ENOENT', syscall: 'open', path })
    }
    const number = place.target ?? this.#disk.createFile(place.folder, place.name)
    if (this.#disk.inode(number).kind === 'folder') {
      throw systemError({ code: 'EISDIR', syscall: 'open', path })
    }
    this.#walk.opened(place, number)
    return number
  }

  #openFolder(path: string): number {
    if (path === '') return rootNumber
    const { target } = this.#place(path, 'open')
    if (target === undefined) throw systemError({ code: 'ENOENT', syscall: 'open', path })
    if (this.#disk.inode(target).kind === 'file')
      throw systemError({ code: 'ENOTDIR', syscall: 'open', path })
    return target
  }

  /** The place of a path whose folder must exist; `reported` are the paths that the error names. */
  #place(path: string, syscall: string, reported: { path: string; dest?: string } = { path }): Place {
    const place = this.#walk.place(path)
    if (typeof place === 'string') throw systemError({ code: place, syscall, ...reported })
    return place
  }

  #setNames(...targets: readonly (readonly [place: Place, target: number | undefined])[]): void {
    for (const [place, target] of targets) {
      const changed = target ?? place.target
      const folderMoves = changed !== undefined && this.#disk.inode(changed).kind === 'folder'
      if (folderMoves) this.#walk.forgetAll()
      else this.#walk.forget(place.path)
    }
    this.#disk.setNames(...targets.map(([{ folder, name }, after]) => ({ folder, name, after })))
  }

  #collect(number: number, path: string, files: [string, Uint8Array][]): void {
    const inode = this.#disk.inode(number)
    if (inode.kind === 'file') {
      files.push([path, contentBytes(inode.volatile)])
      return
    }
    const { names, targets } = inode.names
    for (const [place, name] of names.entries())
      this.#collect(targets[place] as number, joinPath(path, name), files)
  }
}
