import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { KnownFutures } from '../../../../src/harness/sweep/known-futures.ts'
import type { EndedLifeOf } from '../../../../src/harness/sweep/life-options.ts'
import { freshWorld } from '../../../../src/harness/sweep/swept-world.ts'
import type { SweptWorld } from '../../../../src/harness/sweep/swept-world.ts'

const call = (step: string) => ({ step, visit: 1, attempt: 1, incarnation: 1 })
const fault = (key: string) => ({ fault: 'disk before', key, class: 'reportable' }) as const
const mail = { idempotencyKey: 'run/send#1', name: 'mail', step: 'send', count: 1 }

const world: SweptWorld = {
  ...freshWorld(createVirtualFiles(), 0),
  runId: 'run',
  executions: [call('a')],
  effects: [mail],
  completedSteps: [{ step: 'a', visit: 1, seq: 2 }],
  faults: [fault('first')],
  errors: [{ message: 'first' }],
  warnings: ['first'],
  leftBehind: { openFiles: ['first'], timers: [], calls: [] },
}

/** What became of a world: all that was in it is still in it, and more. */
function future(from: SweptWorld): EndedLifeOf {
  return {
    world: {
      ...from,
      now: 5,
      executions: [...from.executions, call('b')],
      effects: [{ ...mail, count: 2 }],
      completedSteps: [...from.completedSteps, { step: 'b', visit: 1, seq: 4 }],
      errors: [...from.errors, { message: 'later' }],
      warnings: [...from.warnings, 'later'],
      ending: { status: 'completed' },
      leftBehind: { ...from.leftBehind, timers: ['later'] },
    },
    leftovers: { openFiles: [], timers: [], calls: ['last'] },
    refusal: undefined,
    leftAt: 'b',
    wasStruck: false,
    objections: [],
    asksFor: undefined,
  }
}

test('what happened after a world is told of one like it, which keeps its own past', () => {
  const futures = new KnownFutures()
  const ended = future(world)
  futures.keep('key', world, ended)
  const other: SweptWorld = {
    ...world,
    executions: [call('z')],
    completedSteps: [{ step: 'z', visit: 1, seq: 2 }],
    faults: [fault('second')],
    errors: [{ message: 'second' }, { message: 'third' }],
    warnings: [],
    leftBehind: { openFiles: [], timers: [], calls: ['second'] },
  }
  const known = futures.of('key', other)
  expect(known).toEqual({
    ...ended,
    world: {
      ...ended.world,
      executions: [call('z'), call('b')],
      completedSteps: [
        { step: 'z', visit: 1, seq: 2 },
        { step: 'b', visit: 1, seq: 4 },
      ],
      faults: [fault('second')],
      errors: [{ message: 'second' }, { message: 'third' }, { message: 'later' }],
      warnings: ['later'],
      leftBehind: { openFiles: [], timers: ['later'], calls: ['second'] },
    },
  })
  expect(known?.world.effects).toEqual([{ ...mail, count: 2 }])
})

test.each([
  ['another key', 'other', world],
  ['an effect more', 'key', { ...world, effects: [mail, { ...mail, name: 'sms' }] }],
  ['an effect that has happened twice', 'key', { ...world, effects: [{ ...mail, count: 2 }] }],
  ['another effect', 'key', { ...world, effects: [{ ...mail, name: 'sms' }] }],
  ['the effect of another visit', 'key', { ...world, effects: [{ ...mail, idempotencyKey: 'run/send#2' }] }],
])('nothing is known of a world with %s', (_title, key, other) => {
  const futures = new KnownFutures()
  futures.keep('key', world, future(world))
  expect(futures.of(key, other)).toBeUndefined()
})

test('the newest are kept', () => {
  const futures = new KnownFutures()
  for (let place = 0; place < 100; place++) futures.keep(String(place), world, future(world))
  const known = Array.from({ length: 100 }, (_, place) => futures.of(String(place), world) !== undefined)
  expect(known.lastIndexOf(false)).toBe(100 - 64 - 1)
  expect(known.indexOf(true)).toBe(100 - 64)
})
