/**
 * Arbitraries for property tests with fast-check, which is loaded here and nowhere else: workflows of every shape, inputs, and
 * fault plans that are valid for a workflow and can be carried out.
 */
export { faultPlans } from './fault-plans.ts'
export type { FaultPlansOptions } from './fault-plans.ts'
export { inputs } from './inputs.ts'
export { workflows, workflowShapes } from './workflows.ts'
export type { WorkflowShape, WorkflowsOptions } from './workflows.ts'
