import type { IFs } from 'memfs'
import {
  containedPath,
  isSystemError,
  isSystemErrorCode,
  systemError,
  unreachable,
  type SystemErrorCode,
} from '../../core/index.ts'
import type {
  FileData,
  FileOperation,
  FileResults,
  FilesPort,
  FileStat,
  FolderEntry,
} from '../../ports/index.ts'

export interface MemfsFiles {
  readonly files: MemfsFilesPort
  /** The same files with the API of `node:fs`, below `/`. */
  readonly fs: IFs
}

export interface MemfsFilesPort extends FilesPort {
  perform<O extends FileOperation>(operation: O): FileResults[O['op']]
}

/**
 * A fresh memfs volume, for projects in memory whose agents want the whole `fs` API. It knows nothing of durability: for
 * that take `createVirtualFiles`. Where it differs from a real disk is listed in the tests of the files port.
 */
export async function createMemfsFiles(): Promise<MemfsFiles> {
  const { createFsFromVolume, Volume } = await import('memfs')
  const fs = createFsFromVolume(new Volume())
  return { files: new FilesOnMemfs(fs), fs }
}

class FilesOnMemfs implements MemfsFilesPort {
  readonly #fs: IFs

  constructor(fs: IFs) {
    this.#fs = fs
  }

  perform<O extends FileOperation>(operation: O): FileResults[O['op']]
  perform(operation: FileOperation): FileResults[FileOperation['op']] {
    try {
      return this.#perform(operation)
    } catch (error) {
      throw portError(error, operation)
    }
  }

  #perform(operation: FileOperation): FileResults[FileOperation['op']] {
    const fs = this.#fs
    const { op } = operation
    switch (op) {
      case 'read':
        return ifThere(undefined, () => plainBytes(fs.readFileSync(folderPath(operation.path)) as Uint8Array))
      case 'list':
        return this.#list(folderPath(operation.path))
      case 'stat':
        return this.#stat(folderPath(operation.path))
      case 'write':
        return fs.writeFileSync(filePath(operation.path), operation.data)
      case 'writeNew':
        return this.#writeNew(filePath(operation.path), operation.data)
      case 'append':
        return fs.appendFileSync(filePath(operation.path), operation.data)
      case 'fsync':
        return this.#requireKind('file', filePath(operation.path))
      case 'fsyncFolder':
        return this.#requireKind('folder', folderPath(operation.path))
      case 'rename':
        return fs.renameSync(filePath(operation.path), filePath(operation.to))
      case 'remove':
        return this.#remove(filePath(operation.path))
      case 'removeFolder':
        return this.#removeFolder(filePath(operation.path))
      case 'makeFolder':
        return this.#makeFolder(folderPath(operation.path))
      case 'close':
        // Nothing is held open: memfs finds a path about as fast as a descriptor.
        return void filePath(operation.path)
      default:
        return unreachable(op)
    }
  }

  #list(path: string): readonly FolderEntry[] | undefined {
    if (this.#stat(path) === undefined) return undefined
    return this.#fs
      .readdirSync(path)
      .map(String)
      .sort()
      .map((name) => ({ name, kind: this.#stat(`${path}/${name}`)?.kind ?? 'other' }))
  }

  #stat(path: string): FileStat | undefined {
    return ifThere(undefined, () => {
      const stats = this.#fs.statSync(path)
      if (stats.isDirectory()) return { kind: 'folder', sizeBytes: 0 }
      return stats.isFile()
        ? { kind: 'file', sizeBytes: Number(stats.size) }
        : { kind: 'other', sizeBytes: 0 }
    })
  }

  #writeNew(path: string, data: FileData): boolean {
    try {
      this.#fs.writeFileSync(path, data, { flag: 'wx' })
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) return false
      throw error
    }
  }

  /** There is nothing to sync, but what cannot be opened cannot be synced either. */
  #requireKind(kind: 'file' | 'folder', path: string): void {
    this.#fs.closeSync(this.#fs.openSync(path, 'r'))
    if (this.#stat(path)?.kind === kind) return
    throw systemError({ code: kind === 'file' ? 'EISDIR' : 'ENOTDIR', syscall: 'open', path })
  }

  #remove(path: string): boolean {
    return ifThere(false, () => {
      this.#fs.unlinkSync(path)
      return true
    })
  }

  #removeFolder(path: string): boolean {
    const found = this.#stat(path)
    if (found === undefined) return false
    if (found.kind !== 'folder') throw systemError({ code: 'ENOTDIR', syscall: 'rmdir', path })
    this.#fs.rmSync(path, { recursive: true })
    return true
  }

  #makeFolder(path: string): boolean {
    try {
      this.#fs.mkdirSync(path)
      return true
    } catch (error) {
      if (isSystemError(error, 'EEXIST') && this.#stat(path)?.kind === 'folder') return false
      throw error
    }
  }
}

function filePath(path: string): string {
  return `/${containedPath(path)}`
}

/** The root has a name too: ''. */
function folderPath(path: string): string {
  return path === '' ? '/' : filePath(path)
}

function ifThere<T>(none: T, look: () => T): T {
  try {
    return look()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return none
    throw error
  }
}

function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** With the path that the caller gave, instead of the volume's. */
function portError(thrown: unknown, operation: FileOperation): unknown {
  if (!isSystemError(thrown) || !isSystemErrorCode(thrown.code)) return thrown
  const { path } = operation
  const { syscall } = thrown
  const code: SystemErrorCode = thrown.code
  return systemError(
    operation.op === 'rename' ? { code, syscall, path, dest: operation.to } : { code, syscall, path },
  )
}
