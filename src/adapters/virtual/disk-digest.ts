import { contentHash } from './file-content.ts'
import { StreamHasher } from './stream-hash.ts'
import type { NameTable } from './name-table.ts'
import { flushed, rootNumber } from './virtual-disk.ts'
import type { Inode, UnsyncedChange, VirtualDisk } from './virtual-disk.ts'

/** Equal for disks that read alike. */
export function visibleDigest(disk: VirtualDisk): string {
  const hasher = new StreamHasher()
  addVisible(hasher, disk, disk.inode(rootNumber))
  return hasher.toString()
}

/** Equal for disks that read alike now and after any crash to come. */
export function diskDigest(disk: VirtualDisk): string {
  return new DiskHash(disk).toString()
}

/** Where a folder has the number of its names. */
const fileMark = -1
const noInode = -2

function addVisible(hasher: StreamHasher, disk: VirtualDisk, inode: Inode): void {
  if (inode.kind === 'file') {
    hasher.word(fileMark)
    hasher.hash(contentHash(inode.volatile))
    return
  }
  const { names, targets } = inode.names
  hasher.word(names.length)
  for (let place = 0; place < names.length; place++) {
    hasher.name(names[place] as string)
    addVisible(hasher, disk, disk.inode(targets[place] as number))
  }
}

/** Inodes count in the order in which they are met: their numbers only say when they were made. */
class DiskHash {
  readonly #hasher = new StreamHasher()
  readonly #disk: VirtualDisk
  readonly #met = new Map<number, number>()

  constructor(disk: VirtualDisk) {
    this.#disk = disk
    this.#addNumber(rootNumber)
    for (const change of disk.unsynced) this.#addChange(change)
  }

  toString(): string {
    return this.#hasher.toString()
  }

  #addNumber(number: number | undefined): void {
    if (number === undefined) return this.#hasher.word(noInode)
    const known = this.#met.get(number)
    this.#hasher.word(known ?? this.#met.size)
    if (known !== undefined) return
    this.#met.set(number, this.#met.size)
    this.#addInode(this.#disk.inode(number))
  }

  #addInode(inode: Inode): void {
    if (inode.kind === 'folder') {
      this.#addNames(inode.names)
      this.#addNames(inode.undo)
      return
    }
    this.#hasher.word(fileMark)
    // What was dropped needs no words: it is clean, and not durable.
    for (const content of [inode.volatile, inode.durable, inode.clean])
      this.#hasher.hash(contentHash(content))
  }

  #addNames({ names, targets }: NameTable<number | undefined>): void {
    this.#hasher.word(names.length)
    for (const [place, name] of names.entries()) {
      this.#hasher.name(name)
      this.#addNumber(targets[place])
    }
  }

  #addChange(change: UnsyncedChange): void {
    if (change.kind === 'content') {
      this.#addNumber(change.file)
      this.#hasher.hash(contentHash(flushed(change.before)))
      this.#hasher.word(change.added === undefined ? 0 : 1)
      if (change.added !== undefined) this.#hasher.hash(contentHash(change.added))
      return
    }
    this.#hasher.word(change.edits.length)
    for (const { folder, name, before, after } of change.edits) {
      this.#hasher.name(name)
      for (const number of [folder, before, after]) this.#addNumber(number)
    }
  }
}
