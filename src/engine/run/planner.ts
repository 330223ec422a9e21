import type { RunState } from './run-state.ts'

/** What is due at an instant, read off the state; decides nothing by itself. */
export interface Due {
  /** The workflow's limit has passed. */
  readonly workflowTimedOut: boolean
  /** Steps whose attempt has run out of time. */
  readonly timedOut: readonly number[]
  /** Steps that may start now, retries first, as many as there are free places. */
  readonly startable: readonly number[]
}

export interface PlanOptions {
  readonly now: number
  /** Steps in flight whose agent has returned and whose gate is open: the attempt's limit no longer applies. */
  readonly gating: ReadonlySet<number>
  readonly admits: (step: string) => boolean
}

export function planDue(state: RunState, options: PlanOptions): Due {
  const { now, gating } = options
  const deadline = workflowDeadline(state)
  const workflowTimedOut = deadline !== undefined && now >= deadline
  return {
    workflowTimedOut,
    timedOut: state.active.filter((index) => !gating.has(index) && now >= attemptDeadline(state, index)),
    startable: state.failure === null && !workflowTimedOut ? startable(state, options) : [],
  }
}

/** Steps that nothing but the missing admission keeps from starting. */
export function heldSteps(state: RunState, options: PlanOptions): readonly string[] {
  if (state.status !== 'running' || state.failure !== null) return []
  return state.ready.map((index) => stepId(state, index)).filter((step) => !options.admits(step))
}

/** When time alone would change something after `now`, or undefined. */
export function nextDue(state: RunState, now: number, gating: ReadonlySet<number>): number | undefined {
  if (state.status !== 'running') return undefined
  let earliest = workflowDeadline(state) ?? Infinity
  for (const index of state.active) {
    if (!gating.has(index)) earliest = Math.min(earliest, attemptDeadline(state, index))
  }
  if (state.failure === null) {
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

function startable(state: RunState, { now, admits }: PlanOptions): readonly number[] {
  const places = state.workflow.definition.limits.maxConcurrentSteps - state.active.length
  const found: number[] = []
  for (const index of state.retrying) {
    if (found.length >= places) return found
    if (now >= state.steps.get(index).notBefore && admits(stepId(state, index))) found.push(index)
  }
  for (const index of state.ready) {
    if (found.length >= places) return found
    if (admits(stepId(state, index))) found.push(index)
  }
  return found
}

function stepId(state: RunState, index: number): string {
  return state.workflow.steps[index]?.id as string
}
