import { isFaultlineError } from '../core/index.ts'
import type { BundleError, BundleReason } from '../bundle/index.ts'

/** An error as Vitest keeps it on a task. */
export interface KeptError {
  readonly name?: string
  readonly message?: string
  readonly stack?: string
  readonly code?: unknown
}

export interface FailureCircumstances {
  /** What was at work: the preparation of the test, the test itself, or its `afterEach`. */
  readonly phase: 'set-up' | 'body' | 'clean-up'
  readonly timedOut: boolean
  /** A run of the test stands at a failed step. */
  readonly runFailed: boolean
  /** A sweep of the test has found something. */
  readonly swept: boolean
}

/** Why a test failed, as far as its errors and circumstances tell. */
export function failureReason(
  errors: readonly KeptError[],
  { phase, timedOut, runFailed, swept }: FailureCircumstances,
): BundleReason {
  // Hooks have limits of their own: one that hangs is first of all a hook that failed.
  if (phase !== 'body') return phase
  if (timedOut) return 'timeout'
  const [first] = errors
  if (first?.code === 'FAULT_UNFIRED' || isFaultlineError(first, 'FAULT_UNFIRED')) return 'unfired-fault'
  if (swept) return 'invariant'
  // Errors of matchers carry what was compared.
  const compared = first !== undefined && ('actual' in first || 'expected' in first)
  if (compared || first?.name === 'AssertionError' || first?.code === 'ARTIFACTS_WRONG') return 'assertion'
  return runFailed ? 'step-error' : 'error'
}

export function bundleErrors(errors: readonly KeptError[]): readonly BundleError[] {
  return errors.map(({ name, message, stack }) => ({
    name: name ?? 'Error',
    message: message ?? 'unknown error',
    stack: stack ?? null,
  }))
}
