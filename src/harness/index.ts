/**
 * The step-by-step harness: isolated projects, sessions that stop between steps, crash and resume, snapshots, and judgement
 * of artifacts. It drives any engine through the driver port and knows no test framework.
 */
export { assertWorkflowArtifacts } from './artifact-assertions.ts'
export type { AssertWorkflowArtifactsOptions } from './artifact-assertions.ts'
export { captureWorkflowState } from './capture.ts'
export type * from './contract.ts'
export * from './invariants/index.ts'
export { mockAgent } from './mock-agents.ts'
export type { MockAgentOptions } from './mock-agents.ts'
export {
  assertRunnable,
  cancelRun,
  resumeProcessRun,
  runIdOrLast,
  runReader,
  startProcessRun,
} from './process-run.ts'
export type { ProcessRunOptions, ResumeProcessRunOptions, StartProcessRunOptions } from './process-run.ts'
export type { OutsideOptions } from './outside.ts'
export { createProject, openProject, sessionsOf, sweptFindingsOf, templateVersion } from './project.ts'
export type { CreateProjectOptions } from './project.ts'
export { remainsOfEvents, runFromEvents } from './run-from-events.ts'
export { readRunRemains } from './run-remains.ts'
export type { RunRemains } from './run-remains.ts'
export { loadFor as loadProjectWorkflow, runWorkflowStepByStep } from './run-workflow.ts'
export { runFinding, sweepFaults } from './sweep/sweep-faults.ts'
export type { SweepOptions } from './sweep/sweep-faults.ts'
export { mergeSweepReports } from './sweep/merge-reports.ts'
export * from './sweep/report.ts'
export type { SingleFaultOptions } from './sweep/sweep.ts'
export type { SweepOperator } from './sweep/swept-workflow.ts'
export * from './snapshot-diff.ts'
export {
  ConfigurationError,
  ConnectionError,
  CriticalError,
  ExternalServiceError,
  StepFailure,
  TimeoutError,
  ValidationError,
} from '../ports/index.ts'
export type {
  AgentContext,
  HttpRequest,
  HttpResponse,
  ProcessCommand,
  ProcessResult,
  StepFailureFacts,
} from '../ports/index.ts'
export type {
  HttpAnswer,
  HttpHandler,
  SimulatedCall,
  SimulatedProgram,
  SimulatedPrograms,
} from '../adapters/virtual/index.ts'
export { normaliseEvents, normalisedFields, normalisedStateFields, normaliseState } from '../trace/index.ts'
