import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commonLength } from '../../../src/core/index.ts'

function common(left: Uint8Array, right: Uint8Array): number {
  let length = 0
  while (length < left.length && length < right.length && left[length] === right[length]) length++
  return length
}

test('how far two files begin alike is found to the byte, wherever they lie in memory', () => {
  const bytes = fc.uint8Array({ min: 0, max: 255, maxLength: 40 })
  const offset = fc.nat(9)
  const at = (content: Uint8Array, start: number): Uint8Array => {
    const memory = new Uint8Array(start + content.length + 9).fill(7)
    memory.set(content, start)
    return memory.subarray(start, start + content.length)
  }
  fc.assert(
    fc.property(bytes, bytes, bytes, offset, offset, (shared, left, right, first, second) => {
      const one = at(Uint8Array.of(...shared, ...left), first)
      const other = at(Uint8Array.of(...shared, ...right), second)
      expect(commonLength(one, other)).toBe(common(one, other))
    }),
    { numRuns: 1_000, seed: 5 },
  )
})

test('a difference at any place is found, and nothing behind the shorter one counts', () => {
  for (let length = 0; length <= 40; length++) {
    const left = new Uint8Array(length).map((_, index) => index + 1)
    expect(commonLength(left, left.slice())).toBe(length)
    for (let index = 0; index < length; index++) {
      const changed = left.with(index, 0)
      expect([length, commonLength(left, changed)]).toEqual([length, index])
      expect([length, commonLength(left.subarray(0, index), left)]).toEqual([length, index])
    }
  }
})
