import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeStrictUtf8, decodeUtf8, encodeUtf8 } from '../../../src/core/index.ts'

/** The first and the last character of each length, and what stands at the edges of surrogates. */
const characters: readonly [text: string, bytes: readonly number[]][] = [
  ['\0', [0]],
  ['\x7f', [0x7f]],
  ['\x80', [0xc2, 0x80]],
  ['\u07ff', [0xdf, 0xbf]],
  ['\u0800', [0xe0, 0xa0, 0x80]],
  ['\ud7ff', [0xed, 0x9f, 0xbf]],
  ['\ue000', [0xee, 0x80, 0x80]],
  ['\uffff', [0xef, 0xbf, 0xbf]],
  ['\u{10000}', [0xf0, 0x90, 0x80, 0x80]],
  ['\u{10ffff}', [0xf4, 0x8f, 0xbf, 0xbf]],
]
const letters = [...characters.map(([text]) => text), 'a', '\ufeff']
const replaced = [0xef, 0xbf, 0xbd]
const mark = [0xef, 0xbb, 0xbf]

describe('text', () => {
  test.each(characters)('is encoded and decoded: %j', (text, bytes) => {
    for (const [around, inBytes] of [
      [text, bytes],
      [`a${text}${text}b`, [0x61, ...bytes, ...bytes, 0x62]],
    ] as const) {
      expect([...encodeUtf8(around)]).toEqual(inBytes)
      expect(decodeUtf8(new Uint8Array(inBytes))).toBe(around)
      expect(decodeStrictUtf8(new Uint8Array(inBytes))).toBe(around)
    }
  })

  test.each([
    ['\ud800', replaced],
    ['\udfff', replaced],
    ['\udc00\ud800', [...replaced, ...replaced]],
    ['a\udbffb', [0x61, ...replaced, 0x62]],
  ])('has no open half of a surrogate pair as bytes: %j', (text, bytes) => {
    expect([...encodeUtf8(text)]).toEqual(bytes)
  })

  test('keeps a byte order mark as bytes, and strictly read also as text', () => {
    expect([...encodeUtf8('\ufeffa')]).toEqual([...mark, 0x61])
    const marked = new Uint8Array([...mark, 0x61, ...mark])
    expect(decodeStrictUtf8(marked)).toBe('\ufeffa\ufeff')
    expect(decodeUtf8(marked)).toBe('a\ufeff')
  })

  test.each([
    ['a byte that goes on where nothing has begun', [0x80], 1],
    ['a character that is cut short', [0xe2, 0x82], 1],
    ['a byte that never occurs', [0xff], 1],
    ['a character in more bytes than it takes', [0xc0, 0xaf], 2],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80], 3],
    ['a number beyond the last character', [0xf4, 0x90, 0x80, 0x80], 4],
  ])('is not to be had of %s', (_title, bytes, count) => {
    const broken = new Uint8Array([0x61, ...bytes, 0x62])
    expect(() => decodeStrictUtf8(broken)).toThrow(TypeError)
    expect(decodeUtf8(broken)).toBe(`a${'\ufffd'.repeat(count)}b`)
  })

  test('is what it was after a way through bytes, and bytes are what they were after one through text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...letters), { maxLength: 20 }), (parts) => {
        const text = parts.join('')
        const bytes = encodeUtf8(text)
        expect(decodeStrictUtf8(bytes)).toBe(text)
        expect(encodeUtf8(decodeStrictUtf8(bytes))).toStrictEqual(bytes)
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})
