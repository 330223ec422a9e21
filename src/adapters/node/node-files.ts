import { mkdirSync, readdirSync, realpathSync, renameSync, statSync, unlinkSync, type Dirent } from 'node:fs'
import { rm } from 'node:fs/promises'
import {
  containedPath,
  FaultlineError,
  isSystemError,
  systemError,
  unreachable,
  type MaybePromise,
} from '../../core/index.ts'
import type {
  FileData,
  FileOperation,
  FileResults,
  FilesPort,
  FileStat,
  FolderEntry,
} from '../../ports/index.ts'
import { Containment } from './contained-place.ts'
import { OpenFiles } from './open-files.ts'
import { portError } from './port-error.ts'
import { retryWhileHeld } from './retry.ts'
import { syncFile, syncFolder } from './sync.ts'
import { readWholeFile, writeNewFile, writeWholeFile } from './whole-file.ts'

/** The real disk below one folder. Every answer is a promise. */
export interface NodeFiles extends FilesPort {
  /** The folder, without links. */
  readonly root: string
  perform<O extends FileOperation>(operation: O): Promise<FileResults[O['op']]>
  /** Closes every file that appends hold open. */
  closeAll(): Promise<void>
}

/**
 * Works on the files below a folder, which must exist. Paths that lead out of it, also through links, are refused with
 * `PATH_OUTSIDE`; a link in a listing is of kind `other`.
 *
 * Short calls (open, write, rename ...) are made in place; big files, the removal of trees, and fsync on a disk that is not
 * quick use Node's threads: a hop to a thread and back costs ten times a short call, and as much as a quick fsync.
 *
 * @throws FaultlineError `FILE_NOT_FOUND` when there is no such folder.
 */
export function createNodeFiles(rootFolder: string): NodeFiles {
  return new FilesOnNode(realFolder(rootFolder))
}

class FilesOnNode implements NodeFiles {
  readonly root: string
  readonly #containment: Containment
  readonly #open = new OpenFiles()

  constructor(root: string) {
    this.root = root
    this.#containment = new Containment(root)
  }

  async closeAll(): Promise<void> {
    await this.#open.releaseAll()
  }

  perform<O extends FileOperation>(operation: O): Promise<FileResults[O['op']]>
  async perform(operation: FileOperation): Promise<FileResults[FileOperation['op']]> {
    try {
      return await this.#perform(operation)
    } catch (error) {
      throw portError(error, operation.path, operation.op === 'rename' ? operation.to : undefined)
    }
  }

  #perform(operation: FileOperation): MaybePromise<FileResults[FileOperation['op']]> {
    const { path } = operation
    switch (operation.op) {
      case 'read':
        return this.#read(path)
      case 'list':
        return this.#list(path)
      case 'stat':
        return this.#stat(path)
      case 'write':
        return writeWholeFile(this.#containment.target(containedPath(path)).absolute, operation.data)
      case 'writeNew':
        return this.#writeNew(path, operation.data)
      case 'append':
        return this.#append(path, operation.data)
      case 'fsync':
        return this.#fsync(path)
      case 'fsyncFolder':
        return syncFolder(this.#containment.target(path).absolute, process.platform)
      case 'rename':
        return this.#rename(path, operation.to)
      case 'remove':
        return this.#remove(path)
      case 'removeFolder':
        return this.#removeFolder(path)
      case 'makeFolder':
        return this.#makeFolder(path)
      case 'close':
        return this.#open.release(containedPath(path))
      default:
        return unreachable(operation)
    }
  }

  #read(path: string): MaybePromise<Uint8Array | undefined> {
    const { absolute, stats } = this.#containment.target(path)
    return stats === undefined ? undefined : readWholeFile(absolute, stats)
  }

  #list(path: string): readonly FolderEntry[] | undefined {
    const { absolute, stats } = this.#containment.target(path)
    if (stats === undefined) return undefined
    const entries = readdirSync(absolute, { withFileTypes: true })
    return entries
      .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  #stat(path: string): FileStat | undefined {
    const { stats } = this.#containment.target(path)
    if (stats === undefined) return undefined
    const kind = kindOf(stats)
    return { kind, sizeBytes: kind === 'file' ? stats.size : 0 }
  }

  async #writeNew(path: string, data: FileData): Promise<boolean> {
    const { absolute } = this.#containment.name(path)
    try {
      await writeNewFile(absolute, data)
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return false
      throw error
    }
  }

  #append(path: string, data: FileData): void {
    const normal = containedPath(path)
    if (!this.#open.has(normal)) this.#open.open(normal, this.#containment.target(path).absolute)
    this.#open.append(normal, data)
  }

  async #fsync(path: string): Promise<void> {
    const normal = containedPath(path)
    if (this.#open.has(normal)) await this.#open.sync(normal)
    else await syncFile(this.#containment.target(path).absolute)
  }

  async #rename(path: string, to: string): Promise<void> {
    const source = this.#containment.name(path)
    const goal = this.#containment.name(to)
    await this.#open.release(source.path)
    await this.#open.release(goal.path)
    await retryWhileHeld(() => renameSync(source.absolute, goal.absolute), { platform: process.platform })
  }

  async #remove(path: string): Promise<boolean> {
    const { path: normal, absolute } = this.#containment.name(path)
    await this.#open.release(normal)
    try {
      unlinkSync(absolute)
      return true
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
      throw error
    }
  }

  async #removeFolder(path: string): Promise<boolean> {
    const { path: normal, absolute, stats } = this.#containment.entry(path)
    if (stats === undefined) return false
    if (!stats.isDirectory()) throw systemError({ code: 'ENOTDIR', syscall: 'rmdir', path })
    await this.#open.release(normal)
    await rm(absolute, { recursive: true, maxRetries: 3 })
    return true
  }

  #makeFolder(path: string): boolean {
    if (path === '') return false
    const { absolute } = this.#containment.name(path)
    try {
      mkdirSync(absolute)
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST') && statSync(absolute, { throwIfNoEntry: false })?.isDirectory())
        return false
      throw error
    }
  }
}

function realFolder(folder: string): string {
  try {
    const real = realpathSync.native(folder)
    if (statSync(real).isDirectory()) return real
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error
  }
  throw new FaultlineError(
    'FILE_NOT_FOUND',
    `There is no folder '${folder}'. Create it first, or name another.`,
    {
      details: { path: folder },
    },
  )
}

function kindOf(entry: Pick<Dirent, 'isFile' | 'isDirectory'>): FolderEntry['kind'] {
  if (entry.isFile()) return 'file'
  return entry.isDirectory() ? 'folder' : 'other'
}
