import type { HeldProcess } from '../../ports/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import type { JsonObject, StepKey } from '../../core/index.ts'
import type { ArtifactRecord, StepEventContext } from '../../trace/index.ts'
import { stagingFolder } from '../store/layout.ts'
import type { RunLayout } from '../store/layout.ts'

/** One call of an agent that is in flight: what the engine must remember of it besides the state. */
export class Attempt {
  readonly index: number
  readonly key: StepKey
  readonly definition: StepDefinition
  /** What every event about it says. */
  readonly context: StepEventContext
  /** What its agent is handed. */
  parameters: JsonObject
  /** Staged files by path; a second write of a path replaces the first. */
  readonly staged = new Map<string, ArtifactRecord>()
  /** Set when it has begun to stage a file, whatever came of that. */
  hasStaged = false
  #processes: HeldProcess[] | undefined
  #adopted: Map<string, ArtifactRecord> | undefined
  /** Whether it takes back what the step has done. */
  readonly undoes: boolean
  /** Set when its agent has been called. */
  called = false
  /** Set when the attempt has its outcome: its context refuses everything from then on. */
  ended = false
  /** Set when its staged files stand under their final names. */
  placed = false
  readonly #layout: RunLayout
  #staging: string | undefined
  #controller: AbortController | undefined
  #abortedBecause: string | undefined

  constructor(index: number, key: StepKey, definition: StepDefinition, layout: RunLayout, undoes = false) {
    const { step, visit, attempt } = key
    const { agent, action } = definition
    this.index = index
    this.key = key
    this.definition = definition
    this.parameters = definition.parameters
    this.context =
      action === undefined ? { step, visit, attempt, agent } : { step, visit, attempt, agent, action }
    this.undoes = undoes
    this.#layout = layout
  }

  /** The same call as it stands, for another life. */
  copy(): Attempt {
    const { index, key, definition, parameters, staged, hasStaged, called } = this
    const copy = new Attempt(index, key, definition, this.#layout, this.undoes)
    copy.parameters = parameters
    copy.hasStaged = hasStaged
    copy.called = called
    for (const [path, artifact] of staged) copy.staged.set(path, artifact)
    this.#adopted?.forEach((artifact) => copy.adopt(artifact))
    return copy
  }

  /** Folder of its staged files, relative to the project. */
  get staging(): string {
    return (this.#staging ??= stagingFolder(this.#layout, this.key))
  }

  /** Notes a file that stands in its place already. */
  adopt(artifact: ArtifactRecord): void {
    this.#adopted ??= new Map()
    this.#adopted.set(artifact.path, artifact)
  }

  /** A process that must not outlive it. */
  own(process: HeldProcess): void {
    this.#processes ??= []
    this.#processes.push(process)
  }

  get ownsProcesses(): boolean {
    return this.#processes !== undefined
  }

  endProcesses(): void {
    const owned = this.#processes
    this.#processes = undefined
    owned?.forEach((process) => process.end())
  }

  /** All that it leaves, by path: what it has staged, and what it has written in place. */
  get files(): ReadonlyMap<string, ArtifactRecord> {
    return this.#adopted === undefined ? this.staged : new Map([...this.#adopted, ...this.staged])
  }

  /** Made when somebody looks at it: most agents never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortedBecause !== undefined) this.#controller.abort(new Error(this.#abortedBecause))
    }
    return this.#controller.signal
  }

  /** Whether a thrown value is what its signal was aborted with. */
  isAbortReason(thrown: unknown): boolean {
    const signal = this.#controller?.signal
    return signal?.aborted === true && thrown === signal.reason
  }

  get aborted(): boolean {
    return this.#abortedBecause !== undefined
  }

  abort(because: string): void {
    if (this.#abortedBecause !== undefined) return
    this.#abortedBecause = because
    this.#controller?.abort(new Error(because))
    this.endProcesses()
  }
}
