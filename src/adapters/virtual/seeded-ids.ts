import { seededRandom } from '../../core/index.ts'
import type { SeededRandom } from '../../core/index.ts'
import type { IdsPort } from '../../ports/index.ts'

/** A run id has 128 characters at most; the dash and the digits take nine. */
const workflowIdCharacters = 119

/**
 * Run ids `<workflowId>-<8 hex digits>` that a seed determines. The digits are successive draws of one stream, which
 * repeats none before 2^32 of them, so that two runs of a session never share an id.
 */
export function createSeededIds(seed: number | string): IdsPort {
  let random: SeededRandom | undefined
  return {
    runId(workflowId) {
      random ??= seededRandom(seed).fork('ids')
      return `${workflowId.slice(0, workflowIdCharacters)}-${random.hex(8)}`
    },
  }
}
