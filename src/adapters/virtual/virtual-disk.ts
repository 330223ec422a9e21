import { assert } from '../../core/index.ts'
import { contentOf, type FileContent } from './file-content.ts'

/**
 * How the disk looks to the next life after this one ends.
 * - `kill`: the process dies, the machine goes on: everything written is there.
 * - `power-min`: the machine dies and nothing survives that was not made durable, names and contents each on their own.
 */
export type CrashOutcome = 'kill' | 'power-min'

export interface FileInode {
  readonly kind: 'file'
  readonly owner: object
  /** How many names lead here, durable ones included. */
  links: number
  volatile: FileContent
  durable: FileContent
}

export interface FolderInode {
  readonly kind: 'folder'
  readonly owner: object
  links: number
  /** Volatile names. */
  readonly names: Map<string, number>
  /** What each name changed since the last folder fsync leads to durably; undefined where it durably is not. */
  readonly undo: Map<string, number | undefined>
}

export type Inode = FileInode | FolderInode

export const rootNumber = 0

/**
 * Inodes and names, each volatile and durable. Inodes have numbers because one may be reached by two names: a renamed
 * file has its old name durably and its new name volatilely until the folders are synced.
 *
 * Copy on write: a fork copies the table of numbers only. An inode may be changed by the disk whose `owner` token it
 * carries; any other disk clones it first.
 */
export class VirtualDisk {
  #owner: object = {}
  readonly #inodes: Map<number, Inode>
  #nextNumber: number

  constructor(inodes?: ReadonlyMap<number, Inode>, nextNumber = rootNumber + 1) {
    this.#inodes = new Map(inodes)
    this.#nextNumber = nextNumber
    if (inodes === undefined) this.#inodes.set(rootNumber, this.#newFolder(1))
  }

  inode(number: number): Inode {
    const inode = this.#inodes.get(number)
    assert(inode !== undefined, 'an inode exists as long as a name leads to it', number)
    return inode
  }

  /** The inode with this number, as one that this disk may change. */
  ownFile(number: number): FileInode {
    const inode = this.inode(number)
    assert(inode.kind === 'file', 'the inode is a file', number)
    return inode.owner === this.#owner ? inode : (this.#own(number, inode) as FileInode)
  }

  ownFolder(number: number): FolderInode {
    const inode = this.inode(number)
    assert(inode.kind === 'folder', 'the inode is a folder', number)
    return inode.owner === this.#owner ? inode : (this.#own(number, inode) as FolderInode)
  }

  createFile(folder: number, name: string): number {
    const empty = contentOf('')
    return this.#create(folder, name, {
      kind: 'file',
      owner: this.#owner,
      links: 0,
      volatile: empty,
      durable: empty,
    })
  }

  createFolder(folder: number, name: string): number {
    return this.#create(folder, name, this.#newFolder(0))
  }

  /** Points a name at an inode, or with undefined at nothing. What it led to before stays durable until the fsync. */
  setName(folderNumber: number, name: string, target: number | undefined): void {
    const folder = this.ownFolder(folderNumber)
    const before = folder.names.get(name)
    if (before === target) return
    if (target !== undefined) {
      this.#link(target, 1)
      folder.names.set(name, target)
    } else {
      folder.names.delete(name)
    }
    // The reference of the volatile name, if this is its first change since the fsync, passes to the undo entry.
    if (!folder.undo.has(name)) folder.undo.set(name, before)
    else if (before !== undefined) this.#link(before, -1)
  }

  syncFile(number: number): void {
    const file = this.ownFile(number)
    file.durable = file.volatile
  }

  syncFolder(number: number): void {
    const folder = this.ownFolder(number)
    const released = [...folder.undo.values()]
    folder.undo.clear()
    for (const target of released) if (target !== undefined) this.#link(target, -1)
  }

  /** Makes everything durable. */
  syncAll(): void {
    for (const [number, inode] of this.#inodes) {
      if (inode.kind === 'file') this.syncFile(number)
      else this.syncFolder(number)
    }
  }

  fork(): VirtualDisk {
    // From here on both share every inode, so neither may change one in place.
    this.#owner = {}
    return new VirtualDisk(this.#inodes, this.#nextNumber)
  }

  afterCrash(outcome: CrashOutcome): VirtualDisk {
    if (outcome === 'kill') return this.fork()
    const survivors = new Map<number, Inode>()
    this.#survive(rootNumber, survivors)
    return new VirtualDisk(survivors, this.#nextNumber)
  }

  #survive(number: number, survivors: Map<number, Inode>): void {
    const inode = this.inode(number)
    const owner = {}
    if (inode.kind === 'file') {
      const { durable } = inode
      survivors.set(number, { kind: 'file', owner, links: 1, volatile: durable, durable })
      return
    }
    const names = durableNames(inode)
    survivors.set(number, { kind: 'folder', owner, links: 1, names, undo: new Map() })
    for (const [name, target] of names) {
      const known = survivors.get(target)
      if (known === undefined) this.#survive(target, survivors)
      else if (known.kind === 'file') known.links++
      // A half-synced move: a file may have both names, but a folder with two would let the tree contain itself.
      else names.delete(name)
    }
  }

  #create(folder: number, name: string, inode: Inode): number {
    const number = this.#nextNumber++
    this.#inodes.set(number, inode)
    this.setName(folder, name, number)
    return number
  }

  #newFolder(links: number): FolderInode {
    return { kind: 'folder', owner: this.#owner, links, names: new Map(), undo: new Map() }
  }

  #own(number: number, inode: Inode): Inode {
    const own: Inode =
      inode.kind === 'file'
        ? { ...inode, owner: this.#owner }
        : { ...inode, owner: this.#owner, names: new Map(inode.names), undo: new Map(inode.undo) }
    this.#inodes.set(number, own)
    return own
  }

  /** Counts names; an inode that none leads to any more is gone, and what only it led to. */
  #link(number: number, change: 1 | -1): void {
    const shared = this.inode(number)
    const inode = shared.owner === this.#owner ? shared : this.#own(number, shared)
    inode.links += change
    if (inode.links > 0) return
    this.#inodes.delete(number)
    if (inode.kind === 'file') return
    for (const target of inode.names.values()) this.#link(target, -1)
    for (const target of inode.undo.values()) if (target !== undefined) this.#link(target, -1)
  }
}

function durableNames(folder: FolderInode): Map<string, number> {
  const names = new Map(folder.names)
  for (const [name, target] of folder.undo) {
    if (target === undefined) names.delete(name)
    else names.set(name, target)
  }
  return names
}
