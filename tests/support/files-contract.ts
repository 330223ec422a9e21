import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { FileOperation, FilesPort } from '../../src/ports/index.ts'

/** What an operation answers, or the message it fails with. */
export type Outcome = unknown

export interface FailedOutcome {
  readonly fails: string
}

export interface ContractCase {
  readonly title: string
  readonly steps: readonly (readonly [operation: FileOperation, outcome: Outcome])[]
}

/** An adapter that differs is listed case by case, with what each operation answers instead. */
export type Divergences = Readonly<Record<string, readonly Outcome[]>>

/** Runs what every disk must do against a fresh, empty one per case. */
export function filesContract(
  name: string,
  makeFiles: () => FilesPort | Promise<FilesPort>,
  divergences: Divergences = {},
): void {
  const titles = contractCases.map(({ title }) => title)
  const unknown = Object.keys(divergences).filter((title) => !titles.includes(title))
  if (unknown.length > 0) throw new Error(`The contract has no case '${unknown.join("', '")}'.`)

  describe(`${name} as a disk`, () => {
    const cases = contractCases.map(({ title, steps }) => {
      const operations = steps.map(([operation]) => operation)
      const expected = steps.map(([, outcome]) => outcome)
      return [title, { operations, expected, divergence: divergences[title] }] as const
    })
    const regular = cases.filter(([, { divergence }]) => divergence === undefined)
    const divergent = cases.filter(([, { divergence }]) => divergence !== undefined)

    test.each(regular)('%s', async (_title, { operations, expected }) => {
      expect(await outcomesOf(await makeFiles(), operations)).toStrictEqual(expected)
    })

    test.each(divergent)('diverges here: %s', async (_title, { operations, expected, divergence }) => {
      expect(await outcomesOf(await makeFiles(), operations)).toStrictEqual(divergence)
      expect(divergence).not.toStrictEqual(expected)
    })
  })
}

export async function outcomesOf(files: FilesPort, operations: readonly FileOperation[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const operation of operations) outcomes.push(await outcomeOf(files, operation))
  return outcomes
}

/** Every file below a folder with its bytes, and every folder, by path; read through the port. */
export async function treeOf(files: FilesPort, folder = ''): Promise<Record<string, Uint8Array | 'folder'>> {
  const tree: Record<string, Uint8Array | 'folder'> = {}
  for (const { name, kind } of (await files.perform({ op: 'list', path: folder })) ?? []) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (kind === 'folder') Object.assign(tree, { [path]: 'folder' }, await treeOf(files, path))
    else tree[path] = (await files.perform({ op: 'read', path })) as Uint8Array
  }
  return tree
}

async function outcomeOf(files: FilesPort, operation: FileOperation): Promise<Outcome> {
  try {
    return comparable(await files.perform(operation))
  } catch (error) {
    return { fails: (error as Error).message } satisfies FailedOutcome
  }
}

