import { isFaultlineError } from '../core/index.ts'
import type { BundleError, BundleReason } from '../bundle/index.ts'

/** An error as Vitest keeps it on a task. */
interface KeptError {
  readonly name?: string
  readonly message?: string
  readonly stack?: string
  readonly code?: unknown
}

/** Why a test failed, as far as its errors tell. */
export function failureReason(
  errors: readonly KeptError[],
  circumstances: { readonly timedOut: boolean; readonly settingUp: boolean },
): BundleReason {
  if (circumstances.timedOut) return 'timeout'
  if (circumstances.settingUp) return 'set-up'
  const [first] = errors
  if (first?.code === 'FAULT_UNFIRED' || isFaultlineError(first, 'FAULT_UNFIRED')) return 'unfired-fault'
  // Errors of matchers carry what was compared.
  const compared = first !== undefined && ('actual' in first || 'expected' in first)
  if (compared || first?.name === 'AssertionError' || first?.code === 'ARTIFACTS_WRONG') return 'assertion'
  return 'step-error'
}

export function bundleErrors(errors: readonly KeptError[]): readonly BundleError[] {
  return errors.map(({ name, message, stack }) => ({
    name: name ?? 'Error',
    message: message ?? 'unknown error',
    stack: stack ?? null,
  }))
}
