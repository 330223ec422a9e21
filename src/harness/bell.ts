import { deferred } from '../core/index.ts'
import type { Deferred } from '../core/index.ts'

/** Tells a waiting session that something has changed; a ring while nobody waits is kept. */
export class Bell {
  #waiting: Deferred<void> | undefined
  #rung = false

  /** Whether it has rung since the last `clear`. */
  get rung(): boolean {
    return this.#rung
  }

  ring(): void {
    this.#rung = true
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  clear(): void {
    this.#rung = false
  }

  /** Settles at the next ring, or at once when it has rung. */
  wait(): Promise<void> {
    if (this.#rung) return Promise.resolve()
    this.#waiting ??= deferred<void>()
    return this.#waiting.promise
  }
}
