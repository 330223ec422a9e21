import type { JsonValue } from '../core/index.ts'
import type { StepError, WorkflowEvent } from './events.ts'
import { findingsOf } from './findings.ts'
import type { AttemptRecord, ObservedStatus, StateDocument, StepDocument } from './state-document.ts'
import { stepSpansOf } from './step-spans.ts'
import type { StepSpan } from './step-spans.ts'

/** A run in the history of its workflow, in short. Instants are milliseconds since 1970. */
export interface RunSummary {
  readonly runId: string
  readonly workflowId: string
  readonly workflowName: string
  readonly correlationId: string
  readonly status: ObservedStatus
  /** Whether it completed; null while that is open. */
  readonly success: boolean | null
  /** A failure was tolerated. */
  readonly degraded: boolean
  /** A step that completed has reported `failures`. */
  readonly hasFailures: boolean
  readonly startedAt: number
  /** Null while it can still go on by itself. */
  readonly finishedAt: number | null
  readonly durationMs: number | null
  /** When its last event happened. */
  readonly updatedAt: number
  readonly completedSteps: number
  readonly steps: number
  readonly error: (StepError & { readonly step: string | null }) | null
}

/** A run with what each of its steps did and came to. */
export interface RunRecord extends Omit<RunSummary, 'steps'> {
  readonly steps: readonly StepRecord[]
}

export interface StepRecord {
  readonly step: string
  readonly agent: string
  /** A step that was running when its process died reads `interrupted`. */
  readonly status: StepDocument['status'] | 'interrupted'
  readonly visit: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  /** Time in which an attempt was running, pauses left out; null before the first. */
  readonly durationMs: number | null
  readonly attempts: readonly AttemptRecord[]
  readonly output: JsonValue
  /** What the step has found. */
  readonly failures: readonly JsonValue[]
  readonly error: StepError | null
  readonly skipped: StepDocument['skipped'] | null
}

/** What is on disk of a run, in part or as a whole. */
export interface RecordedRun {
  readonly state: StateDocument
  readonly status: ObservedStatus
  readonly events: readonly WorkflowEvent[]
}

/** From the log alone, as every view of a run: one that is running, or was cut off, has a record like all others. */
export function runSummaryOf({ state, status, events }: RecordedRun): RunSummary {
  const { startedAt } = state
  const finishedAt = isOver(status) ? endOf(events) : null
  return {
    runId: state.runId,
    workflowId: state.workflowId,
    workflowName: state.definition.name,
    correlationId: state.correlationId,
    status,
    success: isOver(status) ? status === 'completed' : null,
    degraded: state.degraded === true,
    hasFailures: state.hasFailures === true,
    startedAt,
    finishedAt,
    durationMs: finishedAt === null ? null : Math.max(0, finishedAt - startedAt),
    updatedAt: state.updatedAt,
    completedSteps: state.completedSteps.length,
    steps: state.definition.steps.length,
    error: state.error,
  }
}

export function runRecordOf(run: RecordedRun): RunRecord {
  return {
    ...runSummaryOf(run),
    steps: stepSpansOf(run.events).flatMap((span) => {
      const step = run.state.steps[span.step]
      return step === undefined ? [] : [stepRecordOf(span, step, run.status)]
    }),
  }
}

function stepRecordOf(span: StepSpan, step: StepDocument, status: ObservedStatus): StepRecord {
  const { startedAt, finishedAt, activeMs } = span
  return {
    step: span.step,
    agent: step.agent,
    status: step.status === 'running' && status === 'interrupted' ? 'interrupted' : step.status,
    visit: step.visit,
    startedAt,
    finishedAt,
    durationMs: startedAt === null ? null : activeMs,
    attempts: step.attempts,
    output: step.output,
    failures: step.status === 'completed' ? findingsOf(step.output) : [],
    error: step.error,
    skipped: step.skipped ?? null,
  }
}

function isOver(status: ObservedStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** A run that was taken up again after a failure has ended more than once: the last time counts. */
function endOf(events: readonly WorkflowEvent[]): number | null {
  const end = events.findLast(({ kind }) => kind === 'workflow_end' || kind === 'workflow_cancel')
  return end?.at ?? null
}
