import type { ClockPort } from '../../ports/index.ts'
import {
  longestDelayMs,
  realClearImmediate,
  realClearTimeout,
  realNow,
  realSetImmediate,
  realSetTimeout,
} from './real-timers.ts'

/** Real time. A scheduled wake keeps the process alive until it has fired or is cancelled. */
export function createSystemClock(): ClockPort {
  return {
    now: () => realNow(),
    schedule(at, wake) {
      let stop: () => void
      const wait = (): void => {
        const delayMs = at - realNow()
        if (delayMs <= 0) {
          const immediate = realSetImmediate(wake)
          stop = () => realClearImmediate(immediate)
          return
        }
        // Looks at the clock again when the timer fires: timers may be a millisecond early, and far times need several.
        const timer = realSetTimeout(checkAgain, Math.min(delayMs, longestDelayMs))
        stop = () => realClearTimeout(timer)
      }
      const checkAgain = (): void => {
        if (realNow() >= at) wake()
        else wait()
      }
      wait()
      return { cancel: () => stop() }
    },
  }
}
