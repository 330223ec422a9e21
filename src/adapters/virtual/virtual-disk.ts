import { assert } from '../../core/index.ts'
import type { FileData } from '../../ports/index.ts'
import {
  appended,
  blanked,
  contentOf,
  contentSize,
  contentStart,
  isEmpty,
  type FileContent,
  type Stretch,
} from './file-content.ts'
import { NameTable } from './name-table.ts'

export interface FileInode {
  readonly kind: 'file'
  readonly owner: object
  /** How many names lead here, durable ones and those of unsynced changes included. */
  links: number
  volatile: FileContent
  durable: FileContent
  /** The content at the last sync, failed or not: what has come since is still to be written. */
  clean: FileContent
  /** What failed syncs have dropped: it will never be written, and reads as zeros on the disk. */
  dropped: readonly Stretch[]
}

export interface FolderInode {
  readonly kind: 'folder'
  readonly owner: object
  links: number
  /** Volatile names. */
  names: NameTable<number>
  /** What each name changed since the last folder fsync leads to durably; undefined where it durably is not. */
  undo: NameTable<number | undefined>
}

export type Inode = FileInode | FolderInode

/** What a file reads as, and which of it the disk will never have. */
type Pages = Readonly<Pick<FileInode, 'volatile' | 'dropped'>>

/** One change that no sync has made durable yet. */
export type UnsyncedChange = ContentChange | NamesChange

export interface ContentChange {
  readonly kind: 'content'
  readonly file: number
  readonly before: Pages
  /** What was added behind `before`; absent where the file was emptied instead. */
  readonly added?: FileContent
}

interface NamesChange {
  readonly kind: 'names'
  /** The two names of a rename change together. */
  readonly edits: readonly NameEdit[]
}

export interface NameEdit {
  readonly folder: number
  readonly name: string
  readonly before: number | undefined
  readonly after: number | undefined
}

/** What a power loss leaves of each inode. */
export interface Survival {
  names(folder: FolderInode, number: number): NameTable<number>
  content(file: FileInode, number: number): FileContent
}

export const rootNumber = 0

/** By number; empty where an inode is gone. */
type InodeTable = (Inode | undefined)[]

/** Older ones are still unsynced, but no longer told apart: so much a disk may cost that is never synced. */
const changesKept = 32

/**
 * Inodes and names, each volatile and durable. Inodes have numbers because one may be reached by two names: a renamed
 * file has its old name durably and its new name volatilely until the folders are synced.
 *
 * Copy on write: a fork copies the table of numbers only. An inode may be changed by the disk whose `owner` token it
 * carries; any other disk clones it first.
 */
export class VirtualDisk {
  #owner: object = {}
  readonly #inodes: InodeTable
  #unsynced: UnsyncedChange[]

  constructor(inodes?: InodeTable, unsynced: readonly UnsyncedChange[] = []) {
    this.#inodes = inodes ?? [folderInode(this.#owner, 1, noNames, noNames)]
    this.#unsynced = [...unsynced]
  }

  inode(number: number): Inode {
    const inode = this.#inodes[number]
    assert(inode !== undefined, 'an inode exists as long as a name leads to it', number)
    return inode
  }

  /** The newest, in the order in which they were made. */
  get unsynced(): readonly UnsyncedChange[] {
    return this.#unsynced
  }

  /** Whether there is unsynced data, of which a part may be missing. */
  get isBeingWritten(): boolean {
    return this.#unsynced.some(isWriting)
  }

  createFile(folder: number, name: string): number {
    const empty = contentOf('')
    const contents = { volatile: empty, durable: empty, clean: empty, dropped: [] }
    return this.#create(folder, name, fileInode(this.#owner, 0, contents))
  }

  createFolder(folder: number, name: string): number {
    return this.#create(folder, name, folderInode(this.#owner, 0, noNames, noNames))
  }

  /** Empties a file and writes from its start. */
  replaceContent(number: number, data: FileData): void {
    const file = this.#ownFile(number)
    if (!isEmpty(file.volatile)) this.#note({ kind: 'content', file: number, before: pagesOf(file) })
    file.volatile = contentOf('')
    file.clean = file.volatile
    file.dropped = []
    this.appendContent(number, data)
  }

  appendContent(number: number, data: FileData): void {
    if (data.length === 0) return
    const file = this.#ownFile(number)
    const added = contentOf(data)
    this.#note({ kind: 'content', file: number, before: pagesOf(file), added })
    file.volatile = appended(file.volatile, added)
  }

