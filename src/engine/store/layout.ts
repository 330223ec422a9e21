import { formatStepKey, joinPath } from '../../core/index.ts'
import type { StepKey } from '../../core/index.ts'

/** Default folder of all runs, relative to the project. */
export const stateFolder = '.workflow'

export const lastPointerPath = joinPath(stateFolder, 'last.json')
export const runsFolder = joinPath(stateFolder, 'runs')

/** Where the parts of one run lie, relative to the project. */
export interface RunLayout {
  readonly folder: string
  readonly log: string
  readonly state: string
  readonly lock: string
  readonly staging: string
}

export function runLayout(runId: string): RunLayout {
  const folder = joinPath(runsFolder, runId)
  return {
    folder,
    log: joinPath(folder, 'events.jsonl'),
    state: joinPath(folder, 'state.json'),
    lock: joinPath(folder, 'lock'),
    staging: joinPath(folder, 'staging'),
  }
}

export function stagingFolder(layout: RunLayout, key: StepKey): string {
  return joinPath(layout.staging, formatStepKey(key))
}
