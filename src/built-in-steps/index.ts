/**
 * Steps that need no agent of the user's: `command` runs a program, `http` asks a service, `verify` lets a service run again
 * what had failed, `trigger` begins a graph. They are agents by reserved names, made of nothing but the context that every agent is given.
 */
export { builtInStepNames, builtInStepProblem, isBuiltInStep, withBuiltInSteps } from './built-in-steps.ts'
export { askHealth } from './service-health.ts'
export type { HealthPorts, ServiceHealth } from './service-health.ts'
