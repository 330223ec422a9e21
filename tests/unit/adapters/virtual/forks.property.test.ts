import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVirtualFiles, type VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { FileOperation } from '../../../../src/ports/index.ts'
import { fileOperations } from '../../../support/file-operations.ts'

const given = { a: '1', 'b/a': '2', 'b/b/c': '3', 'c/a': '' }

/** One side does something, or both are looked at; looking is what fills the memories of a disk. */
type Turn = { readonly side: 0 | 1 } & (
  { readonly operation: FileOperation } | { readonly look: 'digest' | 'visibleDigest' | 'read' }
)

const side = fc.constantFrom<(0 | 1)[]>(0, 1)
/** On files that are there, mostly, so that what is shared is written to. */
const known = fc.constantFrom(...Object.keys(given))
const data = fc.constantFrom('x', 'yz', '')
const operation: fc.Arbitrary<FileOperation> = fc.oneof(
  { weight: 2, arbitrary: fileOperations },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('append', 'write'), path: known, data }) },
  fc.record({ op: fc.constantFrom('fsync', 'remove'), path: known }),
  fc.record({
    op: fc.constant('rename' as const),
    path: fc.constantFrom('b', 'b/b', 'c'),
    to: fc.constantFrom('b', 'c/b', 'd'),
  }),
  fc.record({ op: fc.constant('fsyncFolder' as const), path: fc.constantFrom('', 'b', 'b/b', 'c') }),
)
const operations = fc.array(operation, { maxLength: 12 })
const turns: fc.Arbitrary<Turn[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ side, operation }) },
    fc.record({ side, look: fc.constantFrom('digest', 'visibleDigest', 'read') }),
  ),
  { maxLength: 24 },
)
const parameters = { seed: 20_260_105, numRuns: 300 }

describe('two forks of a disk', () => {
  test('are what two disks are that have done the same from the start, whoever of them does what when', () => {
    fc.assert(
      fc.property(operations, turns, (before, after) => {
        const { forks, alone } = twoSides(before, after)
        for (const each of [0, 1] as const) expectSame(forks[each], alone[each])
      }),
      parameters,
    )
  })

  test('have one visible digest exactly when the same can be seen on them', () => {
    let equal = 0
    fc.assert(
      fc.property(operations, turns, (before, after) => {
        const { forks, alone } = twoSides(before, after.slice(0, 6))
        const disks = [...forks, ...alone]
        for (const one of disks) {
          for (const other of disks) {
            const isEqual = treeOf(one) === treeOf(other)
            expect(one.visibleDigest() === other.visibleDigest()).toBe(isEqual)
          }
        }
        if (treeOf(forks[0]) === treeOf(forks[1])) equal++
      }),
      parameters,
    )
    // Both occur.
    expect(equal).toBeGreaterThan(20)
    expect(equal).toBeLessThan(280)
  })

  test('have the visible digest of a disk that was made as they are', () => {
    fc.assert(
      fc.property(operations, turns, (before, after) => {
        for (const fork of twoSides(before, after).forks) {
          expect(copyByHand(fork).visibleDigest()).toBe(fork.visibleDigest())
        }
      }),
      parameters,
    )
  })

  test('differ from the first thing on that is done on one of them, and the other one stays as it is', () => {
    fc.assert(
      fc.property(operations, operations, (before, after) => {
        const files = createVirtualFiles(given)
        attempt(files, before)
        const left: (readonly [fork: VirtualFiles, tree: string, digest: string])[] = []
        for (const each of after) {
          const fork = files.fork()
          left.push([fork, treeOf(fork), fork.digest()])
          attempt(files, [each])
          expect(files.visibleDigest() === fork.visibleDigest()).toBe(treeOf(files) === treeOf(fork))
        }
        for (const [fork, tree, digest] of left) expect([treeOf(fork), fork.digest()]).toEqual([tree, digest])
      }),
      parameters,
    )
  })
})

test('every small tree of files and folders has a visible digest of its own', () => {
  const digests = treesOf(2).map((tree) => {
    const files = createVirtualFiles()
    plant(files, tree, '')
    return files.visibleDigest()
  })
  expect(digests).toHaveLength(19 ** 2)
  expect(new Set(digests).size).toBe(digests.length)
})

/** A file by what it holds, or a folder by its names. */
type Tree = string | { readonly [name: string]: Tree }

/** Folders of up to two names; below them go folders so deep. */
function treesOf(depth: number): readonly Tree[] {
  if (depth === 0) return [{}]
  const inside = [undefined, '', 'x', ...treesOf(depth - 1)]
  return inside.flatMap((a) =>
    inside.map((b) => ({ ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })),
  )
}

function plant(files: VirtualFiles, tree: Tree, path: string): void {
  if (typeof tree === 'string') files.perform({ op: 'write', path, data: tree })
  else {
    files.perform({ op: 'makeFolder', path })
    for (const [name, below] of Object.entries(tree))
      plant(files, below, path === '' ? name : `${path}/${name}`)
  }
}

/** Forks after some operations, and disks of their own that have done what each of them has. */
function twoSides(before: readonly FileOperation[], after: readonly Turn[]) {
  const first = createVirtualFiles(given)
  attempt(first, before)
  const forks = [first, first.fork()] as const
  const alone = [createVirtualFiles(given), createVirtualFiles(given)] as const
  for (const disk of alone) attempt(disk, before)
  const answers: unknown[] = []
  const expected: unknown[] = []
  for (const turn of after) {
    if ('operation' in turn) {
      answers.push(answer(forks[turn.side], turn.operation))
      expected.push(answer(alone[turn.side], turn.operation))
    } else if (turn.look === 'read') treeOf(forks[turn.side])
    else forks[turn.side][turn.look]()
  }
  expect(answers).toEqual(expected)
  return { forks, alone }
}

function expectSame(one: VirtualFiles, other: VirtualFiles): void {
  expect(treeOf(one)).toBe(treeOf(other))
  expect(one.visibleDigest()).toBe(other.visibleDigest())
  expect(one.digest()).toBe(other.digest())
  const [crashes, others] = [one, other].map((disk) =>
    disk.distinctCrashes('digest').map(({ outcome, files, digest }) => [outcome, digest, treeOf(files)]),
  )
  expect(crashes).toEqual(others)
}

function answer(files: VirtualFiles, operation: FileOperation): unknown {
  try {
    return files.perform(operation)
  } catch (error) {
    return (error as Error).message
  }
}

function attempt(files: VirtualFiles, operations: readonly FileOperation[]): void {
  for (const operation of operations) answer(files, operation)
}

/** All that can be seen: folders, empty ones too, and files with their bytes. */
function treeOf(files: VirtualFiles): string {
  return entriesOf(files, '')
    .map(([path, bytes]) => `${path} ${bytes === 'folder' ? bytes : [...bytes].join()}`)
    .join('\n')
}

function entriesOf(files: VirtualFiles, folder: string): (readonly [path: string, Uint8Array | 'folder'])[] {
  return (files.perform({ op: 'list', path: folder }) ?? []).flatMap(({ name, kind }) => {
    const path = folder === '' ? name : `${folder}/${name}`
    if (kind === 'folder') return [[path, kind] as const, ...entriesOf(files, path)]
    return [[path, files.perform({ op: 'read', path }) as Uint8Array] as const]
  })
}

function copyByHand(files: VirtualFiles): VirtualFiles {
  const copy = createVirtualFiles()
  for (const [path, bytes] of entriesOf(files, '')) {
    if (bytes === 'folder') copy.perform({ op: 'makeFolder', path })
    else copy.perform({ op: 'write', path, data: bytes })
  }
  return copy
}
