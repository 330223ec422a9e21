import { randomBytes } from 'node:crypto'
import type { IdsPort } from '../../ports/index.ts'
import { realNow } from './real-timers.ts'

/** A run id has 128 characters at most; time and random digits with their dashes take 25. */
const workflowIdCharacters = 103

/** Run ids `<workflowId>-<yyyymmdd>T<hhmmss>-<8 hex digits>`: sorted by time (UTC) in a folder listing, unique by chance. */
export function createSystemIds(): IdsPort {
  return {
    runId(workflowId) {
      const time = new Date(realNow()).toISOString().replaceAll(/[-:]|\.\d+Z$/g, '')
      return `${workflowId.slice(0, workflowIdCharacters)}-${time}-${randomBytes(4).toString('hex')}`
    },
  }
}
