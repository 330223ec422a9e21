import { crashOutcomes, type CrashOutcome } from '../../definition/index.ts'
import { appended, contentOf, contentSize, overwritten, type FileContent } from './file-content.ts'
import {
  durableNames,
  flushed,
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

/** All outcomes that this disk has; some may lead to equal disks. */
export function possibleOutcomes(disk: VirtualDisk): readonly CrashOutcome[] {
  const recent = disk.unsynced.slice(-changesInSubsets)
  const subsets = recent.length === 0 ? 0 : 2 ** recent.length
  return [
    ...crashOutcomes,
    ...Array.from({ length: subsets }, (_, subset) => subset)
      .filter((subset) => chosen(recent, subset).every((change, _, all) => isPossible(change, recent, all)))
      .map((subset) => `subset-${subset}` as const),
  ]
}

function torn(disk: VirtualDisk, kept: (size: number) => number): VirtualDisk {
  const crashed = disk.fork()
  crashed.tear(kept)
  return crashed
}

/** Of the newest unsynced changes only a subset has reached the disk, as its bits say: the lowest is for the newest. */
function afterLosing(disk: VirtualDisk, subset: number): VirtualDisk {
  const recent = disk.unsynced.slice(-changesInSubsets)
  const survival = new Reached(recent)
  const reached: UnsyncedChange[] = []
  for (const change of chosen(recent, subset)) {
    if (!isPossible(change, recent, reached)) continue
    reached.push(change)
    survival.apply(change)
  }
  return disk.surviving(survival)
}

function chosen(recent: readonly UnsyncedChange[], subset: number): UnsyncedChange[] {
  return recent.filter((_, index) => (subset >> (recent.length - 1 - index)) & 1)
}

/** Changes reach the disk in any order, except that what builds on another one comes after it. */
function isPossible(
  change: UnsyncedChange,
  recent: readonly UnsyncedChange[],
  reached: readonly UnsyncedChange[],
): boolean {
  return recent
    .slice(0, recent.indexOf(change))
    .every((earlier) => reached.includes(earlier) || !buildsOn(change, earlier))
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

  names(folder: FolderInode, number: number): ReadonlyMap<string, number> {
    const names = new Map(folder.names)
    for (const [name, target] of this.#names.get(number) ?? []) {
      if (target === undefined) names.delete(name)
      else names.set(name, target)
    }
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
