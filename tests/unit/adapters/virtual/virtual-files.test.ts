import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVirtualFiles, type VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { FileOperation } from '../../../../src/ports/index.ts'
import { fileOperations } from '../../../support/file-operations.ts'
import { outcomesOf, treeOf } from '../../../support/files-contract.ts'

/** What a power loss leaves after some operations on a disk on which `log` holds `1`, durably. */
const survivors: readonly [
  title: string,
  operations: readonly FileOperation[],
  left: Record<string, string>,
][] = [
  ['what was durable', [], { log: '1', 'folder/kept': 'k' }],
  ['no unsynced append', [{ op: 'append', path: 'log', data: '2' }], { log: '1', 'folder/kept': 'k' }],
  [
    'a synced append, and not the one after it',
    [
      { op: 'append', path: 'log', data: '2' },
      { op: 'fsync', path: 'log' },
      { op: 'append', path: 'log', data: '3' },
    ],
    { log: '12', 'folder/kept': 'k' },
  ],
  ['no unsynced overwriting', [{ op: 'write', path: 'log', data: '2' }], { log: '1', 'folder/kept': 'k' }],
  [
    'no file whose name was not synced',
    [
      { op: 'write', path: 'new', data: '2' },
      { op: 'fsync', path: 'new' },
    ],
    { log: '1', 'folder/kept': 'k' },
  ],
  [
    'an empty file when only the name was synced',
    [
      { op: 'write', path: 'new', data: '2' },
      { op: 'fsyncFolder', path: '' },
    ],
    { log: '1', 'folder/kept': 'k', new: '' },
  ],
  [
    'a file whose content and name were synced',
    [
      { op: 'write', path: 'new', data: '2' },
      { op: 'fsync', path: 'new' },
      { op: 'fsyncFolder', path: '' },
    ],
    { log: '1', 'folder/kept': 'k', new: '2' },
  ],
  [
    'no file in a folder whose own name was not synced',
    [
      { op: 'makeFolder', path: 'new' },
      { op: 'write', path: 'new/file', data: '2' },
      { op: 'fsync', path: 'new/file' },
      { op: 'fsyncFolder', path: 'new' },
    ],
    { log: '1', 'folder/kept': 'k' },
  ],
  [
    'the old file under an unsynced replacement',
    [
      { op: 'write', path: 'next', data: '2' },
      { op: 'fsync', path: 'next' },
      { op: 'rename', path: 'next', to: 'log' },
    ],
    { log: '1', 'folder/kept': 'k' },
  ],
  [
    'the new file after a synced replacement',
    [
      { op: 'write', path: 'next', data: '2' },
      { op: 'fsync', path: 'next' },
      { op: 'rename', path: 'next', to: 'log' },
      { op: 'fsyncFolder', path: '' },
    ],
    { log: '2', 'folder/kept': 'k' },
  ],
  [
    'content that was synced under the new name, under the old name',
    [
      { op: 'rename', path: 'log', to: 'log-2' },
      { op: 'append', path: 'log-2', data: '2' },
      { op: 'fsync', path: 'log-2' },
    ],
    { log: '12', 'folder/kept': 'k' },
  ],
  [
    'both names of a file of which only the new one was synced',
    [
      { op: 'rename', path: 'log', to: 'folder/log' },
      { op: 'fsyncFolder', path: 'folder' },
    ],
    { log: '1', 'folder/kept': 'k', 'folder/log': '1' },
  ],
  [
    'nothing of a file of which only the removal of the old name was synced',
    [
      { op: 'rename', path: 'log', to: 'folder/log' },
      { op: 'fsyncFolder', path: '' },
    ],
    { 'folder/kept': 'k' },
  ],
  [
    'a file and a folder whose removal was not synced',
    [
      { op: 'remove', path: 'log' },
      { op: 'removeFolder', path: 'folder' },
    ],
    { log: '1', 'folder/kept': 'k' },
  ],
  [
    'nothing whose removal was synced',
    [
      { op: 'remove', path: 'log' },
      { op: 'removeFolder', path: 'folder' },
      { op: 'fsyncFolder', path: '' },
    ],
    {},
  ],
  [
    'a tree even when two folders were moved into each other and half synced',
    [
      { op: 'makeFolder', path: 'folder/inner' },
      { op: 'fsyncFolder', path: 'folder' },
      { op: 'rename', path: 'folder/inner', to: 'inner' },
      { op: 'rename', path: 'folder', to: 'inner/folder' },
      { op: 'fsyncFolder', path: 'inner' },
    ],
    { log: '1', 'folder/kept': 'k' },
  ],
]

describe('a power loss', () => {
  test.each(survivors)('leaves %s', async (_title, operations, left) => {
    const files = createVirtualFiles({ log: '1', 'folder/kept': 'k' })
    await outcomesOf(files, operations)
    const before = textsOf(files)
    expect(textsOf(files.afterCrash('power-min'))).toStrictEqual(left)
    expect(textsOf(files)).toStrictEqual(before)
  })

  test('leaves nothing of what was never synced', () => {
    const given = { a: '1', 'b/a': '2', 'b/b/c': '3' }
    forSequences((operations) => {
      const files = createVirtualFiles(given)
      attempt(
        files,
        operations.filter(({ op }) => op !== 'fsync' && op !== 'fsyncFolder'),
      )
      expect(textsOf(files.afterCrash('power-min'))).toStrictEqual(given)
    })
  })

  test('leaves everything once all files and folders are synced', () => {
    forSequences((operations) => {
      const files = createVirtualFiles({ 'a/a': '1' })
      attempt(files, operations)
      syncEverything(files, '')
      expect(files.afterCrash('power-min').snapshotFiles()).toStrictEqual(files.snapshotFiles())
    })
  })

  test('leaves a disk on which everything is durable', () => {
    forSequences((operations) => {
      const files = createVirtualFiles({ 'a/a': '1' })
      attempt(files, operations)
      const after = files.afterCrash('power-min')
      expect(after.afterCrash('power-min').snapshotFiles()).toStrictEqual(after.snapshotFiles())
    })
  })
})

