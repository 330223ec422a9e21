/**
 * The invariants O0 to O20: what must hold of a workflow run whatever was done to it. They judge plain evidence (bytes of
 * log, state and files, what callers were told, ledgers of calls and effects) by their own reading, and know no engine.
 */
export { clockJumps, determinism, schedules } from './comparisons.ts'
export type { RunComparison } from './comparisons.ts'
export type * from './evidence.ts'
export { defineInvariant } from './invariant.ts'
export type { Invariant, JudgedRun, RunNote, NotJudged, RunPlace, Verdict, Violation } from './invariant.ts'
export { builtInInvariants, canonicalOutcome, compareRuns, judge } from './judge.ts'
export type { RunReading } from './run-reading.ts'
