import { decodeUtf8 } from '../../core/index.ts'
import type { EventShapes, LoggedDefinition, LoggedEvent } from './event-shapes.ts'
import type { Evidence, FileTree } from './evidence.ts'
import { foldLog } from './fold.ts'
import type { FoldedRun } from './fold.ts'
import { readLog } from './log-reading.ts'
import type { LogReading } from './log-reading.ts'
import { runPaths } from './run-paths.ts'
import type { RunPaths } from './run-paths.ts'
import { readState } from './state-reading.ts'
import type { StateReading } from './state-reading.ts'

/** By the bytes themselves, which nobody writes to: forked disks share them. */
const digests = new WeakMap<Uint8Array, string>()
const noFiles: ReadonlyMap<string, Uint8Array> = new Map()
const noBytes = new Uint8Array()
const settled: ReadonlySet<string> = new Set([
  'completed',
  'failed',
  'paused',
  'waiting',
  'cancelled',
  'left',
])

interface Pointer {
  readonly runId?: unknown
  readonly seq?: unknown
}

/** By the bytes themselves as well. */
const pointers = new WeakMap<Uint8Array, Pointer>()

function readPointer(bytes: Uint8Array): Pointer {
  try {
    return (JSON.parse(decodeUtf8(bytes)) as Pointer | null) ?? {}
  } catch {
    return {}
  }
}

/** Evidence with what the checkers read out of it, each part once and only when it is asked for. */
export class RunReading {
  readonly evidence: Evidence
  readonly #shapes: EventShapes
  readonly #paths: RunPaths
  #log: LogReading | undefined
  /** The tree whose files were asked for last. */
  #tree: FileTree | undefined
  #projectFiles = noFiles
  #definitions: readonly LoggedDefinition[] | undefined
  #folded: { readonly run: FoldedRun | undefined } | undefined

  constructor(evidence: Evidence, shapes: EventShapes) {
    this.evidence = evidence
    this.#shapes = shapes
    this.#paths = runPaths(evidence)
  }

  get runFolder(): string {
    return this.#paths.runFolder
  }

  get logPath(): string {
    return this.#paths.log
  }

  get statePath(): string {
    return this.#paths.state
  }

  get pointerPath(): string {
    return this.#paths.pointer
  }

  get lockPath(): string {
    return this.#paths.lock
  }

  get stagingFolder(): string {
    return this.#paths.staging
  }

  /** The log as it was when the run was left. */
  get log(): LogReading {
    return (this.#log ??= this.logIn(this.evidence.files))
  }

  get events(): readonly LoggedEvent[] {
    return this.log.events
  }

  /** The definition that the run goes by in the end: of event 0, or of the last resume that adopted another. */
  get definition(): LoggedDefinition | undefined {
    this.#definitions ??= this.events.flatMap((event) => {
      if (event.kind === 'workflow_start') return [event.definition]
      const { adopts } = event.kind === 'workflow_resume' ? event : {}
      return adopts === undefined ? [] : [adopts.definition]
    })
    return this.#definitions.at(-1)
  }

  /** What the log adds up to; undefined when it does not begin with event 0. */
  get folded(): FoldedRun | undefined {
    this.#folded ??= { run: foldLog(this.events) }
    return this.#folded.run
  }

  /**
   * Whether the last life of the engine came to an end by itself, and so had the chance to clear up. When a crash hits after
   * the last event, the next life finds nothing to resume, and what the dead one held stays.
   */
  get hasSettled(): boolean {
    const { ending, earlierLives } = this.evidence
    return settled.has(ending.status) && earlierLives.at(-1)?.refusal === undefined
  }

  /** Whether a fault damaged the disk and the damage was noticed: nothing more was promised. */
  get wasRefusedForDamage(): boolean {
    return this.evidence.ending.status === 'refused' && this.leniency === 'detect-only'
  }

  /** The worst that any fault of the run allows. */
  get leniency(): 'survivable' | 'reportable' | 'detect-only' {
    let worst: 'survivable' | 'reportable' = 'survivable'
    for (const fault of this.evidence.faults) {
      if (fault.class === 'detect-only') return 'detect-only'
      if (fault.class === 'reportable') worst = 'reportable'
    }
    return worst
  }

  /** Whether a life in which nothing went wrong has taken the run over since: a key begins with the life that its fault struck in. */
  get wasResumedWithoutFaults(): boolean {
    const { earlierLives, faults } = this.evidence
    return faults.length > 0 && faults.every(({ key }) => Number.parseInt(key, 10) <= earlierLives.length)
  }

  /** Whether a fault moved the clock, so that instants say little. */
  get clockWasMoved(): boolean {
    return this.evidence.faults.some(({ movesClock }) => movesClock === true)
  }

  sha256Of(bytes: Uint8Array): string {
    const known = digests.get(bytes)
    if (known !== undefined) return known
    const sha256 = this.evidence.digest.sha256(bytes)
    digests.set(bytes, sha256)
    return sha256
  }

  readLog(bytes: Uint8Array): LogReading {
    return readLog(bytes, this.evidence.digest, this.#shapes)
  }

  logIn(files: FileTree): LogReading {
    return this.readLog(files.get(this.logPath) ?? noBytes)
  }

  stateIn(files: FileTree): StateReading | undefined {
    const bytes = files.get(this.statePath)
    return bytes === undefined
      ? undefined
      : readState(bytes, this.evidence.digest, () => this.logIn(files).events)
  }

  /** How much of this run's log the last pointer vouches for; -1 when it says nothing about it. */
  pointedSeq(files: FileTree): number {
    const bytes = files.get(this.pointerPath)
    if (bytes === undefined) return -1
    const pointer = pointers.get(bytes) ?? readPointer(bytes)
    pointers.set(bytes, pointer)
    return pointer.runId === this.evidence.runId && typeof pointer.seq === 'number' ? pointer.seq : -1
  }

  /** Files outside the engine's directories. */
  projectFiles(files: FileTree): ReadonlyMap<string, Uint8Array> {
    if (files === this.#tree) return this.#projectFiles
    const projects = new Map<string, Uint8Array>()
    for (const [path, bytes] of files) if (!this.isEngines(path)) projects.set(path, bytes)
    this.#tree = files
    this.#projectFiles = projects
    return projects
  }

  /** Whether a path lies in a directory of the engine. */
  isEngines(path: string): boolean {
    return this.#paths.isEngines(path)
  }

  /** In which life of the engine an attempt ran: as the agents' port saw it, else counted from the log. */
  incarnationOf(event: { readonly step: string; readonly visit: number; readonly attempt: number }): number {
    const seen = this.evidence.executions.find(
      ({ step, visit, attempt }) => step === event.step && visit === event.visit && attempt === event.attempt,
    )
    if (seen !== undefined) return seen.incarnation
    const start = this.events.findIndex(
      (other) =>
        other.kind === 'step_start' &&
        other.step === event.step &&
        other.visit === event.visit &&
        other.attempt === event.attempt,
    )
    return 1 + this.events.slice(0, start).filter(({ kind }) => kind === 'workflow_resume').length
  }
}
