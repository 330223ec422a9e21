import { expect, test } from 'vitest'
import { KnownContents } from '../../../src/trace/index.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A memory of what contents say, with how often it had to read. */
function reading(): { readonly says: (bytes: Uint8Array) => string; readonly read: string[] } {
  const contents = new KnownContents<string>()
  const read: string[] = []
  const says = (bytes: Uint8Array): string =>
    contents.read(bytes, () => {
      const text = new TextDecoder().decode(bytes)
      read.push(text)
      return `says ${text}`
    })
  return { says, read }
}

test('the same content is read once, also out of other memory', () => {
  const { says, read } = reading()
  expect([says(bytesOf('one')), says(bytesOf('one')), says(bytesOf('one'))]).toEqual(
    Array(3).fill('says one'),
  )
  expect(read).toEqual(['one'])
})

test('a content that is as long as a known one, or begins like it, is read for itself', () => {
  const { says } = reading()
  const contents = ['seven', 'seveN', 'sevens', 'seve', '']
  expect(contents.map((content) => says(bytesOf(content)))).toEqual(
    contents.map((content) => `says ${content}`),
  )
  expect(contents.slice(1).map((content) => says(bytesOf(content)))).toEqual(
    contents.slice(1).map((content) => `says ${content}`),
  )
})

test('what is written to the bytes afterwards changes nothing that is known', () => {
  const { says, read } = reading()
  const bytes = bytesOf('one')
  says(bytes)
  bytes.set(bytesOf('two'))
  expect([says(bytes), says(bytesOf('one'))]).toEqual(['says two', 'says one'])
  expect(read).toEqual(['one', 'two'])
})

test('of many contents the four that were asked for last are known', () => {
  const { says, read } = reading()
  for (const content of ['1', '2', '3', '4', '1', '5', '1', '4', '3', '5']) says(bytesOf(content))
  expect(read).toEqual(['1', '2', '3', '4', '5'])
  says(bytesOf('2'))
  expect(read).toEqual(['1', '2', '3', '4', '5', '2'])
})
