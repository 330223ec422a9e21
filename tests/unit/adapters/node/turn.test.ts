import { afterEach, expect, test, vi } from 'vitest'
import { createTurn } from '../../../../src/adapters/node/index.ts'

const turn = createTurn()

afterEach(() => {
  vi.useRealTimers()
})

test('a turn ends after every promise chain has gone as far as it can', async () => {
  let steps = 0
  const chain = async (): Promise<void> => {
    for (; steps < 1_000; steps++) await Promise.resolve()
  }
  void chain()
  await turn.next()
  expect(steps).toBe(1_000)
})

test('waiting ends when the wake settles, either way', async () => {
  expect(await turn.waitFor(Promise.resolve(), 60_000)).toBe(true)
  expect(await turn.waitFor(Promise.reject(new Error('broken')), 60_000)).toBe(true)
})

test('waiting ends when the time is up', async () => {
  expect(await turn.waitFor(new Promise(() => {}), 1)).toBe(false)
})

test('waiting for longer than timers last does not end at once', async () => {
  const wake = turn.next().then(() => turn.next())
  expect(await turn.waitFor(wake, 2 ** 40)).toBe(true)
})

test('a wait that was woken leaves no timer behind', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const wait = turn.waitFor(turn.next(), 60_000)
  expect(timers()).toBe(before + 1)
  await wait
  expect(timers()).toBe(before)
})

test('turns and waits go on under fake timers', async () => {
  vi.useFakeTimers()
  await turn.next()
  expect(await turn.waitFor(new Promise(() => {}), 1)).toBe(false)
})