  /** Cuts the newest unsynced data to what `kept` says of its size: the moment at which it was being written. */
  tear(kept: (size: number) => number): void {
    const torn = this.#unsynced.findLastIndex(
      (change, index, all) => isWriting(change) && all.findLastIndex(isChangeOf(change.file)) === index,
    )
    const change = this.#unsynced[torn]
    if (change === undefined || !isWriting(change)) return
    const added = contentStart(change.added, kept(contentSize(change.added)))
    const file = this.#ownFile(change.file)
    file.volatile = appended(change.before.volatile, added)
    this.#unsynced[torn] = { ...change, added }
  }

  /** Points names at inodes, or with undefined at nothing. What they led to before stays durable until the fsync. */
  setNames(...targets: readonly Omit<NameEdit, 'before'>[]): void {
    const edits = targets.map(({ folder, name, after }) => {
      return { folder, name, before: this.#folder(folder).names.get(name), after }
    })
    this.#note({ kind: 'names', edits })
    for (const edit of edits) this.#setName(edit)
  }

  syncFile(number: number): void {
    const file = this.#ownFile(number)
    file.durable = flushed(file)
    file.clean = file.volatile
    this.#forgetContent(number)
  }

  /** What a failing fsync does on Linux: the unsynced pages count as written, and are not. */
  dropUnsynced(number: number): void {
    const file = this.#ownFile(number)
    const unsynced = { from: contentSize(file.clean), to: contentSize(file.volatile) }
    file.dropped = [...file.dropped, unsynced]
    file.clean = file.volatile
    this.#forgetContent(number)
  }

  syncFolder(number: number): void {
    if (this.#folder(number).undo.size === 0) return
    const folder = this.#ownFolder(number)
    const released = folder.undo.targets
    folder.undo = noNames
    for (const target of released) this.#unlink(target)
    this.#forgetNames(number)
  }

  /** Makes everything durable. */
  syncAll(): void {
    for (const [number, inode] of this.#inodes.entries()) {
      if (inode?.kind === 'file') this.syncFile(number)
      else if (inode?.kind === 'folder') this.syncFolder(number)
    }
  }

  fork(): VirtualDisk {
    // From here on both share every inode, so neither may change one in place.
    this.#owner = {}
    return new VirtualDisk(this.#inodes.slice(), this.#unsynced)
  }

  /** The disk after a power loss: what is left is durable. */
  surviving(survival: Survival): VirtualDisk {
    // What is durable as it is both share from here on.
    this.#owner = {}
    const survivors: InodeTable = this.#inodes.slice().fill(undefined)
    this.#survive(rootNumber, survival, survivors)
    return new VirtualDisk(survivors)
  }

  #survive(number: number, survival: Survival, survivors: InodeTable): void {
    const inode = this.inode(number)
    const owner = {}
    if (inode.kind === 'file') {
      const content = survival.content(inode, number)
      survivors[number] = isAll(content, inode)
        ? inode
        : fileInode(owner, 1, { volatile: content, durable: content, clean: content, dropped: [] })
      return
    }
    const names = survival.names(inode, number)
    const isAsItIs = names === inode.names && inode.undo.size === 0 && inode.links === 1
    survivors[number] = isAsItIs ? inode : folderInode(owner, 1, names, noNames)
    let left = names
    for (const [place, target] of names.targets.entries()) {
      const known = survivors[target]
      if (known === undefined) this.#survive(target, survival, survivors)
      else if (known.kind === 'file') known.links++
      // A half-synced move: a file may have both names, but a folder with two would let the tree contain itself.
      else left = left.without(names.names[place] as string)
    }
    if (left !== names) survivors[number] = folderInode(owner, 1, left, noNames)
  }

  #create(folder: number, name: string, inode: Inode): number {
    const number = this.#inodes.push(inode) - 1
    this.setNames({ folder, name, after: number })
    return number
  }

  #setName({ folder: number, name, before, after }: NameEdit): void {
    const folder = this.#ownFolder(number)
    this.#link(after)
    folder.names = led(folder.names, name, after)
    // The reference of the volatile name, if this is its first change since the fsync, passes to the undo entry.
    if (folder.undo.has(name)) this.#unlink(before)
    else folder.undo = folder.undo.with(name, before)
  }

  #folder(number: number): FolderInode {
    const inode = this.inode(number)
    assert(inode.kind === 'folder', 'the inode is a folder', number)
    return inode
  }

  #ownFile(number: number): FileInode {
    const inode = this.inode(number)
    assert(inode.kind === 'file', 'the inode is a file', number)
    return this.#own(number, inode) as FileInode
  }

  #ownFolder(number: number): FolderInode {
    return this.#own(number, this.#folder(number)) as FolderInode
  }

  /** The inode as one that this disk may change. */
  #own(number: number, inode: Inode): Inode {
    if (inode.owner === this.#owner) return inode
    const own =
      inode.kind === 'file'
        ? fileInode(this.#owner, inode.links, inode)
        : folderInode(this.#owner, inode.links, inode.names, inode.undo)
    this.#inodes[number] = own
    return own
  }

  /** What an edit leads to, before and after, is kept for as long as the edit is. */
  #note(change: UnsyncedChange): void {
    this.#unsynced.push(change)
    if (change.kind === 'names') {
      for (const { before, after } of change.edits) {
        this.#link(before)
        this.#link(after)
      }
    }
    if (this.#unsynced.length <= changesKept) return
    const oldest = this.#unsynced.shift()
    if (oldest?.kind === 'names') this.#release(oldest.edits)
  }

  #forgetContent(number: number): void {
    const isOfFile = isChangeOf(number)
    this.#unsynced = this.#unsynced.filter((change) => !isOfFile(change))
  }

  #forgetNames(folder: number): void {
    const kept: UnsyncedChange[] = []
    const forgotten: NameEdit[] = []
    for (const change of this.#unsynced) {
      if (change.kind === 'content' || change.edits.every((edit) => edit.folder !== folder)) {
        kept.push(change)
        continue
      }
      const edits: NameEdit[] = []
      for (const edit of change.edits) (edit.folder === folder ? forgotten : edits).push(edit)
      if (edits.length > 0) kept.push({ kind: 'names', edits })
    }
    this.#unsynced = kept
    this.#release(forgotten)
  }

  #release(edits: readonly NameEdit[]): void {
    for (const { before, after } of edits) {
      this.#unlink(before)
      this.#unlink(after)
    }
  }

  #link(number: number | undefined): void {
    if (number !== undefined) this.#own(number, this.inode(number)).links++
  }

  /** An inode that nothing leads to any more is gone, and what only it led to. */
  #unlink(number: number | undefined): void {
    if (number === undefined) return
    const inode = this.#own(number, this.inode(number))
    inode.links--
    if (inode.links > 0) return
    this.#inodes[number] = undefined
    if (inode.kind === 'file') {
      this.#forgetContent(number)
      return
    }
    this.#forgetNames(number)
    for (const target of inode.names.targets) this.#unlink(target)
    for (const target of inode.undo.targets) this.#unlink(target)
  }
}

