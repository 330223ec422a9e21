import { containedPath, joinPath, systemError, unreachable, type SystemErrorCode } from '../../core/index.ts'
import type {
  FileData,
  FileOperation,
  FileResults,
  FilesPort,
  FileStat,
  FolderEntry,
} from '../../ports/index.ts'
import { appended, contentBytes, contentOf, contentSize } from './file-content.ts'
import { rootNumber, VirtualDisk, type CrashOutcome, type Inode } from './virtual-disk.ts'

/** A disk in memory that knows which of its names and contents would survive a power loss. Answers at once. */
export interface VirtualFiles extends FilesPort {
  perform<O extends FileOperation>(operation: O): FileResults[O['op']]
  /** An independent copy, in microseconds: what either writes from now on the other does not see. */
  fork(): VirtualFiles
  /** The disk as the next life finds it if this one ends now. This disk stays as it is. */
  afterCrash(outcome: CrashOutcome): VirtualFiles
  /** Every file with its bytes, sorted by path. */
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
  const files = new FilesOnDisk(disk)
  for (const [path, data] of Object.entries(initial)) files.place(path, data)
  disk.syncAll()
  return files
}

/** A name in a folder and what has it now; a missing folder on the way is an error code. */
interface Place {
  readonly path: string
  readonly folder: number
  readonly name: string
  readonly target: number | undefined
}

class FilesOnDisk implements VirtualFiles {
  readonly #disk: VirtualDisk
  /** Files by the path that last led to them, to save the walk; forgotten whenever a name changes its file. */
  readonly #found = new Map<string, number>()

  constructor(disk: VirtualDisk) {
    this.#disk = disk
  }

  fork(): VirtualFiles {
    return new FilesOnDisk(this.#disk.fork())
  }

  afterCrash(outcome: CrashOutcome): VirtualFiles {
    return new FilesOnDisk(this.#disk.afterCrash(outcome))
  }

  snapshotFiles(): Map<string, Uint8Array> {
    const files: [string, Uint8Array][] = []
    this.#collect(rootNumber, '', files)
    return new Map(files.sort(([left], [right]) => (left < right ? -1 : 1)))
  }

  place(path: string, data: FileData): void {
    const parts = containedPath(path).split('/')
    for (let depth = 1; depth < parts.length; depth++) this.#makeFolder(parts.slice(0, depth).join('/'))
    this.#write(path, data)
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
      case 'write':
        return this.#write(path, operation.data)
      case 'writeNew':
        return this.#writeNew(path, operation.data)
      case 'append':
        return this.#append(path, operation.data)
      case 'fsync':
        return this.#disk.syncFile(this.#openFile(path, 'existing'))
      case 'fsyncFolder':
        return this.#fsyncFolder(path)
      case 'rename':
        return this.#rename(path, operation.to)
      case 'remove':
        return this.#remove(path)
      case 'removeFolder':
        return this.#removeFolder(path)
      case 'makeFolder':
        return this.#makeFolder(path)
      case 'close':
        return this.#close(path)
      default:
        return unreachable(operation)
    }
  }

  #read(path: string): Uint8Array | undefined {
    const inode = this.#inodeAt(containedPath(path))
    if (inode === undefined) return undefined
    if (inode.kind === 'folder') throw systemError({ code: 'EISDIR', syscall: 'read', path })
    return contentBytes(inode.volatile)
  }

