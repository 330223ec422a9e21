import { describe, expect, test } from 'vitest'
import { createVirtualFiles, type VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { crashOutcomes, type CrashOutcome } from '../../../../src/definition/index.ts'
import type { FileOperation } from '../../../../src/ports/index.ts'
import { fencedBlocks, readPage, tableRows } from '../../../support/markdown.ts'

const append = (path: string, data: string | Uint8Array): FileOperation => ({ op: 'append', path, data })
const write = (path: string, data: string): FileOperation => ({ op: 'write', path, data })
const fsync = (path: string): FileOperation => ({ op: 'fsync', path })
const fsyncFolder = (path: string): FileOperation => ({ op: 'fsyncFolder', path })
const rename = (path: string, to: string): FileOperation => ({ op: 'rename', path, to })
const remove = (path: string): FileOperation => ({ op: 'remove', path })

describe('docs/simulated-disk.md', () => {
  const page = 'docs/simulated-disk.md'
  const example = JSON.parse(fencedBlocks(page)[0]?.text ?? '') as FileOperation[]
  const files = diskAfter({ log: '1', state: 'old' }, example)

  const [explanations = '', exampleText = ''] = readPage(page).split('## An example')

  test('explains every outcome', () => {
    const explained = tableRows(explanations).map(([outcome = '']) => outcome)
    expect(explained).toEqual(['outcome', ...crashOutcomes, 'subset-<n>'])
  })

  test('says what every outcome leaves of its example, and leaves none out', () => {
    const told = tableRows(exampleText.split('## ')[0] ?? '')
      .slice(1)
      .map(([outcome = '', ...cells]) => {
        const texts = cells.map((cell, index) => [['log', 'state', 'state.tmp'][index], cell] as const)
        const present = texts.filter(([, text]) => text !== '')
        return [
          outcome,
          Object.fromEntries(present.map(([name, text]) => [name, text === 'empty' ? '' : text])),
        ]
      })
    const outcomes = files.distinctOutcomes()
    expect(told).toStrictEqual(outcomes.map((outcome) => [outcome, textsOf(files.afterCrash(outcome))]))
  })
})

/** What an outcome leaves after some operations on a disk that holds `a` with `1`, durably. */
const leftovers: readonly [
  title: string,
  operations: readonly FileOperation[],
  outcome: CrashOutcome,
  left: Record<string, string>,
][] = [
  ['no tear in what was synced', [append('a', '234'), fsync('a')], 'torn-1', { a: '1234' }],
  [
    'a tear in the newest of several writes',
    [append('a', '23'), append('b', '456')],
    'torn-1',
    { a: '123', b: '4' },
  ],
  [
    'a tear in an older write once the newest is synced',
    [append('a', '23'), append('b', '456'), fsync('b')],
    'torn-1',
    { a: '12', b: '456' },
  ],
  ['a tear in an overwritten file', [write('a', '234')], 'torn-half', { a: '2' }],
  [
    'a tear under the name that the file has now',
    [append('a', '234'), rename('a', 'b')],
    'torn-end',
    { b: '123' },
  ],
  ['a tear inside a character', [append('a', 'ü')], 'torn-1', { a: '1\ufffd' }],
  [
    'no tear in a file that is gone',
    [append('b', '234'), remove('b'), fsyncFolder('')],
    'torn-1',
    { a: '1' },
  ],
  [
    'no tear in what has been emptied since',
    [write('b', '2'), write('b', '')],
    'torn-half',
    { a: '1', b: '' },
  ],
  ['an empty file when its name went ahead', [write('b', '2')], 'power-names', { a: '1', b: '' }],
  ['no file whose name stayed behind', [write('b', '2')], 'power-data', { a: '1' }],
  ['the old bytes of an overwritten file', [write('a', '2')], 'power-names', { a: '1' }],
  ['the new bytes of an overwritten file', [write('a', '2')], 'power-data', { a: '2' }],
  ['new bytes under the old name', [append('a', '2'), rename('a', 'b')], 'power-data', { a: '12' }],
  ['the new name with old bytes', [append('a', '2'), rename('a', 'b')], 'power-names', { b: '1' }],
  ['a removed file', [remove('a')], 'power-data', { a: '1' }],
  ['no removed file', [remove('a')], 'power-names', {}],
  ['an emptied file', [write('a', '2')], 'subset-2', { a: '' }],
  ['no bytes of an emptied file before it was emptied', [write('a', '2')], 'subset-1', { a: '1' }],
  [
    'what was written to another file than the emptied one',
    [write('b', '2'), fsync('b'), fsyncFolder(''), write('a', ''), append('b', '3')],
    'subset-1',
    { a: '1', b: '23' },
  ],
  [
    'a name of another folder than the changed one',
    [{ op: 'makeFolder', path: 'f' }, fsyncFolder(''), remove('a'), write('f/a', '2')],
    'subset-3',
    { a: '1', 'f/a': '2' },
  ],
  ['the first of two appends', [append('a', '2'), append('a', '3')], 'subset-2', { a: '12' }],
  [
    'a hole before the second of two appends',
    [append('a', '2'), append('a', '3')],
    'subset-1',
    { a: '1\0' + '3' },
  ],
  ['both names of a rename or none', [rename('a', 'b')], 'subset-0', { a: '1' }],
  ['a rename into another folder whole', [rename('a', 'b')], 'subset-1', { b: '1' }],
  [
    'the half of a rename that was not synced',
    [{ op: 'makeFolder', path: 'f' }, fsyncFolder(''), rename('a', 'f/a'), fsyncFolder('f')],
    'subset-0',
    { a: '1', 'f/a': '1' },
  ],
  ['a file that was there for a while', [write('b', '2'), remove('b')], 'subset-6', { a: '1', b: '2' }],
  [
    'the first of two replacements',
    [write('b', '2'), rename('b', 'a'), write('b', '3'), rename('b', 'a')],
    'subset-56',
    { a: '2' },
  ],
  [
    'what is older than the six newest changes',
    ['2', '3', '4', '5', '6', '7', '8'].map((digit) => append('a', digit)),
    'subset-0',
    { a: '12' },
  ],
  [
    'what is older than the six newest changes of another file',
    [append('a', '2'), write('b', ''), ...['3', '4', '5', '6', '7'].map((digit) => append('b', digit))],
    'subset-0',
    { a: '12' },
  ],
]

describe('a crash', () => {
  test.each(leftovers)('leaves %s', (_title, operations, outcome, left) => {
    expect(textsOf(diskAfter({ a: '1' }, operations).afterCrash(outcome))).toStrictEqual(left)
  })

  test.each(['power-min', 'power-names', 'power-data', 'subset-1'] as const)(
    'by a power loss (%s) leaves everything durable',
    (outcome) => {
      const after = diskAfter({ a: '1' }, [append('a', '2'), write('b', '3'), rename('b', 'c')]).afterCrash(
        outcome,
      )
      expect(after.distinctOutcomes()).toEqual(['kill'])
    },
  )

  test.each(['kill', 'torn-half'] as const)(
    'of the process (%s) leaves unsynced what was unsynced',
    (outcome) => {
      const after = diskAfter({ a: '1' }, [append('a', '2345')]).afterCrash(outcome)
      expect(textsOf(after.afterCrash('power-min'))).toStrictEqual({ a: '1' })
      expect(textsOf(after.afterCrash('subset-0'))).toStrictEqual({ a: '1' })
      expect(textsOf(after.afterCrash('subset-1'))).toStrictEqual(textsOf(after))
    },
  )
})

describe('a failed fsync that drops what it was to write', () => {
  test('leaves it to be read until a power loss, whatever succeeds later', () => {
    const files = diskAfter({ log: '1' }, [append('log', '2')])
    files.dropUnsynced('log')
    expect(textsOf(files.afterCrash('kill'))).toStrictEqual({ log: '12' })
    expect(textsOf(files.afterCrash('power-data'))).toStrictEqual({ log: '1\0' })
    expect(textsOf(files.afterCrash('power-min'))).toStrictEqual({ log: '1' })
    files.perform(append('log', '3'))
    expect(textsOf(files.afterCrash('subset-0'))).toStrictEqual({ log: '1\0' })
    files.perform(fsync('log'))
    expect(textsOf(files)).toStrictEqual({ log: '123' })
    expect(textsOf(files.afterCrash('power-min'))).toStrictEqual({ log: '1\0' + '3' })
    expect(textsOf(files.afterCrash('kill').afterCrash('power-min'))).toStrictEqual({ log: '1\0' + '3' })
  })

  test('tears only what is being written, not what was dropped', () => {
    const files = diskAfter({ log: '1' }, [append('log', '2')])
    files.dropUnsynced('log')
    files.perform(append('log', '345'))
    expect(textsOf(files.afterCrash('torn-1'))).toStrictEqual({ log: '123' })
  })

  test('is mended by writing the file anew', () => {
    const files = diskAfter({ log: '1' }, [append('log', '2')])
    files.dropUnsynced('log')
    for (const operation of [write('log', '12'), fsync('log')]) files.perform(operation)
    expect(textsOf(files.afterCrash('power-min'))).toStrictEqual({ log: '12' })
  })

  test('drops all of a file that had been written anew', () => {
    const files = diskAfter({ log: '1' }, [write('log', '23')])
    files.dropUnsynced('log')
    expect(textsOf(files.afterCrash('power-data'))).toStrictEqual({ log: '\0\0' })
  })

  test('is nothing where all is synced', () => {
    const files = diskAfter({ log: '1' }, [])
    files.dropUnsynced('log')
    expect(files.distinctOutcomes()).toEqual(['kill'])
    expect(textsOf(files.afterCrash('power-data'))).toStrictEqual({ log: '1' })
  })

  test('needs a file', () => {
    expect(() => createVirtualFiles().dropUnsynced('log')).toThrow(
      `ENOENT: no such file or directory, open 'log'`,
    )
  })
})

describe('the outcomes of a crash', () => {
  test('are one where everything is durable', () => {
    expect(diskAfter({ a: '1', 'f/b': '2' }, []).distinctOutcomes()).toEqual(['kill'])
  })

  test('are one after writing nothing', () => {
    expect(diskAfter({ a: '1' }, [append('a', '')]).distinctOutcomes()).toEqual(['kill'])
  })

  test('are looked for among those that are asked for', () => {
    const files = diskAfter({ a: '1' }, [append('a', '23')])
    expect(files.distinctOutcomes(crashOutcomes)).toEqual(['kill', 'torn-1', 'power-min', 'power-data'])
  })

  test('are at most 64 subsets, each at the least number that leads to its disk', () => {
    const files = diskAfter(
      {},
      Array.from({ length: 40 }, (_, index) => append('log', `${index % 10}`)),
    )
    const subsets = files.distinctOutcomes().filter((outcome) => outcome.startsWith('subset-'))
    expect(subsets).toEqual(Array.from({ length: 64 }, (_, subset) => `subset-${subset}`))
  })
})

describe('the digest of a disk', () => {
  test('is the same however it came to be so', () => {
    const one = diskAfter({ 'f/a': '12', b: '3' }, [])
    const other = diskAfter({ b: 'x', c: '3' }, [
      { op: 'makeFolder', path: 'f' },
      append('f/a', '1'),
      append('f/a', new Uint8Array([50])),
      rename('c', 'b'),
      fsync('f/a'),
      fsyncFolder('f'),
      fsyncFolder(''),
    ])
    expect(other.digest()).toBe(one.digest())
    expect(other.visibleDigest()).toBe(one.visibleDigest())
  })

  test('differs where only a crash tells two disks apart, and the visible one does not', () => {
    const synced = diskAfter({ a: '1' }, [append('a', '2'), fsync('a')])
    const unsynced = diskAfter({ a: '1' }, [append('a', '2')])
    const dropped = diskAfter({ a: '1' }, [append('a', '2')])
    dropped.dropUnsynced('a')
    expect(new Set([synced, unsynced, dropped].map((files) => files.digest())).size).toBe(3)
    expect(new Set([synced, unsynced, dropped].map((files) => files.visibleDigest())).size).toBe(1)
  })

  test.each([
    ['names that are durable', [rename('a', 'b')], [rename('a', 'b'), fsyncFolder('')]],
    ['contents that are durable', [append('a', '2')], [append('a', '2'), fsync('a')]],
    ['what an fsync could drop', [append('a', '2')], [write('a', '12')]],
    ['writes that can be torn', [append('a', '2'), append('a', '3')], [append('a', '23')]],
  ])('differs by %s', (_title, one, other) => {
    const initial = { a: '1', other: '' }
    const early = [one, other].map((operations) => diskAfter(initial, [...operations, ...crowdOut]).digest())
    const late = [one, other].map((operations) => diskAfter(initial, [...crowdOut, ...operations]).digest())
    expect(late[0]).not.toBe(late[1])
    // Those that can no longer be torn are as if they had been one.
    expect(early[0] === early[1]).toBe(one.length === 2)
  })
})

/** Of so many changes the earlier ones are not told apart any more, and these are synced. */
const crowdOut = [...Array.from({ length: 32 }, () => append('other', 'x')), fsync('other')]

function diskAfter(initial: Record<string, string>, operations: readonly FileOperation[]): VirtualFiles {
  const files = createVirtualFiles(initial)
  for (const operation of operations) files.perform(operation)
  return files
}

function textsOf(files: VirtualFiles): Record<string, string> {
  const decoder = new TextDecoder()
  return Object.fromEntries([...files.snapshotFiles()].map(([path, bytes]) => [path, decoder.decode(bytes)]))
}
