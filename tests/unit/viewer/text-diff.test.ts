import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textDiff, withContext } from '../../../src/viewer/text-diff.ts'

const signs = { same: ' ', removed: '-', added: '+' } as const

function shown(before: string, after: string): string[] {
  return textDiff(before, after).map(({ kind, text }) => `${signs[kind]}${text}`)
}

describe('the difference of two texts', () => {
  test('is told line by line, with the numbers on both sides', () => {
    expect(textDiff('one\ntwo\nthree\n', 'one\n2\nthree\n')).toEqual([
      { kind: 'same', text: 'one', before: 1, after: 1 },
      { kind: 'removed', text: 'two', before: 2, after: null },
      { kind: 'added', text: '2', before: null, after: 2 },
      { kind: 'same', text: 'three', before: 3, after: 3 },
    ])
  })

  test('keeps lines that only moved apart', () => {
    expect(shown('a\nb\nc\nd\n', 'b\nx\nd\ne\n')).toEqual(['-a', ' b', '-c', '+x', ' d', '+e'])
  })

  test('is all of a text that is new or gone', () => {
    expect(shown('', 'a\n')).toEqual(['+a'])
    expect(shown('a\n', 'a')).toEqual([' a', '+(no line break at the end)'])
  })

  test('gives both texts back, and marks no line that both share at their ends', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', ''))
      .map((lines) => lines.map((line) => `${line}\n`).join(''))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = textDiff(before, after)
        const side = (without: 'added' | 'removed'): string =>
          lines.flatMap((line) => (line.kind === without ? [] : [`${line.text}\n`])).join('')
        expect([side('added'), side('removed')]).toEqual([before, after])
        expect(lines.every(({ kind }) => kind === 'same')).toBe(before === after)
      }),
    )
  })

  test('of two large texts takes what lies between their first and last difference for rewritten', () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`)
    const before = `same\n${lines.join('\n')}\nsame\n`
    const after = `same\n${lines.map((line) => `${line}!`).join('\n')}\nsame\n`
    const kinds = textDiff(before, after).map(({ kind }) => kind)
    expect([kinds[0], kinds.at(-1)]).toEqual(['same', 'same'])
    expect(kinds.filter((kind) => kind === 'removed')).toHaveLength(5_000)
    expect(kinds.filter((kind) => kind === 'added')).toHaveLength(5_000)
  })
})

test('lines far from every change are counted and not shown', () => {
  const lines = Array.from({ length: 20 }, (_, index) => String(index))
  const changed = lines.map((line, index) => (index === 10 ? 'ten' : line))
  const rows = withContext(textDiff(`${lines.join('\n')}\n`, `${changed.join('\n')}\n`), 2)
  expect(rows.map((row) => (row.kind === 'skipped' ? `${row.count} more` : row.text))).toEqual([
    '8 more',
    '8',
    '9',
    '10',
    'ten',
    '11',
    '12',
    '7 more',
  ])
})
