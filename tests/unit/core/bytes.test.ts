import { describe, expect, test } from 'vitest'
import { bytesEqual } from '../../../src/core/index.ts'

const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 62, 63, 64, 65, 66, 67]
/** Two of them begin at a whole word. */
const offsets = [0, 1, 2, 3, 4]
const pairs = offsets.flatMap((left) => offsets.map((right) => [left, right] as const))

/** Bytes that lie in the middle of others. */
function bytes(length: number, offset: number, around = 0): Uint8Array {
  const all = new Uint8Array(offset + length + 5).fill(around)
  for (let index = 0; index < length; index++) all[offset + index] = (index * 37 + 11) % 256
  return all.subarray(offset, offset + length)
}

describe.each(lengths)('%i bytes', (length) => {
  test('are equal to the same bytes, wherever either begin and whatever lies around them', () => {
    for (const [left, right] of pairs) {
      expect([left, right, bytesEqual(bytes(length, left, 1), bytes(length, right, 2))]).toEqual([
        left,
        right,
        true,
      ])
    }
  })

  test('differ from those with one bit changed, in any place', () => {
    const missed: string[] = []
    for (const [left, right] of pairs) {
      for (let index = 0; index < length; index++) {
        for (const bit of [1, 128]) {
          const changed = bytes(length, right)
          changed[index] = (changed[index] as number) ^ bit
          if (bytesEqual(bytes(length, left), changed)) missed.push(`${left}, ${right}: byte ${index}`)
        }
      }
    }
    expect(missed).toEqual([])
  })

  test('differ from their own beginning and from what goes on', () => {
    const others = lengths.filter((each) => each !== length)
    expect(others.filter((other) => bytesEqual(bytes(length, 0), bytes(other, 0)))).toEqual([])
  })

  test('are equal to themselves and to another view of them', () => {
    for (const offset of offsets) {
      const all = bytes(length, offset)
      expect(bytesEqual(all, all)).toBe(true)
      expect(bytesEqual(all, new Uint8Array(all.buffer, all.byteOffset, length))).toBe(true)
    }
  })
})

test('bytes in one buffer that do not begin together are compared like any others', () => {
  const all = new Uint8Array([1, 2, 3, 4, 1, 2, 3, 4, 5, 1, 2, 3, 4, 0])
  const isEqualFrom = (begin: number): boolean =>
    bytesEqual(all.subarray(0, 4), all.subarray(begin, begin + 4))
  expect([4, 9].map(isEqualFrom)).toEqual([true, true])
  expect([1, 8].map(isEqualFrom)).toEqual([false, false])
})
