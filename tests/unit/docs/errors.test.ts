import { expect, test } from 'vitest'
import { errorCodes } from '../../../src/core/index.ts'
import { readPage, tableRows } from '../../support/markdown.ts'

const [, ...rows] = tableRows(readPage('docs/errors.md'))

test('docs/errors.md has a line for every code and none besides', () => {
  const meanings = rows.map(([code, meaning]) => [code, meaning])
  expect(meanings).toEqual(Object.entries(errorCodes))
})

test('docs/errors.md says for every code what to do', () => {
  const silent = rows.filter(([, , whatToDo = '']) => whatToDo.length < 10)
  expect(silent).toEqual([])
})
