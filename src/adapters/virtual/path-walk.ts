import { containedPath, parentFolder } from '../../core/index.ts'
import { rootNumber, type Inode, type VirtualDisk } from './virtual-disk.ts'

/** A name in a folder that exists, and what has it now. */
export interface Place {
  /** In normal form. */
  readonly path: string
  readonly name: string
  readonly folder: number
  readonly target: number | undefined
}

interface ParsedPath {
  readonly normal: string
  readonly folder: string
  readonly name: string
}

/** Paths parsed so far: parsing is pure, so all disks share what it gave. */
const parsedPaths = new Map<string, ParsedPath>()
const parsedPathsKept = 4_096

/**
 * Finds what paths lead to on one disk. Remembers folders, and files that were opened, since programs come back to the
 * same few; whoever changes what a name leads to must say so with `forget`.
 */
export class PathWalk {
  readonly #disk: VirtualDisk
  readonly #folders = new Map<string, number>([['', rootNumber]])
  readonly #files = new Map<string, number>()

  constructor(disk: VirtualDisk) {
    this.#disk = disk
  }

  /** Why it is not to be had: a folder on the way is missing, or is a file. */
  place(path: string): Place | 'ENOENT' | 'ENOTDIR' {
    const { normal, folder: folderPath, name } = parsePath(path)
    const folder = this.#folders.get(folderPath) ?? this.#walk(folderPath)
    if (typeof folder === 'string') return folder
    const inode = this.#disk.inode(folder)
    if (inode.kind === 'file') return 'ENOTDIR'
    return { path: normal, name, folder, target: inode.names.get(name) }
  }

  /** What a path leads to; '' is the root. */
  inode(path: string): Inode | undefined {
    if (path === '') return this.#disk.inode(rootNumber)
    const place = this.place(path)
    if (typeof place === 'string' || place.target === undefined) return undefined
    return this.#disk.inode(place.target)
  }

  openedFile(path: string): number | undefined {
    return this.#files.get(path)
  }

  /** Remembers a file under the normal form of its path, so that there is one entry to forget. */
  opened(place: Place, file: number): void {
    this.#files.set(place.path, file)
  }

  forget(path: string): void {
    this.#files.delete(path)
  }

  /** For when a folder moves or goes, and all paths below it with it. */
  forgetAll(): void {
    this.#files.clear()
    this.#folders.clear()
    this.#folders.set('', rootNumber)
  }

  #walk(folderPath: string): number | 'ENOENT' | 'ENOTDIR' {
    let number = rootNumber
    for (const part of folderPath.split('/')) {
      const inode = this.#disk.inode(number)
      if (inode.kind === 'file') return 'ENOTDIR'
      const next = inode.names.get(part)
      if (next === undefined) return 'ENOENT'
      number = next
    }
    if (this.#disk.inode(number).kind === 'folder') this.#folders.set(folderPath, number)
    return number
  }
}

function parsePath(path: string): ParsedPath {
  const known = parsedPaths.get(path)
  if (known !== undefined) return known
  const normal = containedPath(path)
  const folder = parentFolder(normal)
  const name = folder === '' ? normal : normal.slice(folder.length + 1)
  const parsed = { normal, folder, name }
  if (parsedPaths.size >= parsedPathsKept) parsedPaths.clear()
  parsedPaths.set(path, parsed)
  return parsed
}
