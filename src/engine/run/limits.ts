import { formatDuration, formatStepKey, seededRandom } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import type { StepError } from '../../trace/index.ts'
import type { RunState } from './run-state.ts'

// How long the attempts of a step may take, alone and together, and how long the waits between them are.

/** When an attempt in flight runs out of time, by its own limit or by that of the step. */
export function attemptDeadline(state: RunState, index: number): number {
  const { startedAt } = state.steps.get(index)
  return Math.min(startedAt + definitionOf(state, index).timeoutMs, stepDeadline(state, index))
}

/** When the step has used up what all its attempts and waits may take; counted anew by a visit and a resume. */
export function stepDeadline(state: RunState, index: number): number {
  const { maxDurationMs } = definitionOf(state, index)
  if (maxDurationMs === undefined) return Infinity
  const { status, attempts, retriesUsed } = state.steps.get(index)
  const first = attempts[attempts.length - retriesUsed - (status === 'retrying' ? 0 : 1)]
  return (first?.startedAt ?? Infinity) + maxDurationMs
}

/** Why an attempt that is out of time has ended. */
export function timeoutOf(state: RunState, index: number, now: number): StepError {
  const { id, timeoutMs } = definitionOf(state, index)
  if (now >= stepDeadline(state, index)) return stepTimeout(state, index)
  const { attempt } = state.steps.get(index)
  return {
    kind: 'timeout',
    message: `Step '${id}' (attempt ${attempt}) exceeded its limit of ${formatDuration(timeoutMs)}.`,
  }
}

export function stepTimeout(state: RunState, index: number): StepError {
  const { id, maxDurationMs = 0 } = definitionOf(state, index)
  return {
    kind: 'step-timeout',
    message: `Step '${id}' exceeded its limit of ${formatDuration(maxDurationMs)} over all its attempts.`,
  }
}

/** When an attempt in flight is worth a warning; Infinity when that has been given, or never is. */
export function warningDue(state: RunState, index: number): number {
  const { warnAfterMs } = definitionOf(state, index)
  if (warnAfterMs === undefined) return Infinity
  const { startedAt, attempt, aside } = state.steps.get(index)
  return aside?.warned === attempt ? Infinity : startedAt + warnAfterMs
}

/**
 * The wait before the next retry of a step whose attempt has just failed: twice as long each time. Jitter is drawn from the
 * seed of the run by the name of the attempt, so that a repetition waits as long.
 */
export function retryDelayMs(state: RunState, index: number): number {
  const { id: step, retryDelayMs: firstMs, retryJitter } = definitionOf(state, index)
  const { visit, attempt, retriesUsed } = state.steps.get(index)
  const delayMs = firstMs * 2 ** retriesUsed
  if (retryJitter === undefined) return delayMs
  const draw = seededRandom(`${state.seed}/${formatStepKey({ step, visit, attempt })}/retry`).next()
  return Math.round(delayMs * (1 + retryJitter * (2 * draw - 1)))
}

function definitionOf(state: RunState, index: number): StepDefinition {
  return state.workflow.steps[index] as StepDefinition
}
