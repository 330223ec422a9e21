import { artifacts } from './artifacts.ts'
import { checkComparison } from './comparisons.ts'
import type { RunComparison } from './comparisons.ts'
import { corruption } from './corruption.ts'
import { errorHonesty } from './error-honesty.ts'
import { loadEventShapes } from './event-shapes.ts'
import type { CanonicalOutcome, Evidence } from './evidence.ts'
import { checkInvariants } from './invariant.ts'
import type { Invariant, JudgedRun } from './invariant.ts'
import { leaks } from './leaks.ts'
import { logForm } from './log-form.ts'
import { once } from './once.ts'
import { order } from './order.ts'
import { outcome, outcomeOf } from './outcome.ts'
import { outsideEffects } from './outside-effects.ts'
import { promises } from './promises.ts'
import { recoveryCrash } from './recovery-crash.ts'
import { retries } from './retries.ts'
import { RunReading } from './run-reading.ts'
import { secondResume } from './second-resume.ts'
import { shape } from './shape.ts'
import { snapshot } from './snapshot.ts'
import { termination } from './termination.ts'
import { tidiness } from './tidiness.ts'
import { timeLimits } from './time-limits.ts'
import { timeSense } from './time-sense.ts'

const ofCrashes = [
  termination,
  outcome,
  once,
  artifacts,
  tidiness,
  logForm,
  order,
  snapshot,
  promises,
  secondResume,
] as const

/** The invariants of one run, O0 to O20; O16 and O18 compare several, see `compareRuns`. */
export const builtInInvariants: readonly Invariant[] = [
  ...ofCrashes,
  recoveryCrash(ofCrashes),
  errorHonesty,
  retries,
  timeLimits,
  timeSense,
  outsideEffects,
  corruption,
  leaks,
  shape,
]

/**
 * Judges a run by what it has left. What cannot be judged for want of evidence is listed, never passed.
 *
 * @example
 * const { violations, notJudged } = await judge(evidence, [...builtInInvariants, onePayment])
 * @throws FaultlineError `CONFIGURATION_INVALID` without invariants, or with two of one name.
 */
export async function judge(
  evidence: Evidence,
  invariants: readonly Invariant[] = builtInInvariants,
): Promise<JudgedRun> {
  return checkInvariants(await readRun(evidence), invariants)
}

/**
 * Judges what only several runs can show, such as `determinism`: each is held against the first.
 *
 * @throws FaultlineError `CONFIGURATION_INVALID` for fewer than two runs.
 */
export async function compareRuns(
  evidences: readonly Evidence[],
  comparison: RunComparison,
): Promise<JudgedRun> {
  return checkComparison(await Promise.all(evidences.map(readRun)), comparison)
}

/** What a run came to: of a run without faults, the reference that others are held against. */
export async function canonicalOutcome(evidence: Evidence): Promise<CanonicalOutcome> {
  return outcomeOf(await readRun(evidence))
}

async function readRun(evidence: Evidence): Promise<RunReading> {
  return new RunReading(evidence, await loadEventShapes())
}
