import { isError } from '../core/index.ts'
import type { StepError, StepErrorCategory } from '../trace/index.ts'

/** What happened when a step could not do its work, in the words of the one that knows. */
export interface StepFailureFacts {
  readonly kind: StepError['kind']
  /** `transient`: another attempt may succeed, so retries are worth their while. */
  readonly category: StepErrorCategory
  /** Short and stable, for programs: `ECONNREFUSED`, `HTTP_503`, `EXIT_2`. */
  readonly code?: string
  readonly cause?: unknown
}

/**
 * An agent that throws this says itself of what kind its failure is, and whether to try again; of anything else that is thrown
 * the engine knows no more than that it is an exception.
 */
export class StepFailure extends Error {
  override readonly name: string = 'StepFailure'
  readonly kind: StepError['kind']
  readonly category: StepErrorCategory
  readonly code: string | undefined

  constructor(message: string, { kind, category, code, cause }: StepFailureFacts) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.category = category
    this.code = code
  }

  /** The same failure, said otherwise. */
  withMessage(message: string): StepFailure {
    const { kind, category, code, cause } = this
    return new StepFailure(message, { kind, category, cause, ...(code === undefined ? {} : { code }) })
  }
}

export function isStepFailure(thrown: unknown): thrown is StepFailure {
  return thrown instanceof StepFailure || (isError(thrown) && thrown.name === 'StepFailure')
}
