/**
 * Deterministic faults: injectors as plain data, the check of a plan against a workflow, and the wrappers that make ports
 * misbehave as planned. Knows no engine: it sees calls through ports and nothing else.
 */
export * from './injectors.ts'
export type {
  AgentErrorFault,
  Fault,
  FaultKind,
  FaultPlan,
  FaultSelector,
  GateFailureFault,
  StepTimeoutFault,
  WorkflowTimeoutFault,
} from '../definition/index.ts'
