import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IndexSet } from '../../../src/core/index.ts'

test.each([1, 31, 32, 33, 1_024, 1_025, 40_000])(
  'holds what a plain set would, in order, of up to %i',
  (capacity) => {
    const change = fc.record({ index: fc.nat(capacity - 1), present: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const plain = new Set<number>()
        let set = IndexSet.of(capacity)
        for (const { index, present } of changes) {
          const before = [...set]
          const next = present ? set.with(index) : set.without(index)
          if (present) plain.add(index)
          else plain.delete(index)
          expect([...set]).toEqual(before)
          set = next
          expect(set.has(index)).toBe(present)
        }
        expect([...set]).toEqual([...plain].sort((left, right) => left - right))
        expect(set.size).toBe(plain.size)
      }),
      { seed: 11, numRuns: 30 },
    )
  },
)

test('begins with the members it is given, and stays the same set when nothing changes', () => {
  const set = IndexSet.of(100, [99, 0, 32])
  expect([...set]).toEqual([0, 32, 99])
  expect(set.with(32)).toBe(set)
  expect(set.without(33)).toBe(set)
})
