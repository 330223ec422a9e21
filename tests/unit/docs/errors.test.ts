import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes } from '../../../src/core/index.ts'

test('docs/errors.md has a line for every code and none besides', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([A-Z_]+)`\s*\| (.*?)\s*\|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ])
  expect(rows).toEqual(Object.entries(errorCodes))
})
