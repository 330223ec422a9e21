import { expect, test } from 'vitest'
import { nearest, suggestion } from '../../../src/core/index.ts'

test.each([
  ['biuld', ['build', 'ship'], 'build'],
  ['Build', ['build', 'ship'], 'build'],
  ['zz', ['a', 'b'], undefined],
  ['ab', ['a', 'cd'], 'a'],
  ['x', ['a'], undefined],
  ['', ['a'], undefined],
  ['publsih-everything', ['publish-everything', 'publish'], 'publish-everything'],
])('of %j, nearest among %j is %j', (typed, known, expected) => {
  expect(nearest(typed, known)).toBe(expected)
})

test('what is like nothing gets the names that there are', () => {
  expect(suggestion('zz', ['a', 'b'])).toBe(`Known: 'a', 'b'.`)
})
