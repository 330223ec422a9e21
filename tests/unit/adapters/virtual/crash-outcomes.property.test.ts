import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVirtualFiles, type VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { CrashOutcome } from '../../../../src/definition/index.ts'
import type { FileOperation } from '../../../../src/ports/index.ts'
import { treeOf } from '../../../support/files-contract.ts'

const paths = ['a', 'b', 'folder/a', 'folder/b'] as const
const path = fc.constantFrom(...paths)

/** Operations on files in two durable folders; those that write say how many bytes. */
const operations = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constantFrom('write', 'writeNew', 'append'),
      path,
      size: fc.integer({ min: 0, max: 3 }),
    }),
    fc.record({ op: fc.constantFrom('fsync', 'remove'), path }),
    fc.record({ op: fc.constant('fsyncFolder' as const), path: fc.constantFrom('', 'folder') }),
    fc.record({ op: fc.constant('rename' as const), path, to: path }),
  ),
  { maxLength: 20 },
)

type Planned = (typeof operations extends fc.Arbitrary<infer T> ? T : never)[number]

/**
 * What a sequence of operations may rely on, kept in the plainest way: no two bytes ever written are alike, so that each
 * tells where it belongs, and for each path it is noted whether its name and its content were synced since they changed.
 */
class History {
  readonly files = createVirtualFiles({ a: bytes(1, 2), 'folder/b': bytes(3, 4) })
  readonly #offsets = new Map([
    [1, 0],
    [2, 1],
    [3, 0],
    [4, 1],
  ])
  readonly #nameSynced = new Set<string>(paths)
  readonly #contentSynced = new Set<string>(paths)

  perform(planned: Planned): void {
    const operation = 'size' in planned ? this.#writing(planned) : planned
    const there = this.files.perform({ op: 'stat', path: operation.path }) !== undefined
    let answer: unknown
    try {
      answer = this.files.perform(operation)
    } catch {
      return
    }
    if (answer !== false) this.#note(operation, there)
  }

  /** Why this cannot be what is left of the files, if so. */
  objections(left: VirtualFiles, outcome: CrashOutcome): string[] {
    const problems: string[] = []
    const now = this.files.snapshotFiles()
    const after = left.snapshotFiles()
    for (const each of paths) {
      if (!this.#nameSynced.has(each)) continue
      if (now.has(each) !== after.has(each)) problems.push(`the synced name ${each} was lost`)
      else if (this.#contentSynced.has(each) && String(now.get(each)) !== String(after.get(each))) {
        problems.push(`the synced content of ${each} was lost`)
      }
    }
    for (const [each, content] of after) {
      for (const [index, byte] of content.entries()) {
        const known = byte === 0 ? outcome.startsWith('subset') : this.#offsets.get(byte) === index
        if (!known) problems.push(`nobody wrote ${byte} at ${index} of ${each}`)
      }
    }
    return problems
  }

  #writing({ op, path: target, size }: Extract<Planned, { size: number }>): FileOperation {
    const start = op === 'append' ? (this.files.perform({ op: 'stat', path: target })?.sizeBytes ?? 0) : 0
    const first = this.#offsets.size + 1
    const values = Array.from({ length: size }, (_, index) => first + index)
    for (const [index, value] of values.entries()) this.#offsets.set(value, start + index)
    return { op, path: target, data: bytes(...values) }
  }

  #note(operation: FileOperation, there: boolean): void {
    switch (operation.op) {
      case 'fsync':
        this.#contentSynced.add(operation.path)
        break
      case 'fsyncFolder':
        for (const each of paths) if (folderOf(each) === operation.path) this.#nameSynced.add(each)
        break
      case 'rename':
        if (operation.path === operation.to) break
        this.#nameSynced.delete(operation.path)
        this.#nameSynced.delete(operation.to)
        if (this.#contentSynced.has(operation.path)) this.#contentSynced.add(operation.to)
        else this.#contentSynced.delete(operation.to)
        break
      case 'remove':
        this.#nameSynced.delete(operation.path)
        break
      default:
        this.#contentSynced.delete(operation.path)
        if (!there) this.#nameSynced.delete(operation.path)
    }
  }
}

describe('after every outcome of a crash', { timeout: 30_000 }, () => {
  test('what was synced is there, and nothing that nobody wrote', () => {
    forHistories(({ history, outcomes }) => {
      const before = history.files.digest()
      for (const outcome of outcomes) {
        expect([outcome, history.objections(history.files.afterCrash(outcome), outcome)]).toEqual([
          outcome,
          [],
        ])
      }
      expect(history.files.digest()).toBe(before)
    })
  })

  test('of the process everything written is there, but for the end of one file', () => {
    forHistories(({ history: { files } }) => {
      const written = files.snapshotFiles()
      expect(files.afterCrash('kill').snapshotFiles()).toStrictEqual(written)
      for (const outcome of ['torn-1', 'torn-half', 'torn-end'] as const) {
        const left = files.afterCrash(outcome).snapshotFiles()
        expect([...left.keys()]).toEqual([...written.keys()])
        const torn = [...left].filter(([each, content]) => String(content) !== String(written.get(each)))
        expect(torn.length).toBeLessThanOrEqual(1)
        for (const [each, content] of torn) {
          expect(content).toStrictEqual(written.get(each)?.slice(0, content.length))
        }
      }
    })
  })

  test('in which all changes reached the disk everything written is there, durably', () => {
    forHistories(({ history: { files } }) => {
      const left = files.afterCrash('subset-63')
      expect(left.snapshotFiles()).toStrictEqual(files.snapshotFiles())
      expect(left.afterCrash('power-min').snapshotFiles()).toStrictEqual(files.snapshotFiles())
    })
  })

  test('the visible digests of two disks are equal if and only if they read alike', async () => {
    for (const { history, outcomes } of sampledHistories(60)) {
      const disks = outcomes.map((outcome) => history.files.afterCrash(outcome))
      const digestOfTree = new Map<string, string>()
      const treeOfDigest = new Map<string, string>()
      for (const disk of disks) {
        const tree = JSON.stringify(await treeOf(disk))
        const digest = disk.visibleDigest()
        expect(digestOfTree.get(tree) ?? digest).toBe(digest)
        expect(treeOfDigest.get(digest) ?? tree).toBe(tree)
        digestOfTree.set(tree, digest)
        treeOfDigest.set(digest, tree)
      }
    }
  })

  test('equal digests mean equal disks after the next crash too', () => {
    for (const { history, outcomes } of sampledHistories(60)) {
      const known = new Map<string, string>()
      for (const outcome of outcomes) {
        const disk = history.files.afterCrash(outcome)
        const future = JSON.stringify(
          disk
            .distinctOutcomes()
            .map((next) => [next, [...disk.afterCrash(next).snapshotFiles()].map(String)]),
        )
        expect(known.get(disk.digest()) ?? future).toBe(future)
        known.set(disk.digest(), future)
      }
    }
  })
})

interface Case {
  readonly history: History
  readonly outcomes: readonly CrashOutcome[]
}

function caseOf(planned: readonly Planned[]): Case {
  const history = new History()
  for (const operation of planned) history.perform(operation)
  return { history, outcomes: history.files.distinctOutcomes() }
}

function forHistories(body: (history: Case) => void): void {
  fc.assert(
    fc.property(operations, (planned) => body(caseOf(planned))),
    { numRuns: 150, seed: 20_260_101 },
  )
}

function sampledHistories(count: number): Case[] {
  return fc.sample(operations, { numRuns: count, seed: 20_260_102 }).map(caseOf)
}

function folderOf(each: string): string {
  return each.includes('/') ? 'folder' : ''
}

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values)
}
