/**
 * What a run leaves behind, as data: the events of the log, their line format, the state document, and the views that
 * terminal, bundle and command line derive from them. Reads and writes no file and knows no engine.
 */
export * from './artifact-versions.ts'
export * from './codec.ts'
export * from './divergence.ts'
export * from './events.ts'
export * from './findings.ts'
export * from './history-format.ts'
export * from './known-files.ts'
export * from './normalise.ts'
export { normalisedStateFields, normaliseState } from './normalise-state.ts'
export * from './recording.ts'
export * from './state-document.ts'
export * from './run-record.ts'
export * from './step-spans.ts'
export * from './step-spans-format.ts'
export { migrateState } from './state-migrations.ts'
export * from './timeline-format.ts'
export * from './timeline.ts'
