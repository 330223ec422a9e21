import { FaultlineError, formatDuration } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { StepDefinition, UndoDefinition } from '../../definition/index.ts'
import type { StepError, StepEventContext } from '../../trace/index.ts'
import { compileParameters } from '../definitions/index.ts'
import type { RunState, StepState } from './run-state.ts'

// Taking back what completed steps have done, the last one first, when a failure ends the run.

/** Whether a rollback has begun and the run has not ended since. */
export function isRollingBack(state: RunState): boolean {
  return (
    state.failure !== null &&
    undoable(state).some((index) => state.steps.get(index).aside?.undo !== undefined)
  )
}

/** Steps that a rollback has touched: what they did is gone, or nobody knows. */
export function undoneSteps(state: RunState): readonly number[] {
  return undoable(state).filter((index) => state.steps.get(index).aside?.undo !== undefined)
}

/** The step to undo next: of those that completed and have not been undone the one that completed last. */
export function nextUndo(state: RunState): number | undefined {
  let next: number | undefined
  let latest = -1
  for (const index of undoable(state)) {
    const step = state.steps.get(index)
    if (step.status !== 'completed' || isUndone(step) || step.finishedSeq <= latest) continue
    next = index
    latest = step.finishedSeq
  }
  return next
}

/** What the events about undoing a step say of it. */
export function undoContext(state: RunState, index: number): StepEventContext {
  const { visit, aside } = state.steps.get(index)
  const { id: step } = state.workflow.steps[index] as StepDefinition
  const { agent, action } = undoOf(state, index)
  const attempt = (aside?.undo?.attempt ?? 0) + 1
  return { step, visit, attempt, agent, ...(action === undefined ? {} : { action }) }
}

/** The step as its undo agent is to see it. @throws MissingInputError */
export function undoDefinition(
  state: RunState,
  index: number,
  outputs: Readonly<Record<string, JsonValue>>,
): StepDefinition {
  const { id, service, requires, metadata } = state.workflow.steps[index] as StepDefinition
  const { agent, action, parameters, timeoutMs } = undoOf(state, index)
  const resolved = compileParameters(parameters, new Set(state.workflow.indexOf.keys())).resolve({
    input: state.input,
    outputOf: (id) => outputs[id],
  })
  return {
    id,
    agent,
    ...(action === undefined ? {} : { action }),
    ...(service === undefined ? {} : { service }),
    requires,
    creates: [],
    parameters: resolved,
    retries: 0,
    retryDelayMs: 0,
    timeoutMs,
    metadata,
  }
}

export function undoDeadline(state: RunState, index: number): number {
  return (state.steps.get(index).aside?.undo?.startedAt ?? Infinity) + undoOf(state, index).timeoutMs
}

export function undoTimeout(state: RunState, index: number): StepError {
  const { id } = state.workflow.steps[index] as StepDefinition
  const limit = formatDuration(undoOf(state, index).timeoutMs)
  return { kind: 'timeout', message: `Undoing step '${id}' exceeded its limit of ${limit}.` }
}

/** @throws FaultlineError `SESSION_MISUSE` */
export function assertNotRollingBack(state: RunState): void {
  if (state.status !== 'running' || !isRollingBack(state)) return
  throw new FaultlineError(
    'SESSION_MISUSE',
    `Run '${state.runId}' has failed and is undoing what it did: it cannot be cancelled, and ends by itself.`,
    { details: { runId: state.runId } },
  )
}

function undoable(state: RunState): readonly number[] {
  return state.workflow.definition.rollback === true ? state.workflow.undoable : []
}

function isUndone({ aside }: StepState): boolean {
  return aside?.undo !== undefined && aside.undo.finishedAt !== null
}

function undoOf(state: RunState, index: number): UndoDefinition {
  return state.workflow.steps[index]?.undo as UndoDefinition
}
