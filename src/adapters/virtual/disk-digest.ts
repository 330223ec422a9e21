import { joinPath } from '../../core/index.ts'
import { contentDigest, type Stretch } from './file-content.ts'
import { emptyHash, hashOn, hashText } from './stream-hash.ts'
import {
  rootNumber,
  type FolderInode,
  type Inode,
  type UnsyncedChange,
  type VirtualDisk,
} from './virtual-disk.ts'

/** Equal for disks that read alike. */
export function visibleDigest(disk: VirtualDisk): string {
  const lines: string[] = []
  describeFolder(disk, rootNumber, '', lines)
  return digestOf(lines)
}

/** Equal for disks that read alike now and after any crash to come. */
export function diskDigest(disk: VirtualDisk): string {
  const state = new StateText(disk)
  return digestOf(state.lines)
}

function describeFolder(disk: VirtualDisk, number: number, path: string, lines: string[]): void {
  const folder = disk.inode(number) as FolderInode
  for (const [name, target] of sorted(folder.names)) {
    const inode = disk.inode(target)
    const inner = joinPath(path, name)
    lines.push(inode.kind === 'file' ? `${inner} ${contentDigest(inode.volatile)}` : `${inner}/`)
    if (inode.kind === 'folder') describeFolder(disk, target, inner, lines)
  }
}

/** The state of a disk in words, with inodes by the order in which they are met: their numbers say nothing. */
class StateText {
  readonly lines: string[] = []
  readonly #disk: VirtualDisk
  readonly #met = new Map<number, number>()

  constructor(disk: VirtualDisk) {
    this.#disk = disk
    this.#meet(rootNumber)
    for (const change of disk.unsynced) this.lines.push(this.#change(change))
  }

  #meet(number: number | undefined): string {
    if (number === undefined) return '-'
    const known = this.#met.get(number)
    if (known !== undefined) return String(known)
    const met = this.#met.size
    this.#met.set(number, met)
    this.lines.push(`${met} ${this.#inode(this.#disk.inode(number))}`)
    return String(met)
  }

  #inode(inode: Inode): string {
    if (inode.kind === 'folder') return `${this.#names(inode.names)}|${this.#names(inode.undo)}`
    const contents = [inode.volatile, inode.durable, inode.clean].map(contentDigest)
    return [...contents, stretchesText(inode.dropped)].join(' ')
  }

  #names(names: ReadonlyMap<string, number | undefined>): string {
    return sorted(names)
      .map(([name, target]) => `${name}/${this.#meet(target)}`)
      .join('/')
  }

  #change(change: UnsyncedChange): string {
    if (change.kind === 'content') {
      const { file, before, added } = change
      const contents = [before.volatile, ...(added === undefined ? [] : [added])].map(contentDigest)
      return [this.#meet(file), ...contents, stretchesText(before.dropped)].join(' ')
    }
    return change.edits
      .map(
        ({ folder, name, before, after }) =>
          [folder, before, after].map((each) => this.#meet(each)).join('/') + name,
      )
      .join('/')
  }
}

function stretchesText(stretches: readonly Stretch[]): string {
  return stretches.map(({ from, to }) => `${from}-${to}`).join()
}

function sorted<T>(names: ReadonlyMap<string, T>): [string, T][] {
  return [...names].sort(([left], [right]) => (left < right ? -1 : 1))
}

const encoder = new TextEncoder()

function digestOf(lines: readonly string[]): string {
  return hashText(hashOn(emptyHash, encoder.encode(lines.join('\0'))))
}
