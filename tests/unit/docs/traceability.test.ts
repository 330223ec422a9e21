import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPage, repository, tableRows } from '../../support/markdown.ts'

type Row = readonly string[]

const table = tableRows(readPage('docs/traceability.md'))
const rows = table.filter(([id = '']) => /^(S\d-|D\d)/.test(id))
/** Without what went wrong, so that they look like the others. */
const weaknesses = table.flatMap(([id = '', , ...proof]) => (/^[AET]\d+$/.test(id) ? [[id, ...proof]] : []))

/** The text of a test's title as it stands in the source. */
function isTitleIn(source: string, title: string): boolean {
  return [`'${title}`, `\`${title}`, `"${title}`].some((quoted) => source.includes(quoted))
}

/** Rows that name no test that exists, and do not say why either. */
function unproven(of: readonly Row[], excuse: RegExp): readonly Row[] {
  return of.filter(([, where = '', title = '']) => {
    if (excuse.test(where)) return title !== ''
    const path = join(repository, where)
    return (
      !/^tests\/.*\.test\.ts$/.test(where) ||
      title === '' ||
      !existsSync(path) ||
      !isTitleIn(readFileSync(path, 'utf8'), title)
    )
  })
}

function numbered(letter: string, from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${letter}${from + index}`)
}

test('docs/traceability.md names only tests that exist', () => {
  const wrong = unproven(rows, /^(not yet|(out of scope|informational): \S)/)
  expect([rows.length > 100, wrong]).toEqual([true, []])
})

test('docs/traceability.md says of every known weakness which test goes red with it, or why none does', () => {
  const expected = [
    ...numbered('T', 8, 11),
    ...numbered('T', 27, 28),
    ...numbered('A', 1, 13),
    ...numbered('E', 1, 14),
  ]
  expect([...new Set(weaknesses.map(([id]) => id))]).toEqual(expected)
  expect(unproven(weaknesses, /^(not yet|not ours): \S/)).toEqual([])
})

test('an id of docs/traceability.md is either proven or not', () => {
  const all = [...rows, ...weaknesses]
  const proven = new Set(all.flatMap(([id = '', , title]) => (title === '' ? [] : [id])))
  const open = all.flatMap(([id = '', , title]) => (title === '' ? [id] : []))
  expect(open.filter((id, index) => proven.has(id) || open.indexOf(id) !== index)).toEqual([])
})
