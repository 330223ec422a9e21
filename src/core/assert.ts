import { FaultlineError } from './errors.ts'

/**
 * States what must hold inside faultline. A failure is our bug: a user's mistake never reaches an assertion.
 *
 * @param about Who broke it. Apart from the statement, so that the usual case, which is fine, builds no text.
 */
export function assert(condition: unknown, statement: string, about?: string | number): asserts condition {
  if (!condition) {
    const subject = about === undefined ? '' : ` (${about})`
    throw new FaultlineError(
      'INTERNAL',
      `faultline broke its own rule: ${statement}${subject}. Please report this.`,
    )
  }
}

/** For the default branch of a switch over a closed union: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new FaultlineError(
    'INTERNAL',
    `faultline met an unexpected value: ${JSON.stringify(value)}. Please report this.`,
  )
}
