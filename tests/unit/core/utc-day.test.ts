import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utcDay } from '../../../src/core/index.ts'

describe('the day of an instant', () => {
  test('agrees with the platform, over all leap years', () => {
    const instants = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31) })
    fc.assert(
      fc.property(instants, (at) => {
        expect(utcDay(at)).toBe(new Date(at).toISOString().slice(0, 10).replaceAll('-', ''))
      }),
      { numRuns: 2_000 },
    )
  })

  test('changes at midnight', () => {
    expect(utcDay(-1)).toBe('19691231')
    expect(utcDay(Date.UTC(2028, 1, 29) - 1)).toBe('20280228')
    expect(utcDay(Date.UTC(2028, 1, 29))).toBe('20280229')
    expect(utcDay(Date.UTC(2028, 2, 1))).toBe('20280301')
  })
})
