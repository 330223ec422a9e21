/**
 * Every code a thrown `FaultlineError` may carry, with what it tells the reader. `docs/errors.md` has a line for each.
 * All of them are the caller's to act on (exit code 2), except `INTERNAL`, which is our bug.
 */
export const errorCodes = {
  AGENT_NOT_ON_CLOCK: 'an agent waits for something that the virtual clock cannot see',
  AGENTS_MODULE_INVALID: 'the agents module cannot be loaded or exports no agents',
  ARTIFACT_CHANGED: 'an artifact of a completed step was changed or removed behind the run',
  ARTIFACTS_WRONG: 'assertWorkflowArtifacts found a difference',
  BUNDLE_INVALID: 'the folder is not a readable failure bundle',
  BUNDLE_NEWER: 'the bundle was written by a newer major version',
  CONFIGURATION_INVALID: 'an option has a value outside its range',
  DEADLOCK: 'nothing can move: every participant waits for another',
  DEFINITION_CHANGED: 'the workflow definition differs from the one the run started with',
  DEFINITION_INVALID: 'the workflow definition is malformed',
  FAULT_PLAN_INVALID: 'the fault plan names something that does not exist',
  FAULT_UNFIRED: 'a planned fault did not fire as often as planned',
  FILE_NOT_FOUND: 'a file or folder named by the caller does not exist',
  FILE_WOULD_BE_OVERWRITTEN: 'a file that no run produced stands where an artifact would go',
  GATE_NOT_WAITING: 'the gate that was answered waits for no answer',
  ID_INVALID: 'an id does not match its pattern',
  INPUT_INVALID: 'the input of a run does not fit the schema of its workflow',
  INTERNAL: 'an assertion of faultline itself failed: please report it',
  INVARIANT_BROKEN: 'the run broke an invariant',
  MISSING_INPUT: 'a reference asks for a value that is not there',
  NOT_DETERMINISTIC: 'two runs without faults differ, so runs with faults cannot be compared',
  PATH_OUTSIDE: 'a path leaves the folder it must stay in',
  REQUEST_INVALID: 'a request to the service of runs is malformed',
  REQUEST_REFUSED: 'a request to the service of runs comes from another host or origin',
  REQUIRED_FILE_MISSING: 'a step requires a file that no step creates and that does not exist',
  RUN_LET_GO: 'the engine has let go of the run',
  RUN_NOT_FOUND: 'there is no such run',
  RUN_NOT_RESUMABLE: 'the run has ended for good',
  RUN_OWNED: 'another live process holds the run',
  SEED_CONFLICT: 'two different seeds were given explicitly',
  SESSION_MISUSE: 'a session call came out of order',
  STATE_CORRUPT: 'persisted bytes are damaged at a place that was known to be durable',
  STATE_UNREADABLE: 'the state folder cannot be read or written',
  STORE_FAILED: 'a durable write failed and the run stopped',
  SWEEP_IMPOSSIBLE: 'the workflow does not complete without faults',
  TEMPLATE_UNKNOWN: 'there is no such project template',
  UNKNOWN_AGENT: 'the workflow names an agent that was not given',
  UNKNOWN_STEP: 'there is no such step',
  WORKFLOW_NOT_FOUND: 'there is no such workflow',
} as const

export type ErrorCode = keyof typeof errorCodes

export interface FaultlineErrorOptions {
  /** Structured facts behind the message (step, path, line ...); plain JSON values. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The one error class faultline throws. `code` is stable; `message` is for people and may be reworded. */
export class FaultlineError extends Error {
  override readonly name = 'FaultlineError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: FaultlineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }
}

export function isFaultlineError(value: unknown, code?: ErrorCode): value is FaultlineError {
  return value instanceof FaultlineError && (code === undefined || value.code === code)
}

/** Does what makes errors of which nobody asks where they were made: finding that out costs ten times as much as the rest of them. */
export function withoutStacks<T>(work: () => T): T {
  // V8 has it, and its types are those of Node.
  const errors = Error as unknown as { stackTraceLimit: number }
  const { stackTraceLimit } = errors
  errors.stackTraceLimit = 0
  try {
    return work()
  } finally {
    errors.stackTraceLimit = stackTraceLimit
  }
}

/** Whether it is an error of any realm: in a vm context those of Node belong to another, and `instanceof` denies them. */
export function isError(value: unknown): value is Error {
  return Object.prototype.toString.call(value) === '[object Error]'
}

/** The message of anything that was thrown, also of values that are not errors. */
export function messageOf(thrown: unknown): string {
  if (isError(thrown)) return thrown.message
  return typeof thrown === 'string' ? thrown : String(thrown)
}
