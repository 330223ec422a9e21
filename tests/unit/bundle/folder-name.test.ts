import { expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { bundleFolderName } from '../../../src/bundle/index.ts'

const digest = createDigest()

test('a bundle is named after its test, with a hash that tells equal names apart', () => {
  const name = { slugSource: 'Release > resumes (São Paulo)!', hashSource: 'a.test.ts > x', attempt: 1 }
  expect(bundleFolderName(name, digest)).toBe(
    `release-resumes-sao-paulo-${digest.sha256('a.test.ts > x').slice(0, 8)}-a1`,
  )
  expect(bundleFolderName({ ...name, attempt: 2, repeat: 3 }, digest)).toMatch(/-a2-r3$/)
})

test('a name without letters still makes a folder', () => {
  expect(bundleFolderName({ slugSource: '../日本', hashSource: 'x', attempt: 1 }, digest)).toMatch(
    /^bundle-[0-9a-f]{8}-a1$/,
  )
})

test('a long name is cut', () => {
  const name = bundleFolderName({ slugSource: 'word '.repeat(100), hashSource: 'x', attempt: 1 }, digest)
  expect(name).toHaveLength(60 - 1 + '-12345678-a1'.length)
})
