import type { StepEventContext } from '../../trace/index.ts'
import type { RunState } from './run-state.ts'

/** What an event about a step's present attempt says of it. */
export function stepContext(state: RunState, index: number): StepEventContext {
  const { visit, attempt } = state.steps.get(index)
  const { id: step, agent, action } = state.workflow.steps[index] as RunState['workflow']['steps'][number]
  return { step, visit, attempt, agent, ...(action === undefined ? {} : { action }) }
}
