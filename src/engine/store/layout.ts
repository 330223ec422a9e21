import { containedPath, formatStepKey, joinPath } from '../../core/index.ts'
import type { StepKey } from '../../core/index.ts'
import type { Directories } from '../../ports/index.ts'

/** The directories as they are used: checked, in normal form, defaults filled in. Relative to the project. */
export interface StoreLayout {
  readonly state: string
  readonly runs: string
  /** The pointer to the newest run. */
  readonly last: string
  /** Undefined: no records besides the log are kept. */
  readonly checkpoints: string | undefined
  readonly logs: string
  /** Folders of the engine, in which no artifact may lie. */
  readonly reserved: readonly string[]
}

/** Default folder of all runs. */
export const stateFolder = '.workflow'

const defaultLayout = checkedLayout({})

/** @throws FaultlineError `PATH_OUTSIDE` for a directory that is absolute or climbs out of the project. */
export function storeLayout(directories?: Directories): StoreLayout {
  return directories === undefined ? defaultLayout : checkedLayout(directories)
}

function checkedLayout({
  stateDirectory = stateFolder,
  checkpointDirectory,
  logDirectory,
}: Directories): StoreLayout {
  const state = containedPath(stateDirectory, 'state directory')
  const checkpoints =
    checkpointDirectory === undefined ? undefined : containedPath(checkpointDirectory, 'checkpoint directory')
  const logs =
    logDirectory === undefined ? joinPath(state, 'logs') : containedPath(logDirectory, 'log directory')
  return {
    state,
    runs: joinPath(state, 'runs'),
    last: joinPath(state, 'last.json'),
    checkpoints,
    logs,
    reserved: [state, logs, ...(checkpoints === undefined ? [] : [checkpoints])],
  }
}

/** The folder of the engine that a path of the project is or lies in, if one. */
export function reservedFolder({ reserved }: StoreLayout, path: string): string | undefined {
  return reserved.find((folder) => path === folder || path.startsWith(`${folder}/`))
}

/** Where the parts of one run lie, relative to the project. */
export interface RunLayout {
  readonly folder: string
  readonly log: string
  readonly state: string
  readonly lock: string
  readonly staging: string
  readonly blobs: string
  /** Undefined: the log alone has them. */
  readonly checkpoints: string | undefined
  readonly history: string
}

/** The layout asked for last: lives of one run follow one another, and paths that are the same strings need not be compared. */
let latest: { readonly store: StoreLayout; readonly runId: string; readonly layout: RunLayout } | undefined

export function runLayout(store: StoreLayout, runId: string): RunLayout {
  if (latest?.store !== store || latest.runId !== runId)
    latest = { store, runId, layout: laidOut(store, runId) }
  return latest.layout
}

function laidOut(store: StoreLayout, runId: string): RunLayout {
  const folder = joinPath(store.runs, runId)
  return {
    folder,
    log: joinPath(folder, 'events.jsonl'),
    state: joinPath(folder, 'state.json'),
    lock: joinPath(folder, 'lock'),
    staging: joinPath(folder, 'staging'),
    blobs: joinPath(folder, 'blobs'),
    history: joinPath(folder, 'history'),
    checkpoints: store.checkpoints === undefined ? undefined : joinPath(store.checkpoints, runId),
  }
}

export function stagingFolder(layout: RunLayout, key: StepKey): string {
  return joinPath(layout.staging, formatStepKey(key))
}
