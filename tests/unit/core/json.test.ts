import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, jsonCopy, membersOf } from '../../../src/core/index.ts'

describe('a copy of what JSON keeps', () => {
  const asJsonHasIt = (value: unknown): unknown => {
    try {
      const text = JSON.stringify(value) as string | undefined
      return text === undefined ? undefined : (JSON.parse(text) as unknown)
    } catch {
      return undefined
    }
  }

  test.each([
    ['a negative zero', { zero: -0 }],
    ['numbers that are none', [Number.NaN, Infinity, 1.5]],
    ['members that are undefined', { left: undefined, right: 1 }],
    ['places that are undefined or missing', [undefined, 1, ...Array<number>(1), 2]],
    ['a date', { at: new Date(0) }],
    ['a function', () => 1],
    ['a function inside', { inner: [() => 1] }],
    ['a bigint', { big: 1n }],
    [
      'a class',
      new (class Point {
        x = 1
      })(),
    ],
    ['a map', new Map([[1, 2]])],
    ['an own toJSON', { secret: 1, toJSON: () => 'seen' }],
    ['a list with toJSON', Object.assign([1], { toJSON: () => 'seen' })],
    ['half a surrogate pair', { text: '\ud800' }],
    ['a member named __proto__', JSON.parse('{"__proto__": {"polluted": true}}')],
    ['no prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ])('treats %s as JSON does', (_name, value) => {
    const copy = jsonCopy(value)
    expect(copy).toStrictEqual(asJsonHasIt(value))
    expect(Object.is(copy, value)).toBe(false)
  })

  test('of anything is what JSON makes of it', () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withDate: true, withSparseArray: true }),
        (value) => {
          expect(jsonCopy(value)).toStrictEqual(asJsonHasIt(value))
        },
      ),
      { numRuns: 2_000, seed: 7 },
    )
  })

  test('of a value that contains itself is refused', () => {
    const value: Record<string, unknown> = {}
    value['self'] = value
    expect(jsonCopy(value)).toBeUndefined()
  })
})

describe('canonical JSON', () => {
  test('sorts keys as text, also those that look like numbers', () => {
    expect(canonicalJson({ b: 1, a: { '10': 1, '9': 2, x: undefined } })).toBe('{"a":{"10":1,"9":2},"b":1}')
  })

  test('leaves out what JSON leaves out, and writes the rest as JSON does', () => {
    const value = {
      at: new Date(0),
      big: { toJSON: () => 'seen' },
      call: () => 1,
      list: [undefined, () => 1, Number.NaN, -0, 1e21, 'ü"\\\ud800'],
      missing: undefined,
      'quote"d': null,
    }
    expect(canonicalJson(value)).toBe(JSON.stringify(value))
    expect([canonicalJson(undefined), canonicalJson(Infinity), canonicalJson(true)]).toEqual([
      'null',
      'null',
      'true',
    ])
  })

  test('writes every character as JSON does', () => {
    const texts = Array.from({ length: 0x10000 }, (_, unit) => `a${String.fromCharCode(unit)}b`)
    expect(texts.filter((text) => canonicalJson(text) !== JSON.stringify(text))).toEqual([])
    expect(canonicalJson(['', '😀', 'x\n'])).toBe('["","😀","x\\n"]')
  })

  test('writes keys that it has never met as it writes those that it has', () => {
    const keys = Array.from({ length: 3_000 }, (_, index) => `key "${index}"`).sort()
    const value = Object.fromEntries(keys.map((key, index) => [key, index]))
    expect(canonicalJson(value)).toBe(JSON.stringify(value))
    expect(canonicalJson([value, value])).toBe(JSON.stringify([value, value]))
  })

  test('does not depend on the order of keys, and reads back as the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(reversed(value))).toBe(text)
      }),
      { numRuns: 500, seed: 7 },
    )
  })
})

test('the members of a compact object are found among all others, and only its own', () => {
  const tricky = fc.oneof(fc.string(), fc.constantFrom('\\', '\\"', '{"seq":9}', ',"seq":9,', '"', '[', '}'))
  const names = fc.oneof(tricky, fc.constantFrom('seq', 'runId'))
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      tricky,
      fc.integer(),
      fc.constantFrom(null, true, false),
      fc.array(tie('value')),
      fc.dictionary(names, tie('value')),
    ),
  })).value
  fc.assert(
    fc.property(fc.dictionary(names, value), (object) => {
      const expected = Object.fromEntries(
        Object.entries(object).filter(([name]) => /^(?:seq|runId)$/.test(name)),
      )
      expect(membersOf(JSON.stringify(object), new Set(['seq', 'runId']))).toEqual(expected)
    }),
    { numRuns: 1_000, seed: 3 },
  )
})

/** The same value with the members of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}