/** All inodes of a kind have their members in one order: copying one costs as little as that. */
function fileInode(
  owner: object,
  links: number,
  { volatile, durable, clean, dropped }: Pick<FileInode, 'volatile' | 'durable' | 'clean' | 'dropped'>,
): FileInode {
  return { kind: 'file', owner, links, volatile, durable, clean, dropped }
}

function folderInode(
  owner: object,
  links: number,
  names: FolderInode['names'],
  undo: FolderInode['undo'],
): FolderInode {
  return { kind: 'folder', owner, links, names, undo }
}

const noNames = new NameTable<never>()

/** Whether a file has nothing but this content, and one name. */
function isAll(content: FileContent, { links, volatile, durable, clean, dropped }: FileInode): boolean {
  return (
    links === 1 && content === volatile && content === durable && content === clean && dropped.length === 0
  )
}

export function durableNames({ names, undo }: FolderInode): NameTable<number> {
  return undo.names.reduce((durable, name, place) => led(durable, name, undo.targets[place]), names)
}

/** With a name that leads to something, or to nothing. */
export function led(names: NameTable<number>, name: string, target: number | undefined): NameTable<number> {
  return target === undefined ? names.without(name) : names.with(name, target)
}

/** What a name leads to durably. */
export function durableTarget({ names, undo }: FolderInode, name: string): number | undefined {
  return undo.has(name) ? undo.get(name) : names.get(name)
}

/** What the disk has once everything still to be written is written. */
export function flushed({ volatile, dropped }: Pages): FileContent {
  return dropped.length === 0 ? volatile : blanked(volatile, dropped)
}

function isChangeOf(file: number): (change: UnsyncedChange) => boolean {
  return (change) => change.kind === 'content' && change.file === file
}

function pagesOf({ volatile, dropped }: FileInode): Pages {
  return { volatile, dropped }
}

function isWriting(change: UnsyncedChange): change is ContentChange & { readonly added: FileContent } {
  return change.kind === 'content' && change.added !== undefined
}
