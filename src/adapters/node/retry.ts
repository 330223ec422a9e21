import { isSystemError } from '../../core/index.ts'
import { realSetTimeout } from './real-timers.ts'

/** About a second in all: as long as a virus scanner or indexer on Windows holds a new file. */
const defaultDelaysMs: readonly number[] = [10, 20, 40, 80, 160, 320, 400]

export interface RetryOptions {
  /** As in `process.platform`. Elsewhere than on Windows these errors mean what they say, and one try is all. */
  readonly platform: string
  /** Waits between tries. */
  readonly delaysMs?: readonly number[]
}

/** Repeats a call for as long as it fails because somebody else holds the file. */
export async function retryWhileHeld(call: () => void, options: RetryOptions): Promise<void> {
  const { platform, delaysMs = defaultDelaysMs } = options
  for (let tries = 0; ; tries++) {
    try {
      call()
      return
    } catch (error) {
      const delayMs = delaysMs[tries]
      const held = platform === 'win32' && isSystemError(error, 'EPERM', 'EBUSY', 'EACCES')
      if (!held || delayMs === undefined) throw error
      await new Promise((resolve) => void realSetTimeout(resolve, delayMs))
    }
  }
}