describe('a kill', () => {
  test('leaves all that was written, and durable only what was before', () => {
    const files = createVirtualFiles({ log: '1' })
    files.perform({ op: 'append', path: 'log', data: '2' })
    const after = files.afterCrash('kill')
    expect(textsOf(after)).toStrictEqual({ log: '12' })
    expect(textsOf(after.afterCrash('power-min'))).toStrictEqual({ log: '1' })
  })
})

describe('a fork', () => {
  test('goes its own way and leaves the other as it was', () => {
    fc.assert(
      fc.property(sequences, sequences, sequences, (before, here, there) => {
        const files = createVirtualFiles({ 'a/a': '1', b: '2' })
        attempt(files, before)
        const fork = files.fork()
        attempt(files, here)
        attempt(fork, there)
        for (const [forked, after] of [
          [files, here],
          [fork, there],
        ] as const) {
          const alone = createVirtualFiles({ 'a/a': '1', b: '2' })
          attempt(alone, [...before, ...after])
          expect(forked.snapshotFiles()).toStrictEqual(alone.snapshotFiles())
          expect(forked.afterCrash('power-min').snapshotFiles()).toStrictEqual(
            alone.afterCrash('power-min').snapshotFiles(),
          )
        }
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  test('counts what changes it from its own start', () => {
    const files = createVirtualFiles({ a: '1' })
    files.perform({ op: 'append', path: 'a', data: '2' })
    const fork = files.fork()
    fork.perform({ op: 'append', path: 'a', data: '3' })
    fork.perform({ op: 'fsync', path: 'a' })
    fork.perform({ op: 'read', path: 'a' })
    expect([files.changesMade, fork.changesMade]).toEqual([1, 2])
  })
})

describe('the virtual disk', () => {
  test('starts with what it is given, folders included', async () => {
    const files = createVirtualFiles({ 'a/b/c': 'text', d: new Uint8Array([1]) })
    expect(await treeOf(files)).toStrictEqual({
      a: 'folder',
      'a/b': 'folder',
      'a/b/c': new TextEncoder().encode('text'),
      d: new Uint8Array([1]),
    })
  })

  test('lists all files with their bytes, sorted by path', () => {
    const files = createVirtualFiles({ b: '1', 'a/c': '2', 'a-b': '3' })
    expect([...files.snapshotFiles().keys()]).toStrictEqual(['a-b', 'a/c', 'b'])
  })

  test('lists those alone that are asked for', () => {
    const files = createVirtualFiles({ b: '1', 'a/c': '2', 'a/d': '3', 'a.md': '4' })
    expect([...files.snapshotFiles((path) => path.startsWith('a')).keys()]).toStrictEqual([
      'a.md',
      'a/c',
      'a/d',
    ])
  })

  test('lists every file under its path, however many there are, in whatever folders', () => {
    const initial: Record<string, string> = {}
    for (let index = 0; index < 1_500; index++)
      for (const folder of ['a', 'a/b', 'a-b']) initial[`${folder}/${index}`] = ''
    const files = createVirtualFiles(initial)
    for (let again = 0; again < 2; again++) {
      expect([...files.snapshotFiles().keys()]).toStrictEqual(Object.keys(initial).sort())
    }
    files.perform({ op: 'rename', path: 'a/b', to: 'b' })
    expect(files.snapshotFiles().has('b/1499')).toBe(true)
    expect(files.snapshotFiles().has('a/b/1499')).toBe(false)
  })

  test('keeps its bytes when those that it was given change, and hands out the same ones each time', () => {
    const given = new Uint8Array([1])
    const files = createVirtualFiles({ a: given })
    files.perform({ op: 'append', path: 'a', data: given })
    given[0] = 9
    const read = files.perform({ op: 'read', path: 'a' })
    expect(read).toStrictEqual(new Uint8Array([1, 1]))
    expect(files.perform({ op: 'read', path: 'a' })).toBe(read)
  })

  test('fails with errors shaped like those of Node', () => {
    const files = createVirtualFiles({ a: '1' })
    const renaming = (): void => files.perform({ op: 'rename', path: 'a', to: 'b/c' })
    expect(renaming).toThrow(
      expect.objectContaining({
        code: 'ENOENT',
        errno: -2,
        syscall: 'rename',
        path: 'a',
        dest: 'b/c',
        message: `ENOENT: no such file or directory, rename 'a' -> 'b/c'`,
      }),
    )
  })
})

const sequences = fc.array(fileOperations, { maxLength: 20 })

function forSequences(body: (operations: readonly FileOperation[]) => void): void {
  fc.assert(fc.property(sequences, body), { numRuns: 300, seed: 1 })
}

function attempt(files: VirtualFiles, operations: readonly FileOperation[]): void {
  for (const operation of operations) {
    try {
      files.perform(operation)
    } catch {
      // Random sequences try much that cannot be done.
    }
  }
}

function syncEverything(files: VirtualFiles, folder: string): void {
  for (const { name, kind } of files.perform({ op: 'list', path: folder }) ?? []) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (kind === 'folder') syncEverything(files, path)
    else files.perform({ op: 'fsync', path })
  }
  files.perform({ op: 'fsyncFolder', path: folder })
}

function textsOf(files: VirtualFiles): Record<string, string> {
  const decoder = new TextDecoder()
  return Object.fromEntries([...files.snapshotFiles()].map(([path, bytes]) => [path, decoder.decode(bytes)]))
}
