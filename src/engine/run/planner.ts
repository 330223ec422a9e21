import type { TickPolicy } from '../../ports/index.ts'
import { decide } from './decision.ts'
import { answerDeadline } from './gate-decision.ts'
import { attemptDeadline, stepDeadline, warningDue } from './limits.ts'
import { goesOn } from './passage.ts'
import { isRollingBack, undoDeadline } from './rollback.ts'
import type { RunState } from './run-state.ts'

// What is due at an instant, read off the state; nothing here decides anything by itself.

export function workflowTimedOut(state: RunState, now: number): boolean {
  if (state.failure !== null && isRollingBack(state)) return false
  const deadline = workflowDeadline(state)
  return deadline !== undefined && now >= deadline
}

/** When the run has taken long enough for a warning; Infinity when that has been given, or never is. */
export function workflowWarningDue({ workflow, limitFrom, limitWarned, cancelledFor }: RunState): number {
  const { warnAfterMs } = workflow.definition.limits
  return warnAfterMs === undefined || limitWarned || cancelledFor !== null
    ? Infinity
    : limitFrom + warnAfterMs
}

/**
 * Steps whose attempt has run out of time.
 *
 * @param gating steps in flight whose agent has returned and whose gate is open: the attempt's limit no longer applies
 */
export function overdue(state: RunState, now: number, gating: ReadonlySet<number>): readonly number[] {
  return state.active.filter((index) => !gating.has(index) && now >= attemptDeadline(state, index))
}

/** Steps that wait for a retry and have used up the time for all their attempts. */
export function overdueRetries(state: RunState, now: number): readonly number[] {
  return state.retrying.filter((index) => now >= stepDeadline(state, index))
}

/** Steps in flight whose attempt has taken long enough for a warning. */
export function worthWarning(state: RunState, now: number, gating: ReadonlySet<number>): readonly number[] {
  return state.active.filter((index) => !gating.has(index) && now >= warningDue(state, index))
}

/** Steps whose gate nobody has answered in time. */
export function expired(state: RunState, now: number): readonly number[] {
  return state.halted.filter((index) => now >= answerDeadline(state, index))
}

/** Whether, after all was started that may start, nothing but somebody from outside can move the run. */
export function isHalted(state: RunState, policy: TickPolicy): boolean {
  return (
    state.halted.length > 0 &&
    state.active.length === 0 &&
    state.retrying.length === 0 &&
    heldSteps(state, policy).length === 0
  )
}

/** Steps that may start now where every step runs in its turn: retries first, as many as there are free places. */
export function startable(state: RunState, now: number, policy: TickPolicy): readonly number[] {
  const places = state.workflow.definition.limits.maxConcurrentSteps - state.active.length
  const found: number[] = []
  for (const index of state.retrying) {
    if (found.length >= places) return found
    if (now >= state.steps.get(index).notBefore && !policy.holds.has(stepId(state, index))) found.push(index)
  }
  state.ready.some((index) => {
    if (found.length >= places) return true
    if (!policy.holds.has(stepId(state, index))) found.push(index)
    return false
  })
  return found
}

/** Steps that nothing but the policy keeps from starting. */
export function heldSteps(state: RunState, policy: TickPolicy): readonly string[] {
  if (state.status !== 'running' || !goesOn(state) || state.cancelledFor !== null) return []
  return [...policy.holds].filter((step) => {
    const index = state.workflow.indexOf.get(step)
    if (index === undefined || !state.ready.has(index)) return false
    const { flow } = state.workflow
    return flow === undefined || decide(state, flow, index).to === 'run'
  })
}

/**
 * When time alone would change something, or undefined.
 *
 * @param decidedAt a retry that was due by then waits for something else than time
 */
export function nextDue(state: RunState, decidedAt: number, gating: ReadonlySet<number>): number | undefined {
  if (state.status !== 'running') return undefined
  if (state.undoing !== null) return undoDeadline(state, state.undoing)
  let earliest = Math.min(workflowDeadline(state) ?? Infinity, workflowWarningDue(state))
  for (const index of state.active) {
    if (gating.has(index)) continue
    earliest = Math.min(earliest, attemptDeadline(state, index), warningDue(state, index))
  }
  if (state.cancelledFor !== null) earliest = Math.min(earliest, state.graceUntil)
  else if (goesOn(state)) {
    for (const index of state.retrying) {
      const { notBefore } = state.steps.get(index)
      earliest = Math.min(earliest, notBefore > decidedAt ? notBefore : Infinity, stepDeadline(state, index))
    }
    for (const index of state.halted) earliest = Math.min(earliest, answerDeadline(state, index))
  }
  return earliest === Infinity ? undefined : earliest
}

export function workflowDeadline(state: RunState): number | undefined {
  const { timeoutMs } = state.workflow.definition.limits
  return timeoutMs === undefined ? undefined : state.limitFrom + timeoutMs
}

function stepId(state: RunState, index: number): string {
  return state.workflow.steps[index]?.id as string
}
