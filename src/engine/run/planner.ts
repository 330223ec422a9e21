import type { TickPolicy } from '../../ports/index.ts'
import { decide } from './decision.ts'
import { goesOn } from './passage.ts'
import type { RunState } from './run-state.ts'

// What is due at an instant, read off the state; nothing here decides anything by itself.

export function workflowTimedOut(state: RunState, now: number): boolean {
  const deadline = workflowDeadline(state)
  return deadline !== undefined && now >= deadline
}

/**
 * Steps whose attempt has run out of time.
 *
 * @param gating steps in flight whose agent has returned and whose gate is open: the attempt's limit no longer applies
 */
export function overdue(state: RunState, now: number, gating: ReadonlySet<number>): readonly number[] {
  return state.active.filter((index) => !gating.has(index) && now >= attemptDeadline(state, index))
}

/** Steps that may start now where every step runs in its turn: retries first, as many as there are free places. */
export function startable(state: RunState, now: number, policy: TickPolicy): readonly number[] {
  if (state.failure !== null) return []
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
  if (state.status !== 'running' || !goesOn(state)) return []
  return [...policy.holds].filter((step) => {
    const index = state.workflow.indexOf.get(step)
    if (index === undefined || !state.ready.has(index)) return false
    const { flow } = state.workflow
    return flow === undefined || decide(state, flow, index).to === 'run'
  })
}

/** When time alone would change something after `now`, or undefined. */
export function nextDue(state: RunState, now: number, gating: ReadonlySet<number>): number | undefined {
  if (state.status !== 'running') return undefined
  let earliest = workflowDeadline(state) ?? Infinity
  for (const index of state.active) {
    if (!gating.has(index)) earliest = Math.min(earliest, attemptDeadline(state, index))
  }
  if (goesOn(state)) {
    for (const index of state.retrying) {
      const { notBefore } = state.steps.get(index)
      if (notBefore > now) earliest = Math.min(earliest, notBefore)
    }
  }
  return earliest === Infinity ? undefined : earliest
}

export function attemptDeadline(state: RunState, index: number): number {
  return state.steps.get(index).startedAt + (state.workflow.steps[index]?.timeoutMs as number)
}

export function workflowDeadline(state: RunState): number | undefined {
  const { timeoutMs } = state.workflow.definition.limits
  return timeoutMs === undefined ? undefined : state.limitFrom + timeoutMs
}

function stepId(state: RunState, index: number): string {
  return state.workflow.steps[index]?.id as string
}
