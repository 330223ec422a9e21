import { expect } from 'vitest'
import type { RunOutcomeStatus, WorkflowSession } from '../harness/index.ts'
import { formatTimeline } from '../trace/index.ts'

interface FaultlineMatchers {
  /** The last moving call ended with the run completed. */
  toHaveCompleted(): void
  /** The last moving call ended with the run failed at this step. */
  toHaveFailedAt(step: string): void
  /** The last moving call ended so. */
  toHaveStatus(status: RunOutcomeStatus): void
  /** Every visit of the step was executed exactly once, over all engine lives. */
  toHaveRunOnce(step: string): void
  /** The step was executed so often, over all visits, attempts and engine lives. */
  toHaveRun(step: string, times: number): void
  /** The step has had so many visits. */
  toHaveVisited(step: string, visits: number): void
  /** The run has recorded an artifact under this path. */
  toHaveProduced(path: string): void
}

declare module 'vitest' {
  // Without type parameters: the form that type-checks under Vitest 4 and 5.
  interface Matchers extends FaultlineMatchers {}
}

interface Verdict {
  readonly pass: boolean
  readonly message: () => string
}

expect.extend({
  toHaveCompleted: (session: WorkflowSession) => outcomeVerdict(session, 'completed'),
  toHaveStatus: (session: WorkflowSession, status: RunOutcomeStatus) => outcomeVerdict(session, status),
  toHaveFailedAt(session: WorkflowSession, step: string) {
    assertSession(session)
    const last = session.lastOutcome
    return verdict(
      session,
      last?.status === 'failed' && last.step === step,
      `expected the run to have failed at '${step}'`,
      `it ${last?.status ?? 'has not moved yet'}${last?.step === undefined ? '' : ` at '${last.step}'`}`,
    )
  },
  toHaveRunOnce(session: WorkflowSession, step: string) {
    const visits = startsOf(session, step).map((event) => event.visit)
    const repeated = visits.find((visit, index) => visits.indexOf(visit) !== index)
    const found =
      visits.length === 0
        ? 'it never ran'
        : repeated === undefined
          ? 'it did'
          : `visit ${repeated} ran more than once`
    return verdict(
      session,
      visits.length > 0 && repeated === undefined,
      `expected step '${step}' to have run once per visit`,
      found,
    )
  },
  toHaveRun(session: WorkflowSession, step: string, times: number) {
    const count = startsOf(session, step).length
    return verdict(
      session,
      count === times,
      `expected step '${step}' to have run ${times} times`,
      `it ran ${count} times`,
    )
  },
  toHaveVisited(session: WorkflowSession, step: string, visits: number) {
    const count = new Set(startsOf(session, step).map((event) => event.visit)).size
    return verdict(
      session,
      count === visits,
      `expected step '${step}' to have had ${visits} visits`,
      `it had ${count}`,
    )
  },
  toHaveProduced(session: WorkflowSession, path: string) {
    assertSession(session)
    const paths = session.state().artifacts.map((artifact) => artifact.path)
    return verdict(
      session,
      paths.includes(path),
      `expected the run to have produced '${path}'`,
      `it produced ${paths.length === 0 ? 'nothing' : paths.join(', ')}`,
    )
  },
})

function outcomeVerdict(session: WorkflowSession, status: RunOutcomeStatus): Verdict {
  assertSession(session)
  const last = session.lastOutcome
  const error = last?.error === undefined ? '' : `: ${last.error.message}`
  return verdict(
    session,
    last?.status === status,
    `expected the last outcome to be '${status}'`,
    `it was '${last?.status ?? 'nothing: the session has not moved'}'${last?.step === undefined ? '' : ` at '${last.step}'`}${error}`,
  )
}

function startsOf(session: WorkflowSession, step: string): readonly { readonly visit: number }[] {
  assertSession(session)
  if (session.state().steps[step] === undefined) {
    throw new TypeError(
      `the workflow has no step '${step}'; it has ${Object.keys(session.state().steps).join(', ')}`,
    )
  }
  return session
    .events()
    .flatMap((event) => (event.kind === 'step_start' && event.step === step ? [event] : []))
}

function verdict(session: WorkflowSession, pass: boolean, expectation: string, found: string): Verdict {
  return {
    pass,
    message: () =>
      `${pass ? expectation.replace('to have', 'not to have') : expectation}; ${found}\n\n` +
      formatTimeline(session.timeline(), { limit: 12 }),
  }
}

/** Matchers judge what has been read back from disk: a promise has been read by nobody. */
function assertSession(value: unknown): asserts value is WorkflowSession {
  if (value !== null && typeof value === 'object' && 'lastOutcome' in value && 'events' in value) return
  throw new TypeError('this matcher takes a workflow session: await runWorkflowStepByStep(...) first')
}
