import { joinPath } from '../../core/index.ts'
import type { Evidence } from './evidence.ts'

/** Where the engine keeps what it writes of a run, as paths relative to the project. */
export class RunPaths {
  readonly #runId: string
  readonly #directories: Evidence['directories']
  readonly stateFolder: string
  readonly runFolder: string
  readonly log: string
  readonly state: string
  readonly pointer: string
  readonly lock: string
  readonly staging: string
  readonly #engineFolders: readonly string[]

  constructor({ runId, directories }: Evidence) {
    this.#runId = runId
    this.#directories = directories
    const { stateDirectory = '.workflow', checkpointDirectory, logDirectory } = directories ?? {}
    this.stateFolder = stateDirectory
    this.runFolder = joinPath(stateDirectory, 'runs', runId)
    this.log = joinPath(this.runFolder, 'events.jsonl')
    this.state = joinPath(this.runFolder, 'state.json')
    this.pointer = joinPath(stateDirectory, 'last.json')
    this.lock = joinPath(this.runFolder, 'lock')
    this.staging = `${this.runFolder}/staging/`
    this.#engineFolders = [stateDirectory, checkpointDirectory, logDirectory]
      .filter((folder) => folder !== undefined)
      .map((folder) => `${folder}/`)
  }

  areOf({ runId, directories }: Evidence): boolean {
    return this.#runId === runId && this.#directories === directories
  }

  /** Whether a path lies in a directory of the engine. */
  isEngines(path: string): boolean {
    for (const folder of this.#engineFolders) if (path.startsWith(folder)) return true
    return false
  }
}

/** Runs that were forked from one another have the same. */
let newest: RunPaths | undefined

export function runPaths(evidence: Evidence): RunPaths {
  if (newest?.areOf(evidence) !== true) newest = new RunPaths(evidence)
  return newest
}