/** Long bytes as their digest: comparing them one by one takes seconds. */
function comparable(answer: unknown): Outcome {
  if (!(answer instanceof Uint8Array) || answer.length < 100_000) return answer
  return createHash('sha256').update(answer).digest('hex')
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** More than goes through in one piece. */
const large = new Uint8Array(1_500_000).map((_, index) => index % 251)
const done = undefined
const none = undefined

const write = (path: string, data: string | Uint8Array = 'x'): FileOperation => ({ op: 'write', path, data })
const writeNew = (path: string, data = 'x'): FileOperation => ({ op: 'writeNew', path, data })
const append = (path: string, data: string | Uint8Array): FileOperation => ({ op: 'append', path, data })
const read = (path: string): FileOperation => ({ op: 'read', path })
const list = (path: string): FileOperation => ({ op: 'list', path })
const stat = (path: string): FileOperation => ({ op: 'stat', path })
const fsync = (path: string): FileOperation => ({ op: 'fsync', path })
const fsyncFolder = (path: string): FileOperation => ({ op: 'fsyncFolder', path })
const rename = (path: string, to: string): FileOperation => ({ op: 'rename', path, to })
const remove = (path: string): FileOperation => ({ op: 'remove', path })
const removeFolder = (path: string): FileOperation => ({ op: 'removeFolder', path })
const makeFolder = (path: string): FileOperation => ({ op: 'makeFolder', path })
const close = (path: string): FileOperation => ({ op: 'close', path })

const missing = (call: string): FailedOutcome => ({ fails: `ENOENT: no such file or directory, ${call}` })
const isFolder = (call: string): FailedOutcome => ({
  fails: `EISDIR: illegal operation on a directory, ${call}`,
})
const notFolder = (call: string): FailedOutcome => ({ fails: `ENOTDIR: not a directory, ${call}` })
const climbs: FailedOutcome = { fails: `The path '../a' leaves its folder: it must not contain '..'.` }
const unnamed: FailedOutcome = { fails: `The path '' leaves its folder: it names no file.` }

/** Every disk's behaviour as operations with their outcomes. */
export const contractCases: readonly ContractCase[] = [
  {
    title: 'reads back what was written',
    steps: [
      [write('a', 'grün'), done],
      [read('a'), bytes('grün')],
      [stat('a'), { kind: 'file', sizeBytes: 5 }],
      [write('a', new Uint8Array([0, 255, 10])), done],
      [read('a'), new Uint8Array([0, 255, 10])],
      [stat('a'), { kind: 'file', sizeBytes: 3 }],
    ],
  },
  {
    title: 'replaces an open half of a surrogate pair, also where the other half follows',
    steps: [
      [append('a', '\ud83d'), done],
      [append('a', '\ude00'), done],
      [read('a'), bytes('\ufffd\ufffd')],
    ],
  },
  {
    title: 'holds files without content',
    steps: [
      [write('a', ''), done],
      [append('b', ''), done],
      [writeNew('c', ''), true],
      [write('d', '1'), done],
      [write('d', ''), done],
      [append('d', new Uint8Array()), done],
      ...['a', 'b', 'c', 'd'].flatMap((path): ContractCase['steps'] => [
        [read(path), new Uint8Array()],
        [stat(path), { kind: 'file', sizeBytes: 0 }],
      ]),
    ],
  },
  {
    title: 'holds large files, written at once and bit by bit',
    steps: [
      [write('a', large), done],
      [append('a', 'end'), done],
      [stat('a'), { kind: 'file', sizeBytes: large.length + 3 }],
      [append('b', large.slice(0, 700_000)), done],
      [append('b', large.slice(700_000)), done],
      [read('b'), comparable(large)],
    ],
  },
  {
    title: 'takes names with blanks, dots and letters of any language',
    steps: [
      [makeFolder('of a day'), true],
      [write('of a day/..été.', '1'), done],
      [rename('of a day/..été.', 'of a day/夏 #1'), done],
      [list('of a day'), [{ name: '夏 #1', kind: 'file' }]],
      [read('of a day/夏 #1'), bytes('1')],
    ],
  },
  {
    title: 'answers that there is nothing',
    steps: [
      [write('file'), done],
      [read('a'), none],
      [read('a/b'), none],
      [read('file/b'), none],
      [list('a'), none],
      [list('file/b'), none],
      [stat('a'), none],
      [stat('file/b'), none],
      [remove('a'), false],
      [remove('file/b'), false],
      [removeFolder('a'), false],
      [removeFolder('file/b'), false],
      [close('a'), done],
    ],
  },
  {
    title: 'lists a folder by name',
    steps: [
      [list(''), []],
      [write('b'), done],
      [makeFolder('a'), true],
      [write('Z'), done],
      [write('a/inner'), done],
      [
        list(''),
        [
          { name: 'Z', kind: 'file' },
          { name: 'a', kind: 'folder' },
          { name: 'b', kind: 'file' },
        ],
      ],
      [list('a'), [{ name: 'inner', kind: 'file' }]],
      [list('b'), notFolder(`scandir 'b'`)],
    ],
  },
  {
    title: 'describes folders without a size',
    steps: [
      [stat(''), { kind: 'folder', sizeBytes: 0 }],
      [makeFolder('a'), true],
      [stat('a'), { kind: 'folder', sizeBytes: 0 }],
    ],
  },
  {
    title: 'takes paths in any form that stays inside',
    steps: [
      [makeFolder('a'), true],
      [write('./a//b', '1'), done],
      [append('a\\b', '2'), done],
      [append('a/b', '3'), done],
      [rename('a/./b', 'a//c'), done],
      [append('a/b', '4'), done],
      [read('a/c'), bytes('123')],
      [read('a/b'), bytes('4')],
    ],
  },
  {
    title: 'creates a new file once',
    steps: [
      [writeNew('a', '1'), true],
      [writeNew('a', '2'), false],
      [read('a'), bytes('1')],
      [makeFolder('folder'), true],
      [writeNew('folder'), false],
    ],
  },
  {
    title: 'appends, also after the file was replaced, removed or closed',
    steps: [
      [append('a', '1'), done],
      [append('a', '2'), done],
      [write('a', '3'), done],
      [append('a', '4'), done],
      [read('a'), bytes('34')],
      [remove('a'), true],
      [append('a', '5'), done],
      [close('a'), done],
      [append('a', new Uint8Array([54])), done],
      [read('a'), bytes('56')],
    ],
  },
  {
    title: 'appends to the file that has the name now',
    steps: [
      [append('a', '1'), done],
      [append('b', '2'), done],
      [rename('a', 'b'), done],
      [append('b', '3'), done],
      [append('a', '4'), done],
      [read('b'), bytes('13')],
      [read('a'), bytes('4')],
    ],
  },
  {
    title: 'appends to the file of that name in a folder that was moved or made again',
    steps: [
      [makeFolder('a'), true],
      [append('a/log', '1'), done],
      [rename('a', 'b'), done],
      [append('b/log', '2'), done],
      [append('a/log', '3'), missing(`open 'a/log'`)],
      [removeFolder('b'), true],
      [makeFolder('b'), true],
      [append('b/log', '4'), done],
      [read('b/log'), bytes('4')],
    ],
  },
  {
    title: 'needs the folder of what it writes',
    steps: [
      [write('file'), done],
      [write('a/b'), missing(`open 'a/b'`)],
      [writeNew('a/b'), missing(`open 'a/b'`)],
      [append('a/b', 'x'), missing(`open 'a/b'`)],
      [makeFolder('a/b'), missing(`mkdir 'a/b'`)],
      [write('file/b'), notFolder(`open 'file/b'`)],
      [writeNew('file/b'), notFolder(`open 'file/b'`)],
      [append('file/b', 'x'), notFolder(`open 'file/b'`)],
      [makeFolder('file/b'), notFolder(`mkdir 'file/b'`)],
    ],
  },
  {
    title: 'does not take a folder for a file',
    steps: [
      [makeFolder('a'), true],
      [read('a'), isFolder(`read 'a'`)],
      [read(''), isFolder(`read ''`)],
      [write('a'), isFolder(`open 'a'`)],
      [append('a', 'x'), isFolder(`open 'a'`)],
      [fsync('a'), isFolder(`open 'a'`)],
    ],
  },
  {
    title: 'does not unlink a folder',
    steps: [
      [makeFolder('a'), true],
      [remove('a'), isFolder(`unlink 'a'`)],
      [stat('a'), { kind: 'folder', sizeBytes: 0 }],
    ],
  },
  {
    title: 'does not take a file for a folder',
    steps: [
      [write('a'), done],
      [removeFolder('a'), notFolder(`rmdir 'a'`)],
      [fsyncFolder('a'), notFolder(`open 'a'`)],
      [makeFolder('a'), { fails: `EEXIST: file already exists, mkdir 'a'` }],
      [read('a'), bytes('x')],
    ],
  },
  {
    title: 'syncs what exists',
    steps: [
      [makeFolder('a'), true],
      [append('a/b', '1'), done],
      [fsync('a/b'), done],
      [close('a/b'), done],
      [fsync('a/b'), done],
      [fsyncFolder('a'), done],
      [fsyncFolder(''), done],
      [fsync('a/c'), missing(`open 'a/c'`)],
      [fsync('a/b/c'), notFolder(`open 'a/b/c'`)],
      [fsyncFolder('c'), missing(`open 'c'`)],
    ],
  },
  {
    title: 'makes one folder once',
    steps: [
      [makeFolder('a'), true],
      [makeFolder('a'), false],
      [makeFolder(''), false],
    ],
  },
  {
    title: 'removes a folder with all in it',
    steps: [
      [makeFolder('a'), true],
      [makeFolder('a/b'), true],
      [write('a/b/c'), done],
      [removeFolder('a'), true],
      [removeFolder('a'), false],
      [list(''), []],
    ],
  },
  {
    title: 'renames files, replacing the target',
    steps: [
      [write('a', '1'), done],
      [write('b', '2'), done],
      [rename('a', 'b'), done],
      [read('a'), none],
      [read('b'), bytes('1')],
      [rename('b', 'b'), done],
      [read('b'), bytes('1')],
    ],
  },
  {
    title: 'renames folders with all in them',
    steps: [
      [makeFolder('a'), true],
      [write('a/b', '1'), done],
      [makeFolder('c'), true],
      [rename('a', 'c/d'), done],
      [read('c/d/b'), bytes('1')],
      [list('a'), none],
      [rename('c/d', 'c/d'), done],
    ],
  },
  {
    title: 'replaces an empty folder by a folder',
    steps: [
      [makeFolder('a'), true],
      [write('a/b', '1'), done],
      [makeFolder('c'), true],
      [rename('a', 'c'), done],
      [read('c/b'), bytes('1')],
    ],
  },
  {
    title: 'renames only what is there, to where a folder is',
    steps: [
      [write('file'), done],
      [rename('a', 'b'), missing(`rename 'a' -> 'b'`)],
      [rename('file', 'a/b'), missing(`rename 'file' -> 'a/b'`)],
      [rename('file/a', 'b'), notFolder(`rename 'file/a' -> 'b'`)],
      [rename('file', 'file/b'), notFolder(`rename 'file' -> 'file/b'`)],
      [read('file'), bytes('x')],
    ],
  },
  {
    title: 'does not replace a folder by a file',
    steps: [
      [write('a'), done],
      [makeFolder('b'), true],
      [rename('a', 'b'), isFolder(`rename 'a' -> 'b'`)],
      [stat('b'), { kind: 'folder', sizeBytes: 0 }],
    ],
  },
  {
    title: 'does not replace a file by a folder',
    steps: [
      [makeFolder('a'), true],
      [write('b'), done],
      [rename('a', 'b'), notFolder(`rename 'a' -> 'b'`)],
      [stat('b'), { kind: 'file', sizeBytes: 1 }],
    ],
  },
  {
    title: 'does not replace a folder that holds something',
    steps: [
      [makeFolder('a'), true],
      [makeFolder('b'), true],
      [write('b/kept', '1'), done],
      [rename('a', 'b'), { fails: `ENOTEMPTY: directory not empty, rename 'a' -> 'b'` }],
      [read('b/kept'), bytes('1')],
    ],
  },
  {
    title: 'does not replace a folder by something in it',
    steps: [
      [makeFolder('a'), true],
      [write('a/b', '1'), done],
      [rename('a/b', 'a'), { fails: `ENOTEMPTY: directory not empty, rename 'a/b' -> 'a'` }],
      [read('a/b'), bytes('1')],
    ],
  },
  {
    title: 'does not move a folder into itself',
    steps: [
      [makeFolder('a'), true],
      [makeFolder('a/b'), true],
      [rename('a', 'a/b/c'), { fails: `EINVAL: invalid argument, rename 'a' -> 'a/b/c'` }],
      [list('a'), [{ name: 'b', kind: 'folder' }]],
    ],
  },
  {
    title: 'refuses paths that climb out',
    steps: [
      [read('../a'), climbs],
      [list('../a'), climbs],
      [stat('../a'), climbs],
      [write('../a'), climbs],
      [writeNew('../a'), climbs],
      [append('../a', 'x'), climbs],
      [fsync('../a'), climbs],
      [fsyncFolder('../a'), climbs],
      [rename('../a', 'b'), climbs],
      [rename('b', '../a'), climbs],
      [remove('../a'), climbs],
      [removeFolder('../a'), climbs],
      [makeFolder('../a'), climbs],
      [close('../a'), climbs],
    ],
  },
  {
    title: 'refuses the root where a name is meant',
    steps: [
      [write(''), unnamed],
      [writeNew(''), unnamed],
      [append('', 'x'), unnamed],
      [fsync(''), unnamed],
      [rename('', 'b'), unnamed],
      [remove(''), unnamed],
      [removeFolder(''), unnamed],
    ],
  },
]
