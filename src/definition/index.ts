/**
 * The two documents that people write: the canonical workflow definition that all dialects are turned into, and the fault
 * plan. Types and defaults only; reading and checking them is the engine's and fault injection's.
 */
export * from './disk-faults.ts'
export * from './fault-plan.ts'
export * from './workflow-definition.ts'
