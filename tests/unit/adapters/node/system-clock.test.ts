import { afterEach, expect, test, vi } from 'vitest'
import { createSystemClock, createTurn } from '../../../../src/adapters/node/index.ts'

const clock = createSystemClock()
const turn = createTurn()

afterEach(() => {
  vi.useRealTimers()
})

test('wakes when the time has come, not before', async () => {
  const at = clock.now() + 3
  const wokenAt = await new Promise<number>((resolve) => {
    clock.schedule(at, () => resolve(clock.now()))
  })
  expect(wokenAt).toBeGreaterThanOrEqual(at)
})

test('wakes for a time that has passed, after the call', async () => {
  let woken = false
  clock.schedule(clock.now() - 1, () => (woken = true))
  expect(woken).toBe(false)
  await turn.next()
  expect(woken).toBe(true)
})

test('does not wake what was cancelled', async () => {
  let woken = 0
  clock.schedule(clock.now() - 1, () => woken++).cancel()
  clock.schedule(clock.now() + 1, () => woken++).cancel()
  await new Promise<void>((resolve) => {
    clock.schedule(clock.now() + 3, resolve)
  })
  await turn.next()
  expect(woken).toBe(0)
})

test('does not wake at once for a time further off than timers reach', async () => {
  let woken = false
  const far = clock.schedule(clock.now() + 2 ** 33, () => (woken = true))
  await new Promise<void>((resolve) => {
    clock.schedule(clock.now() + 5, resolve)
  })
  far.cancel()
  expect(woken).toBe(false)
})

test('goes on under fake timers', async () => {
  const before = clock.now()
  vi.useFakeTimers({ now: 0 })
  expect(clock.now()).toBeGreaterThanOrEqual(before)
  await new Promise<void>((resolve) => {
    clock.schedule(clock.now() + 1, resolve)
  })
})
