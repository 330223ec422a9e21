import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createVirtualFiles, type VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { FileData } from '../../../../src/ports/index.ts'

/** ASCII, two, three and four bytes, half a pair, the mark at the beginning of a file. */
const texts = [
  'a',
  '\0',
  'é',
  '€',
  '😀',
  '\u{10ffff}',
  '\udbff',
  '\ud83d',
  '\ude00',
  '\ufeff',
  '\ud83d\ud83d',
  '\ude00\ud83d',
  '',
]

/** What a real disk has of pieces that were written one by one. */
function onDisk(pieces: readonly FileData[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))))
}

const kinds = texts.flatMap((text) => [text, `plain ${text}`, `${text} plain`])

test.each(kinds)('text is written as its bytes, alone and after others: %j', (text) => {
  for (const other of ['', 'plain', 'é', '\ud83d', '\ude00', new Uint8Array([0xf0, 0x9f])]) {
    for (const pieces of [[text], [other, text], [text, other], [other, text, text, other]]) {
      for (const files of written(pieces)) expectHolds(files, pieces)
    }
  }
})

test('any texts and bytes, one after the other, are what a real disk makes of them', () => {
  const bytes = fc.uint8Array({ maxLength: 5 })
  const text = fc.array(fc.constantFrom(...texts), { maxLength: 4 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: text }, bytes), { maxLength: 6 }), (pieces) => {
      for (const files of written(pieces)) expectHolds(files, pieces)
    }),
    { seed: 20_260_104, numRuns: 300 },
  )
})

/** The pieces appended, each to what nobody has looked at yet; and each to what has just been read, or hashed. */
function written(pieces: readonly FileData[]): readonly VirtualFiles[] {
  const looks: readonly ((files: VirtualFiles) => unknown)[] = [
    () => undefined,
    (files) => files.perform({ op: 'read', path: 'file' }),
    (files) => files.visibleDigest(),
  ]
  return looks.map((look) => {
    const files = createVirtualFiles({ file: '' })
    for (const data of pieces) {
      files.perform({ op: 'append', path: 'file', data })
      look(files)
    }
    return files
  })
}

function expectHolds(files: VirtualFiles, pieces: readonly FileData[]): void {
  const bytes = onDisk(pieces)
  const fresh = createVirtualFiles({ file: bytes })
  // Before anybody has read it, and after.
  for (let times = 0; times < 2; times++) {
    expect(files.visibleDigest()).toBe(fresh.visibleDigest())
    expect(files.perform({ op: 'read', path: 'file' })).toStrictEqual(bytes)
    expect(files.perform({ op: 'stat', path: 'file' })?.sizeBytes).toBe(bytes.length)
    expect(files.snapshotFiles().get('file')).toStrictEqual(bytes)
  }
}
