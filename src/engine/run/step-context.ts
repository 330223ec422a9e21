import type { StepDefinition } from '../../definition/index.ts'
import type { StepError, StepEventContext, StepFailEvent } from '../../trace/index.ts'
import type { RunState } from './run-state.ts'

/** What an event about a step's present attempt says of it. */
export function stepContext(state: RunState, index: number): StepEventContext {
  const { visit, attempt } = state.steps.get(index)
  const { id: step, agent, action } = state.workflow.steps[index] as StepDefinition
  return { step, visit, attempt, agent, ...(action === undefined ? {} : { action }) }
}

/** That a step has failed for good, which its definition may tolerate. */
export function stepFailed(
  state: RunState,
  index: number,
  error: StepError,
  durationMs: number,
): StepFailEvent {
  const { continueOnError } = state.workflow.steps[index] as StepDefinition
  const tolerated = continueOnError === true && !endsRun(error)
  return {
    kind: 'step_fail',
    status: 'failed',
    ...stepContext(state, index),
    ...(tolerated ? { tolerated } : {}),
    error,
    durationMs,
  }
}

/** No step can tolerate what ends the whole run. */
function endsRun({ kind }: StepError): boolean {
  return kind === 'workflow-timeout' || kind === 'cancelled'
}
