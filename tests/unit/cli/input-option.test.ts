import { expect, test } from 'vitest'
import { readMembers, readRunInput } from '../../../src/cli/input-option.ts'

test.each([
  [[], null],
  [['{ "name": "Ada" }'], { name: 'Ada' }],
  [['[1, 2]'], [1, 2]],
  [['3'], 3],
  [['"a=b"'], 'a=b'],
  [['["a=b"]'], ['a=b']],
  [['name=Ada'], { name: 'Ada' }],
  [['name=Ada', 'age=36', 'of={"x":1}', 'sum=1=1'], { name: 'Ada', age: 36, of: { x: 1 }, sum: '1=1' }],
  [['{ "name": "Ada", "age": 1 }', 'age=36'], { name: 'Ada', age: 36 }],
])('--input %j gives a run %j', (texts, input) => {
  expect(readRunInput(texts)).toEqual(input)
})

test.each([['Ada'], ['{ name'], ['=3']])('--input %j is refused by name', (text) => {
  expect(() => readRunInput([text])).toThrow('is not valid JSON')
})

test('members alone are no list', () => {
  expect(() => readMembers(['[1]'])).toThrow(`The input '[1]' must be name=value, or a JSON object.`)
})
