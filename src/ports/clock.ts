/** Time as the run sees it, in milliseconds since 1970-01-01 UTC. */
export interface ClockPort {
  now(): number
  /** Calls `wake` once when the clock reaches `at` (at once, but never inside this call, if it has). */
  schedule(at: number, wake: () => void): ScheduledWake
}

export interface ScheduledWake {
  cancel(): void
}
