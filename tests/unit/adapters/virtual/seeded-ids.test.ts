import { expect, test } from 'vitest'
import { createSeededIds } from '../../../../src/adapters/virtual/index.ts'
import { isId } from '../../../../src/core/index.ts'

test('a seed determines the run ids, and no two calls give the same', () => {
  const ids = createSeededIds(7)
  const again = createSeededIds(7)
  const first = [ids.runId('release'), ids.runId('release'), ids.runId('release')]
  expect(first).toMatchInlineSnapshot(`
    [
      "release-11546068",
      "release-7942f69d",
      "release-03179cd4",
    ]
  `)
  expect([again.runId('release'), again.runId('release'), again.runId('release')]).toStrictEqual(first)
  expect(createSeededIds(8).runId('release')).not.toBe(first[0])
})

test('a run id stays a valid id for the longest workflow id', () => {
  expect(isId(createSeededIds(1).runId('w'.repeat(128)))).toBe(true)
})
