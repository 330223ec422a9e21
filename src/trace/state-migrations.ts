import type { JsonObject } from '../core/index.ts'
import { stateSchemaVersion } from './state-document.ts'
import type { StateDocument, StepDocument } from './state-document.ts'

type Migration = (state: JsonObject) => JsonObject

/** What turns a state of each older version into one of the next. */
const migrations: ReadonlyMap<number, Migration> = new Map([[1, withOverview]])

/**
 * A state of any version that this faultline knows, as one of the present version.
 *
 * @returns undefined for a version that it does not know, such as a newer one
 */
export function migrateState(state: JsonObject): StateDocument | undefined {
  let current = state
  while (current['schemaVersion'] !== stateSchemaVersion) {
    const version = current['schemaVersion'] as number
    const migrate = migrations.get(version)
    if (migrate === undefined) return undefined
    current = { ...migrate(current), schemaVersion: version + 1 }
  }
  return current as unknown as StateDocument
}

/** Version 2 says at the top what version 1 left to be counted, and why a run was cancelled, which version 1 did not keep. */
function withOverview(state: JsonObject): JsonObject {
  const { completedSteps, error, epoch, steps } = state as unknown as Pick<
    StateDocument,
    'completedSteps' | 'error' | 'epoch' | 'steps'
  >
  const records: readonly StepDocument[] = Object.values(steps)
  const attempts = records.flatMap((step) => step.attempts)
  const last = completedSteps.at(-1)
  return {
    ...state,
    reason: error?.message ?? null,
    progress: { completed: completedSteps.length, total: records.length },
    safePoint: last === undefined ? { step: null, seq: 0 } : { step: last, seq: null },
    monitoring: {
      errorCount: attempts.filter(({ outcome }) => outcome === 'failed').length,
      recoveryAttempts: epoch - 1,
    },
  }
}
