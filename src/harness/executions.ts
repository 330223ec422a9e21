import type { WorkflowEvent } from '../trace/index.ts'
import type { StepExecution } from './contract.ts'

/** Every time an agent was called, in order; those of one step when it is named. */
export function executionsOf(events: readonly WorkflowEvent[], step?: string): readonly StepExecution[] {
  let incarnation = 1
  const executions: StepExecution[] = []
  for (const event of events) {
    if (event.kind === 'workflow_resume') incarnation++
    if (event.kind !== 'step_start' || (step !== undefined && event.step !== step)) continue
    executions.push({ step: event.step, visit: event.visit, attempt: event.attempt, incarnation })
  }
  return executions
}
