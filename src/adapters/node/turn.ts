import type { TurnPort } from '../../ports/index.ts'
import { longestDelayMs, realClearTimeout, realSetImmediate, realSetTimeout } from './real-timers.ts'

export function createTurn(): TurnPort {
  return {
    next: () => new Promise((resolve) => void realSetImmediate(resolve)),
    waitFor: (wake, realMs) =>
      new Promise((resolve) => {
        // Keeps the process alive: if nothing else does, the wake cannot come and the caller must be told so, which an
        // exit in the middle of the wait would prevent.
        const timer = realSetTimeout(() => resolve(false), Math.min(realMs, longestDelayMs))
        const woken = (): void => {
          realClearTimeout(timer)
          resolve(true)
        }
        wake.then(woken, woken)
      }),
  }
}
