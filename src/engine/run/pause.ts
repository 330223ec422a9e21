import type { RunState } from './run-state.ts'
import type { Prepared } from './prepare-step.ts'

/**
 * The reference to the run's input that keeps a step from starting, if that can be mended: what a step has not put out nobody
 * can provide, and a run that has failed asks for nothing.
 */
export function missingInput(state: RunState, prepared: Prepared): string | undefined {
  if (prepared.ok || state.failure !== null) return undefined
  const { kind, missingVar } = prepared.error
  const [root] = missingVar?.trim().split(/[.[]/, 1) ?? []
  return kind === 'missing-input' && root === 'input' ? missingVar : undefined
}
