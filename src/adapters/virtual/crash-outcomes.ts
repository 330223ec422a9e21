import { crashOutcomes, type CrashOutcome } from '../../definition/index.ts'
import { appended, contentOf, contentSize, overwritten, type FileContent } from './file-content.ts'
import type { NameTable } from './name-table.ts'
import {
  durableNames,
  flushed,
  led,
  type ContentChange,
  type FileInode,
  type FolderInode,
  type NameEdit,
  type Survival,
  type UnsyncedChange,
  type VirtualDisk,
} from './virtual-disk.ts'

/** Subsets tell apart the newest unsynced changes, so many: 2^6 subsets are what a sweep can afford. */
const changesInSubsets = 6

/** The disk as the next life finds it. The one that crashed stays as it is. */
export function afterCrash(disk: VirtualDisk, outcome: CrashOutcome): VirtualDisk {
  switch (outcome) {
    case 'kill':
      return disk.fork()
    case 'torn-1':
      return torn(disk, () => 1)
    case 'torn-half':
      return torn(disk, (size) => Math.floor(size / 2))
    case 'torn-end':
      return torn(disk, (size) => size - 1)
    case 'power-min':
      return disk.surviving({ names: durableNames, content: ({ durable }) => durable })
    case 'power-names':
      return disk.surviving({ names: ({ names }) => names, content: ({ durable }) => durable })
    case 'power-data':
      return disk.surviving({ names: durableNames, content: flushed })
    default:
      return afterLosing(disk, Number(outcome.slice('subset-'.length)))
  }
}

/** All outcomes that a disk with as many unsynced changes has; some lead to equal disks. */
export function possibleOutcomes(disk: VirtualDisk): readonly CrashOutcome[] {
  const changes = Math.min(disk.unsynced.length, changesInSubsets)
  const subsets = changes === 0 ? 0 : 2 ** changes
  return [...crashOutcomes, ...Array.from({ length: subsets }, (_, subset) => `subset-${subset}` as const)]
}

/** Without unsynced data to tear it is a kill. */
export function isTorn(outcome: CrashOutcome): boolean {
  return outcome.startsWith('torn-')
}

function torn(disk: VirtualDisk, kept: (size: number) => number): VirtualDisk {
  const crashed = disk.fork()
  crashed.tear(kept)
  return crashed
}

/**
 * Of the newest unsynced changes only those have reached the disk that the bits of `subset` choose, the lowest for the
 * newest, and that do not build on one that has not.
 */
function afterLosing(disk: VirtualDisk, subset: number): VirtualDisk {
  const recent = disk.unsynced.slice(-changesInSubsets)
  const survival = new Reached(recent)
  const lost: UnsyncedChange[] = []
  for (const [index, change] of recent.entries()) {
    const chosen = (subset >> (recent.length - 1 - index)) % 2 === 1
    if (chosen && !lost.some((earlier) => buildsOn(change, earlier))) survival.apply(change)
    else lost.push(change)
  }
  return disk.surviving(survival)
}

/** A name changes in order, and bytes written to an emptied file come into its new space: the emptying shows first. */
function buildsOn(change: UnsyncedChange, earlier: UnsyncedChange): boolean {
  if (change.kind === 'content') {
    return earlier.kind === 'content' && earlier.file === change.file && earlier.added === undefined
  }
  return (
    earlier.kind === 'names' &&
    earlier.edits.some((edit) => change.edits.some((other) => sameName(edit, other)))
  )
}

function sameName(left: NameEdit, right: NameEdit): boolean {
  return left.folder === right.folder && left.name === right.name
}

/** What is left when recent changes are taken back, and some of them applied again. */
class Reached implements Survival {
  readonly #contents = new Map<number, FileContent>()
  readonly #names = new Map<number, Map<string, number | undefined>>()

  constructor(recent: readonly UnsyncedChange[]) {
    for (const change of recent.toReversed()) {
      if (change.kind === 'content') this.#contents.set(change.file, flushed(change.before))
      else for (const edit of change.edits) this.#setName(edit, edit.before)
    }
  }

  apply(change: UnsyncedChange): void {
    if (change.kind === 'content') this.#contents.set(change.file, this.#changed(change))
    else for (const edit of change.edits) this.#setName(edit, edit.after)
  }

  content(file: FileInode, number: number): FileContent {
    return this.#contents.get(number) ?? flushed(file)
  }

  names(folder: FolderInode, number: number): NameTable<number> {
    let { names } = folder
    for (const [name, target] of this.#names.get(number) ?? []) names = led(names, name, target)
    return names
  }

  #changed({ file, before, added }: ContentChange): FileContent {
    if (added === undefined) return contentOf('')
    const content = this.#contents.get(file) ?? before.volatile
    return content === before.volatile
      ? appended(content, added)
      : overwritten(content, contentSize(before.volatile), added)
  }

  #setName({ folder, name }: NameEdit, target: number | undefined): void {
    const names = this.#names.get(folder) ?? new Map<string, number | undefined>()
    this.#names.set(folder, names.set(name, target))
  }
}
