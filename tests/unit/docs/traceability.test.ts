import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPage, repository, tableRows } from '../../support/markdown.ts'

const rows = tableRows(readPage('docs/traceability.md')).filter(([id = '']) => /^(S\d-|D\d)/.test(id))

/** The text of a test's title as it stands in the source. */
function isTitleIn(source: string, title: string): boolean {
  return [`'${title}`, `\`${title}`, `"${title}`].some((quoted) => source.includes(quoted))
}

test('docs/traceability.md names only tests that exist', () => {
  const wrong = rows.filter(([, where = '', title = '']) => {
    if (/^(not yet|out of scope: \S)/.test(where)) return title !== ''
    const path = join(repository, where)
    return (
      !/^tests\/.*\.test\.ts$/.test(where) ||
      title === '' ||
      !existsSync(path) ||
      !isTitleIn(readFileSync(path, 'utf8'), title)
    )
  })
  expect([rows.length > 100, wrong]).toEqual([true, []])
})

test('an id of docs/traceability.md is either proven or not', () => {
  const proven = new Set(rows.flatMap(([id = '', , title]) => (title === '' ? [] : [id])))
  const open = rows.flatMap(([id = '', , title]) => (title === '' ? [id] : []))
  expect(open.filter((id, index) => proven.has(id) || open.indexOf(id) !== index)).toEqual([])
})
