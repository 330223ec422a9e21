/**
 * The reference engine: a workflow runner small enough to read, whose every transition is an event made durable before
 * anybody hears of it, and which resumes from the last safe point. It knows its ports and nothing of faults or tests; the
 * production loop and the harness drive it through the same `tick`.
 */
export type { Diagnostics, HealthCheck, Standing } from './audit/diagnose.ts'
export type { Finding, ValidationReport } from './audit/findings.ts'
export { createStateKeeper } from './audit/state-keeper.ts'
export type { RestoredState, StateKeeper } from './audit/state-keeper.ts'
export { createCancelRequests } from './cancel-requests.ts'
export type { CancelRequests } from './cancel-requests.ts'
export * from './definitions/index.ts'
export {
  ConfigurationError,
  ConnectionError,
  CriticalError,
  ExternalServiceError,
  StepFailure,
  TimeoutError,
  ValidationError,
} from '../ports/index.ts'
export { createReferenceDriver } from './reference-driver.ts'
export { createWakeBell, runToEnd } from './run/production-loop.ts'
export type { WakeBell } from './run/production-loop.ts'
export { createConditionGate } from './step/condition-gate.ts'
export { reservedFolder, runLayout, stateFolder, storeLayout } from './store/layout.ts'
export type { RunLayout, StoreLayout } from './store/layout.ts'
