import { expect, test } from 'vitest'
import { createInventedOwner } from '../../../../src/adapters/virtual/index.ts'
import type { OwnerIdentity, OwnerPort } from '../../../../src/ports/index.ts'

const process: OwnerIdentity = { nonce: 'n', pid: 7, startTime: '1', bootId: 'b', host: 'h' }

test('an invented owner takes only itself for alive', () => {
  const owner = createInventedOwner('life-2')
  expect(owner.self.invented).toBe(true)
  expect(owner.liveness(owner.self)).toBe('alive')
  expect(owner.liveness(createInventedOwner('life-1').self)).toBe('dead')
  expect(owner.liveness(process)).toBe('dead')
})

test('an invented owner asks the real one about real processes only', () => {
  const real: OwnerPort = { self: process, liveness: () => 'elsewhere' }
  const owner = createInventedOwner('life-2', real)
  expect(owner.liveness(process)).toBe('elsewhere')
  expect(owner.liveness(createInventedOwner('life-1').self)).toBe('dead')
  expect(owner.liveness({ ...process, nonce: 'life-2' })).toBe('elsewhere')
})
