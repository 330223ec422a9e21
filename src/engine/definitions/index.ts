/**
 * From what people write to the canonical definition: YAML or code in, checked and complete out, every problem with its
 * place in the text. Reads no file and runs nothing.
 */
export { compileCondition } from './condition.ts'
export type { Condition } from './condition.ts'
export { loadWorkflow, missingRequiredFile } from './load-workflow.ts'
export type { LoadedWorkflow } from './load-workflow.ts'
export { defineWorkflow, workflowFromText } from './workflow-source.ts'
export type { AgentStep, AgentWorkflow, AgentWorkflowSettings, WorkflowSource } from './workflow-source.ts'
