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
export type { GraphConnection, GraphNode, GraphWorkflow } from './graph-workflow.ts'
export type { PipelineStep, ServicePipeline, ServicePipelines } from './service-pipelines.ts'
export { compileCondition } from './condition.ts'
export type { Condition, ConditionNames } from './condition.ts'
export { compileSchema, describeViolations } from './json-schema.ts'
export type { CompiledSchema, SchemaViolation } from './json-schema.ts'
export { loadWorkflow, workflowNames } from './load-workflow.ts'
export type { LoadedWorkflow, ReadWorkflow } from './load-workflow.ts'
export { isNamedCondition, judgeNamedCondition } from './named-conditions.ts'
export type { EndedStep } from './named-conditions.ts'
export { compileParameters, MissingInputError } from './parameters.ts'
export type { Parameters, PlacedReference, ReferenceScope } from './parameters.ts'
export type { Reference } from './references.ts'
export { missingRequiredFile } from './required-files.ts'
export { describeProblems } from './problems.ts'
export { defineWorkflow, workflowFromText } from './workflow-source.ts'
export type { WorkflowSource } from './workflow-source.ts'
