import { containedPath, joinPath } from '../../core/index.ts'
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
  /** The names of the folders on the way. */
  readonly folders: readonly string[]
  readonly name: string
}

/** Paths parsed so far: parsing is pure, so all disks share what it gave. */
const parsedPaths = new Map<string, ParsedPath>()
const pathsKept = 4_096

/** Where a path leads to; else why it is not to be had: a folder on the way is missing, or is a file. */
export function placeOn(disk: VirtualDisk, path: string): Place | 'ENOENT' | 'ENOTDIR' {
  const { normal, folders, name } = parsePath(path)
  let folder = rootNumber
  let inode = disk.inode(folder)
  for (const part of folders) {
    if (inode.kind === 'file') return 'ENOTDIR'
    const next = inode.names.get(part)
    if (next === undefined) return 'ENOENT'
    folder = next
    inode = disk.inode(folder)
  }
  if (inode.kind === 'file') return 'ENOTDIR'
  return { path: normal, name, folder, target: inode.names.get(name) }
}

/** What a path leads to; '' is the root. */
export function inodeOn(disk: VirtualDisk, path: string): Inode | undefined {
  if (path === '') return disk.inode(rootNumber)
  const place = placeOn(disk, path)
  if (typeof place === 'string' || place.target === undefined) return undefined
  return disk.inode(place.target)
}

/** @throws FaultlineError `PATH_OUTSIDE` */
export function parsePath(path: string): ParsedPath {
  const known = parsedPaths.get(path)
  if (known !== undefined) return known
  const normal = containedPath(path)
  const cut = normal.lastIndexOf('/')
  const parent = cut < 0 ? undefined : parsePath(normal.slice(0, cut))
  const folders = parent === undefined ? [] : [...parent.folders, parent.name]
  const parsed = { normal, folders, name: copied(normal.slice(cut + 1)) }
  if (parsedPaths.size >= pathsKept) parsedPaths.clear()
  parsedPaths.set(path, parsed)
  return parsed
}

/** Paths joined so far, by folder and name. */
const joinedPaths = new Map<string, Map<string, string>>()
let joinedPathsCount = 0

/** Joins the path of a folder with names in it: to the same text each time, since one that is new must be hashed anew. */
export function pathsIn(folder: string): (name: string) => string {
  if (joinedPathsCount > pathsKept) {
    joinedPaths.clear()
    joinedPathsCount = 0
  }
  const known = joinedPaths.get(folder)
  const paths = known ?? new Map<string, string>()
  if (known === undefined) {
    joinedPaths.set(folder, paths)
    joinedPathsCount++
  }
  return (name) => {
    let path = paths.get(name)
    if (path !== undefined) return path
    path = joinPath(folder, name)
    paths.set(name, path)
    joinedPathsCount++
    return path
  }
}

/** Names are compared again and again, which takes several times as long for a piece of a longer text. */
function copied(name: string): string {
  return name.split('').join('')
}
