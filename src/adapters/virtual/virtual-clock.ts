import { assert } from '../../core/index.ts'
import type { ClockPort, ScheduledWake } from '../../ports/index.ts'

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends ClockPort {
  /** Wakes that are scheduled and neither fired nor cancelled. */
  readonly pending: number
  /** When the earliest of them is due. */
  next(): number | undefined
  /**
   * Goes to `ms`, firing what is due on the way in order of time, then of scheduling; while a wake fires the clock shows
   * that wake's time. What a wake schedules for the same stretch fires too.
   */
  advanceTo(ms: number): void
}

interface Wake {
  readonly at: number
  readonly order: number
  /** Undefined once fired or cancelled. */
  run: (() => void) | undefined
}

/** 2026-01-01T00:00:00Z: any fixed date would do. */
const defaultStartMs = 1_767_225_600_000

/** @param startMs Milliseconds since 1970-01-01 UTC. */
export function createVirtualClock(startMs = defaultStartMs): VirtualClock {
  return new HeapClock(startMs)
}

class HeapClock implements VirtualClock {
  readonly #heap = new WakeHeap()
  #now: number
  #scheduled = 0
  #cancelled = 0

  constructor(startMs: number) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  schedule(at: number, run: () => void): ScheduledWake {
    assert(Number.isFinite(at), 'a wake is scheduled for a time', at)
    const wake: Wake = { at: Math.max(at, this.#now), order: this.#scheduled++, run }
    this.#heap.add(wake)
    return { cancel: () => this.#cancel(wake) }
  }

  get pending(): number {
    return this.#heap.size - this.#cancelled
  }

  next(): number | undefined {
    return this.#earliest()?.at
  }

  advanceTo(ms: number): void {
    assert(ms >= this.#now, 'the clock never goes back', ms)
    for (let wake = this.#earliest(); wake !== undefined && wake.at <= ms; wake = this.#earliest()) {
      this.#heap.removeFirst()
      const { run } = wake
      wake.run = undefined
      this.#now = Math.max(this.#now, wake.at)
      run?.()
    }
    this.#now = Math.max(this.#now, ms)
  }

  #earliest(): Wake | undefined {
    for (let wake = this.#heap.first; wake !== undefined; wake = this.#heap.first) {
      if (wake.run !== undefined) return wake
      this.#heap.removeFirst()
      this.#cancelled--
    }
    return undefined
  }

  #cancel(wake: Wake): void {
    if (wake.run === undefined) return
    wake.run = undefined
    this.#cancelled++
    // Limits that never strike are the common case: without this they would pile up until their time comes.
    if (this.#cancelled <= 32 || this.#cancelled <= this.#heap.size / 2) return
    this.#heap.keep((kept) => kept.run !== undefined)
    this.#cancelled = 0
  }
}

/** A binary heap: the earliest wake first, among equals the one that was scheduled first. */
class WakeHeap {
  #wakes: Wake[] = []

  get size(): number {
    return this.#wakes.length
  }

  get first(): Wake | undefined {
    return this.#wakes[0]
  }

  add(wake: Wake): void {
    const wakes = this.#wakes
    let index = wakes.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = wakes[parent] as Wake
      if (isBefore(above, wake)) break
      wakes[index] = above
      index = parent
    }
    wakes[index] = wake
  }

  removeFirst(): void {
    const last = this.#wakes.pop()
    if (last !== undefined && this.#wakes.length > 0) this.#sink(last)
  }

  keep(wanted: (wake: Wake) => boolean): void {
    // A sorted array is a heap.
    this.#wakes = this.#wakes.filter(wanted).sort((left, right) => (isBefore(left, right) ? -1 : 1))
  }

  /** Places a wake in the subtree of the root, whose own place is free. */
  #sink(wake: Wake): void {
    const wakes = this.#wakes
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= wakes.length) break
      if (child + 1 < wakes.length && isBefore(wakes[child + 1] as Wake, wakes[child] as Wake)) child++
      if (isBefore(wake, wakes[child] as Wake)) break
      wakes[index] = wakes[child] as Wake
      index = child
    }
    wakes[index] = wake
  }
}

function isBefore(left: Wake, right: Wake): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order)
}
