/** When a service is taken to be down, and for how long it is then left alone. */
export interface CircuitSettings {
  /** Failures in a row after which it opens. */
  readonly failures: number
  readonly resetAfterMs: number
}

export const circuitDefaults: CircuitSettings = { failures: 3, resetAfterMs: 300_000 }

export type CircuitState = 'closed' | 'open' | 'half-open'

/**
 * Guards one service. Closed, it lets every call through and counts failures in a row; open, it refuses; half-open, when its time
 * has passed, it lets one call through, by whose outcome it closes or opens again.
 */
export class CircuitBreaker {
  readonly #settings: CircuitSettings
  #failures = 0
  #openUntil: number | undefined
  #trying = false

  constructor(settings: CircuitSettings) {
    this.#settings = settings
  }

  state(now: number): CircuitState {
    if (this.#openUntil === undefined) return 'closed'
    return now < this.#openUntil ? 'open' : 'half-open'
  }

  /** Milliseconds until a call may be tried; undefined when this one may. */
  refusedFor(now: number): number | undefined {
    if (this.#openUntil === undefined) return undefined
    if (now < this.#openUntil) return this.#openUntil - now
    if (this.#trying) return 0
    this.#trying = true
    return undefined
  }

  succeeded(): void {
    this.#failures = 0
    this.#openUntil = undefined
    this.#trying = false
  }

  failed(now: number): void {
    this.#failures++
    if (this.#trying || this.#failures >= this.#settings.failures)
      this.#openUntil = now + this.#settings.resetAfterMs
    this.#trying = false
  }
}
