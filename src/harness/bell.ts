import { deferred } from '../core/index.ts'

/** Tells a waiting session that something has changed; a ring while nobody waits is kept. */
export interface Bell {
  ring(): void
  /** Whether it has rung since the last `clear`. */
  readonly rung: boolean
  clear(): void
  /** Settles at the next ring, or at once when it has rung. */
  wait(): Promise<void>
}

export function createBell(): Bell {
  let rung = false
  let next = deferred<void>()
  return {
    get rung() {
      return rung
    },
    ring() {
      rung = true
      next.resolve()
    },
    clear() {
      if (rung) next = deferred<void>()
      rung = false
    },
    wait: () => next.promise,
  }
}
