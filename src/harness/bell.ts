import { deferred } from '../core/index.ts'

/** Tells a waiting session that something has changed; a ring while nobody waits is kept. */
export class Bell {
  #next = deferred<void>()
  #rung = false

  /** Whether it has rung since the last `clear`. */
  get rung(): boolean {
    return this.#rung
  }

  ring(): void {
    this.#rung = true
    this.#next.resolve()
  }

  clear(): void {
    if (this.#rung) this.#next = deferred<void>()
    this.#rung = false
  }

  /** Settles at the next ring, or at once when it has rung. */
  wait(): Promise<void> {
    return this.#next.promise
  }
}
