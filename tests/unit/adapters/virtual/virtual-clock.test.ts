import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../../src/adapters/virtual/index.ts'

describe('the virtual clock', () => {
  test('stands still at a fixed date until it is told to go on', () => {
    const clock = createVirtualClock()
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1))
    clock.advanceTo(clock.now() + 5)
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 5)
  })

  test('fires wakes by time, then by order of scheduling, each at its own time', () => {
    const schedules = fc.array(
      fc.record({ delayMs: fc.integer({ min: -2, max: 8 }), cancelled: fc.boolean() }),
    )
    fc.assert(
      fc.property(schedules, fc.integer({ min: 0, max: 8 }), (entries, stopMs) => {
        const clock = createVirtualClock(100)
        const fired: (readonly [index: number, at: number])[] = []
        const wakes = entries.map(({ delayMs }, index) =>
          clock.schedule(100 + delayMs, () => fired.push([index, clock.now()])),
        )
        entries.forEach(({ cancelled }, index) => cancelled && wakes[index]?.cancel())
        const live = entries
          .map(({ delayMs, cancelled }, index) => ({ index, cancelled, at: 100 + Math.max(0, delayMs) }))
          .filter(({ cancelled }) => !cancelled)
          .sort((left, right) => left.at - right.at || left.index - right.index)
        expect(fired).toStrictEqual([])
        expect(clock.pending).toBe(live.length)
        expect(clock.next()).toBe(live[0]?.at)

        clock.advanceTo(100 + stopMs)
        const due = live.filter(({ at }) => at <= 100 + stopMs)
        expect(fired).toStrictEqual(due.map(({ index, at }) => [index, at]))
        expect(clock.pending).toBe(live.length - due.length)
        expect(clock.now()).toBe(100 + stopMs)
      }),
      { seed: 1 },
    )
  })

  test('fires in the same stretch what a wake schedules for it', () => {
    const clock = createVirtualClock(0)
    const fired: string[] = []
    clock.schedule(1, () => {
      fired.push('first')
      clock.schedule(2, () => fired.push('inside'))
      clock.schedule(9, () => fired.push('beyond'))
    })
    clock.schedule(3, () => fired.push('last'))
    clock.advanceTo(5)
    expect(fired).toStrictEqual(['first', 'inside', 'last'])
    expect(clock.next()).toBe(9)
  })

  test('goes on after a wake that throws', () => {
    const clock = createVirtualClock(0)
    let fired = 0
    clock.schedule(1, () => {
      throw new Error('broken')
    })
    clock.schedule(1, () => fired++)
    expect(() => clock.advanceTo(2)).toThrow('broken')
    clock.advanceTo(2)
    expect(fired).toBe(1)
  })

  test('forgets cancelled wakes, also when cancelled twice or after they fired', () => {
    const clock = createVirtualClock(0)
    const first = clock.schedule(1, () => {})
    const second = clock.schedule(2, () => {})
    clock.advanceTo(1)
    first.cancel()
    expect(clock.pending).toBe(1)
    second.cancel()
    second.cancel()
    expect(clock.pending).toBe(0)
    expect(clock.next()).toBeUndefined()
  })

  test('keeps the order when it throws out many cancelled wakes', () => {
    const clock = createVirtualClock(0)
    const fired: number[] = []
    const wakes = Array.from({ length: 200 }, (_, index) =>
      clock.schedule(200 - index, () => fired.push(200 - index)),
    )
    wakes.forEach((wake, index) => index % 4 !== 0 && wake.cancel())
    expect(clock.pending).toBe(50)
    clock.advanceTo(200)
    expect(fired).toStrictEqual(Array.from({ length: 50 }, (_, index) => 4 * (index + 1)))
  })

  test('refuses to go back', () => {
    const clock = createVirtualClock(10)
    expect(() => clock.advanceTo(9)).toThrow('the clock never goes back (9)')
  })
})
