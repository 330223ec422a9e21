/**
 * Arbitraries for property tests with fast-check, which is loaded here and nowhere else: workflows of every shape, inputs, fault
 * plans that are valid for a workflow and can be carried out, and what an operator can do to a run.
 */
export { faultPlans } from './fault-plans.ts'
export type { FaultPlansOptions } from './fault-plans.ts'
export { inputs } from './inputs.ts'
export { operate, operatorCommands } from './operator.ts'
export type { OperatorCommand, OperatorModel } from './operator.ts'
export { workflows, workflowShapes } from './workflows.ts'
export type { WorkflowShape, WorkflowsOptions } from './workflows.ts'
