import type { StepDefinition } from '../../definition/index.ts'
import type { StepKey } from '../../core/index.ts'
import type { ArtifactRecord } from '../../trace/index.ts'

/** One call of an agent that is in flight: what the engine must remember of it besides the state. */
export interface Attempt {
  readonly index: number
  readonly key: StepKey
  readonly definition: StepDefinition
  /** Folder of its staged files, relative to the project. */
  readonly staging: string
  /** Staged files by path; a second write of a path replaces the first. */
  readonly staged: Map<string, ArtifactRecord>
  readonly abort: LazyAbort
  /** Set when the attempt has its outcome: its context refuses everything from then on. */
  ended: boolean
}

/** An abort controller that is made when somebody looks at it: most agents never do. */
export class LazyAbort {
  #controller: AbortController | undefined
  #reason: Error | undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** What it was aborted with, or undefined. */
  get reason(): Error | undefined {
    return this.#reason
  }

  abort(reason: Error): void {
    this.#reason ??= reason
    this.#controller?.abort(reason)
  }
}
