import type { ClockPort } from '../../ports/index.ts'

/** The clock of one engine life: it never goes back, whatever the clock of the machine does. */
export interface SteadyClock extends ClockPort {
  /** Goes on from there when the machine shows less: its clock was set back between two lives. */
  startFrom(at: number): void
  /** What the machine shows at an instant of this clock. */
  ofMachine(at: number): number
}

export function steadyClock(machine: ClockPort): SteadyClock {
  let latest = -Infinity
  let aheadMs = 0
  const startFrom = (at: number): void => {
    latest = Math.max(latest, at)
  }
  return {
    now() {
      const now = machine.now() + aheadMs
      if (now < latest) aheadMs += latest - now
      else latest = now
      return latest
    },
    schedule: (at, wake) => machine.schedule(at - aheadMs, wake),
    startFrom,
    ofMachine: (at) => at - aheadMs,
  }
}
