/**
 * Reading workflow definitions: from TypeScript, YAML or JSON into the one canonical form, checked as a whole before
 * anything runs (shape, names, paths, graph, conditions). Promises that a definition either loads or is refused with one
 * `FaultlineError` that names every problem by file, line and path. Touches no disk: callers bring the text.
 */
export type {
  AgentStep,
  AgentWorkflow,
  AgentWorkflowSettings,
  DurationText,
  StepGate,
  StepScoring,
} from './agent-workflow.ts'
export { compileCondition } from './condition.ts'
export type { Condition } from './condition.ts'
export { loadWorkflow } from './load-workflow.ts'
export type { LoadedWorkflow } from './load-workflow.ts'
export { missingRequiredFile } from './required-files.ts'
export { defineWorkflow, workflowFromText } from './workflow-source.ts'
export type { WorkflowSource } from './workflow-source.ts'
