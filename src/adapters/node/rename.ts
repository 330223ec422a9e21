import { renameSync } from 'node:fs'
import { isSystemError } from '../../core/index.ts'
import { realSetTimeout } from './real-timers.ts'

/** Waits between tries, about a second in all: as long as a virus scanner or indexer on Windows holds a new file. */
const retryDelaysMs: readonly number[] = [10, 20, 40, 80, 160, 320, 400]

/** Elsewhere than on Windows these errors mean what they say, and one try is all. */
export async function rename(from: string, to: string, platform: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      renameSync(from, to)
      return
    } catch (error) {
      const delayMs = retryDelaysMs[tries]
      const busy = platform === 'win32' && isSystemError(error, 'EPERM', 'EBUSY', 'EACCES')
      if (!busy || delayMs === undefined) throw error
      await new Promise((resolve) => void realSetTimeout(resolve, delayMs))
    }
  }
}
