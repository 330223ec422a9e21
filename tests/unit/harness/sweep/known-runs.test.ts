import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { worldKey } from '../../../../src/harness/sweep/known-runs.ts'
import { afterLife, freshWorld } from '../../../../src/harness/sweep/swept-world.ts'
import type { SweptWorld } from '../../../../src/harness/sweep/swept-world.ts'

const call = { step: 'a', visit: 1, attempt: 1, incarnation: 1 }
const began: SweptWorld = { ...freshWorld(createVirtualFiles(), 0), runId: 'run' }
const world = afterLife(began, 'run', began.disk)

test.each<[string, Partial<SweptWorld>]>([
  ['the run', { runId: 'other' }],
  ['the time', { now: 1 }],
  ['how often agents were called', { executions: [call] }],
  ['how often something was taken back', { undos: [call] }],
  [
    'how much has happened outside',
    { effects: [{ idempotencyKey: 'k', name: 'mail', step: 'a', count: 1 }] },
  ],
  ['how many steps callers know to be complete', { completedSteps: [{ step: 'a', visit: 1, seq: 2 }] }],
  ['how many lives there were', { lives: [] }],
  ['during what a life ended', { lives: afterLife(began, 'recovery', began.disk).lives }],
])('worlds are told apart by %s', (_title, other) => {
  expect(worldKey({ ...world, ...other }, 'disk')).not.toBe(worldKey(world, 'disk'))
})

test('worlds are told apart by their disks, and are the same without any of that', () => {
  expect(worldKey(world, 'other')).not.toBe(worldKey(world, 'disk'))
  const same = { ...world, lives: [...world.lives], warnings: ['heard'], errors: [{ message: 'seen' }] }
  expect(worldKey(same, 'disk')).toBe(worldKey(world, 'disk'))
})
