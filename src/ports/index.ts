/**
 * Contracts between faultline and everything outside it: disk, clock, agents, gates, services, processes, names, owners,
 * observers, and the engine itself (`WorkflowDriver`). Interfaces only; implementations are in `adapters/*` and `engine`.
 */
export * from './agent.ts'
export * from './clock.ts'
export * from './compression.ts'
export * from './digest.ts'
export * from './driver.ts'
export * from './files.ts'
export * from './gate.ts'
export * from './http.ts'
export * from './identity.ts'
export * from './observer.ts'
export * from './process.ts'
export * from './step-failure.ts'
export * from './typed-failures.ts'
export * from './storage.ts'
export * from './turn.ts'
