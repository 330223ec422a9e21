import { FaultlineError } from './errors.ts'

/** States what must hold inside faultline. A failure is our bug: a user's mistake never reaches an assertion. */
export function assert(condition: unknown, statement: string): asserts condition {
  if (!condition) {
    throw new FaultlineError('INTERNAL', `faultline broke its own rule: ${statement}. Please report this.`)
  }
}

/** For the default branch of a switch over a closed union: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new FaultlineError(
    'INTERNAL',
    `faultline met an unexpected value: ${JSON.stringify(value)}. Please report this.`,
  )
}