  #list(path: string): readonly FolderEntry[] | undefined {
    const inode = this.#inodeAt(folderPath(path))
    if (inode === undefined) return undefined
    if (inode.kind === 'file') throw systemError({ code: 'ENOTDIR', syscall: 'scandir', path })
    return [...inode.names]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, number]) => ({ name, kind: this.#disk.inode(number).kind }))
  }

  #stat(path: string): FileStat | undefined {
    const inode = this.#inodeAt(folderPath(path))
    if (inode === undefined) return undefined
    return { kind: inode.kind, sizeBytes: inode.kind === 'file' ? contentSize(inode.volatile) : 0 }
  }

  #write(path: string, data: FileData): void {
    this.#disk.ownFile(this.#openFile(path, 'or new')).volatile = contentOf(data)
  }

  #writeNew(path: string, data: FileData): boolean {
    const place = this.#locate(path, 'open')
    if (place.target !== undefined) return false
    const number = this.#disk.createFile(place.folder, place.name)
    this.#disk.ownFile(number).volatile = contentOf(data)
    return true
  }

  #append(path: string, data: FileData): void {
    const file = this.#disk.ownFile(this.#openFile(path, 'or new'))
    file.volatile = appended(file.volatile, data)
  }

  #fsyncFolder(path: string): void {
    this.#disk.syncFolder(path === '' ? rootNumber : this.#openFolder(path))
  }

  #rename(path: string, to: string): void {
    const source = this.#locate(path, 'rename', to)
    const goal = this.#locate(to, 'rename', to, path)
    const refusal = this.#renameRefusal(source, goal)
    if (refusal !== undefined) throw systemError({ code: refusal, syscall: 'rename', path, dest: to })
    this.#disk.setName(goal.folder, goal.name, source.target)
    if (source.path !== goal.path) this.#disk.setName(source.folder, source.name, undefined)
    this.#found.clear()
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

  #remove(path: string): boolean {
    const inode = this.#inodeAt(containedPath(path))
    if (inode === undefined) return false
    if (inode.kind === 'folder') throw systemError({ code: 'EISDIR', syscall: 'unlink', path })
    this.#unlink(this.#locate(path, 'unlink'))
    return true
  }

  #removeFolder(path: string): boolean {
    const inode = this.#inodeAt(containedPath(path))
    if (inode === undefined) return false
    if (inode.kind === 'file') throw systemError({ code: 'ENOTDIR', syscall: 'rmdir', path })
    this.#unlink(this.#locate(path, 'rmdir'))
    return true
  }

  #makeFolder(path: string): boolean {
    if (path === '') return false
    const place = this.#locate(path, 'mkdir')
    if (place.target === undefined) {
      this.#disk.createFolder(place.folder, place.name)
      return true
    }
    if (this.#disk.inode(place.target).kind === 'folder') return false
    throw systemError({ code: 'EEXIST', syscall: 'mkdir', path })
  }

  #close(path: string): void {
    this.#found.delete(path)
  }

  #openFile(path: string, which: 'existing' | 'or new'): number {
    const found = this.#found.get(path)
    if (found !== undefined) return found
    const place = this.#locate(path, 'open')
    if (place.target === undefined && which === 'existing') {
      throw systemError({ code: 'ENOENT', syscall: 'open', path })
    }
    const number = place.target ?? this.#disk.createFile(place.folder, place.name)
    if (this.#disk.inode(number).kind === 'folder') {
      throw systemError({ code: 'EISDIR', syscall: 'open', path })
    }
    this.#found.set(path, number)
    return number
  }

  #openFolder(path: string): number {
    const { target } = this.#locate(path, 'open')
    if (target === undefined) throw systemError({ code: 'ENOENT', syscall: 'open', path })
    if (this.#disk.inode(target).kind === 'file')
      throw systemError({ code: 'ENOTDIR', syscall: 'open', path })
    return target
  }

  #unlink(place: Place): void {
    this.#disk.setName(place.folder, place.name, undefined)
    this.#found.clear()
  }

  /** The name that a path ends in, in a folder that must exist. */
  #locate(path: string, syscall: string, dest?: string, reportedPath = path): Place {
    const normal = containedPath(path)
    const cut = normal.lastIndexOf('/')
    const folder = cut < 0 ? rootNumber : this.#walk(normal.slice(0, cut))
    if (typeof folder === 'string') {
      const facts = { code: folder, syscall, path: reportedPath }
      throw systemError(dest === undefined ? facts : { ...facts, dest })
    }
    const inode = this.#disk.inode(folder)
    const name = normal.slice(cut + 1)
    if (inode.kind === 'file') {
      const facts = { code: 'ENOTDIR' as const, syscall, path: reportedPath }
      throw systemError(dest === undefined ? facts : { ...facts, dest })
    }
    return { path: normal, folder, name, target: inode.names.get(name) }
  }

  #inodeAt(normalPath: string): Inode | undefined {
    const number = this.#walk(normalPath)
    return typeof number === 'string' ? undefined : this.#disk.inode(number)
  }

  /** The inode that a path leads to, or why there is none. */
  #walk(normalPath: string): number | 'ENOENT' | 'ENOTDIR' {
    let number = rootNumber
    if (normalPath === '') return number
    for (const part of normalPath.split('/')) {
      const inode = this.#disk.inode(number)
      if (inode.kind === 'file') return 'ENOTDIR'
      const next = inode.names.get(part)
      if (next === undefined) return 'ENOENT'
      number = next
    }
    return number
  }

  #collect(number: number, path: string, files: [string, Uint8Array][]): void {
    const inode = this.#disk.inode(number)
    if (inode.kind === 'file') {
      files.push([path, contentBytes(inode.volatile)])
      return
    }
    for (const [name, target] of inode.names) this.#collect(target, joinPath(path, name), files)
  }
}

/** Like `containedPath`, but the root has a name too: ''. */
function folderPath(path: string): string {
  return path === '' ? '' : containedPath(path)
}
