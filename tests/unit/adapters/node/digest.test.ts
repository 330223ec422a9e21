import { expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'

const digest = createDigest()

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
])('the SHA-256 of %j is the one of the standard', (text, expected) => {
  expect(digest.sha256(text)).toBe(expected)
})

test('the CRC-32 is the one of zlib, without a sign', () => {
  expect(digest.crc32('123456789')).toBe(0xcbf43926)
  expect(digest.crc32('')).toBe(0)
})

test('text counts as UTF-8', () => {
  const bytes = new TextEncoder().encode('grün 😀')
  expect(digest.sha256('grün 😀')).toBe(digest.sha256(bytes))
  expect(digest.crc32('grün 😀')).toBe(digest.crc32(bytes))
})
