/**
 * Deterministic faults: injectors as plain data, the check of a plan against a workflow, and the wrappers that make ports
 * misbehave as planned. Knows no engine: it sees calls through ports and nothing else.
 */
export { everyFault } from './every-fault.ts'
export { checkFaultPlan, faultKinds, faultPlan } from './check-plan.ts'
export { faultyFiles, fileFaultOperations } from './faulty-files.ts'
export { createFaultRecorder, pointKeyStem } from './fault-recorder.ts'
export type { FaultPoint, FaultRecorder, FaultUse } from './fault-recorder.ts'
export { injectFaults } from './faulty-ports.ts'
export type { FaultyPorts } from './faulty-ports.ts'
export * from './injectors.ts'
export type {
  AgentAnswerFault,
  AgentDelayFault,
  AgentErrorFault,
  ClockJumpFault,
  CrashOutcome,
  Fault,
  FaultKind,
  FaultPlan,
  FaultSelector,
  FileErrorCode,
  FileFault,
  GateFailureFault,
  HttpFailureFault,
  StepTimeoutFault,
  WorkflowTimeoutFault,
} from '../definition/index.ts'
