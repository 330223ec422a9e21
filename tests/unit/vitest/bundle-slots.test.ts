import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { takeBundleSlot } from '../../../src/vitest/bundle-slots.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

test('as many slots can be taken as there are, whoever asks', () => {
  const slots = { folder: join(temporaryFolder(), 'slots'), max: 2 }
  expect([takeBundleSlot(slots), takeBundleSlot({ ...slots }), takeBundleSlot(slots)]).toEqual([
    true,
    true,
    false,
  ])
})

test('a slot that somebody else takes at the same moment is left to them', () => {
  const slots = { folder: temporaryFolder(), max: 3 }
  mkdirSync(join(slots.folder, '1'))
  expect([takeBundleSlot(slots), takeBundleSlot(slots)]).toEqual([true, false])
})

test('no slot can be taken where there are none', () => {
  expect(takeBundleSlot({ folder: join(temporaryFolder(), 'slots'), max: 0 })).toBe(false)
})

test('a folder that cannot be made is an error, not a slot that is taken', () => {
  expect(() => takeBundleSlot({ folder: '/dev/null/slots', max: 1 })).toThrow()
})
