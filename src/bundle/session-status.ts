import type { RunStatus, StepError, TimelineRow, WorkflowEvent, WorkflowSnapshot } from '../trace/index.ts'
import type { BundleReason } from './manifest.ts'

/** Where a run stands, told from its events alone. */
export interface SessionStatus {
  readonly status: RunStatus
  /** In the order in which they completed last. */
  readonly completed: readonly string[]
  /** Started and neither finished nor failed. */
  readonly inFlight: readonly string[]
  /** Without a step when the run failed as a whole. */
  readonly failed: { readonly step: string | null; readonly error: StepError } | null
}

export function sessionStatus(events: readonly WorkflowEvent[]): SessionStatus {
  const completed = new Set<string>()
  const inFlight = new Set<string>()
  let failed: SessionStatus['failed'] = null
  let status: RunStatus = 'running'
  for (const event of events) {
    switch (event.kind) {
      case 'step_start':
        completed.delete(event.step)
        inFlight.add(event.step)
        break
      case 'step_finish':
        inFlight.delete(event.step)
        completed.add(event.step)
        break
      case 'gate_result':
        if (event.route.to === 'loop') inFlight.delete(event.step)
        break
      case 'step_fail':
        inFlight.delete(event.step)
        if (event.tolerated !== true) failed = { step: event.step, error: event.error }
        break
      case 'workflow_resume':
        inFlight.clear()
        failed = null
        status = 'running'
        break
      case 'workflow_end':
        status = event.status
        if (event.error !== undefined) failed = { step: event.step ?? null, error: event.error }
        break
      default:
    }
  }
  return { status, completed: [...completed], inFlight: [...inFlight], failed }
}

/** The same, told by a snapshot: what was on disk at that moment. */
export function snapshotStatus(snapshot: WorkflowSnapshot): SessionStatus {
  const { status, completedSteps, currentSteps, steps, error } = snapshot.state
  return {
    status,
    completed: completedSteps,
    inFlight: currentSteps.filter((step) => step !== error?.step && steps[step]?.status !== 'failed'),
    failed: error === null ? null : { step: error.step, error },
  }
}

/** Reasons for which the workflow's own last failure is what the reader wants to see first. */
const workflowFailures: ReadonlySet<BundleReason> = new Set(['step-error', 'workflow-timeout', 'run-failed'])
const failureKinds: ReadonlySet<string> = new Set(['step_fail', 'workflow_end', 'gate_result'])

/** `seq` of the timeline row to show the surroundings of; undefined where the end of the timeline tells most. */
export function focusOf(rows: readonly TimelineRow[], reason: BundleReason): number | undefined {
  if (!workflowFailures.has(reason)) return undefined
  return rows.findLast((row) => failureKinds.has(row.kind) && row.status === 'failed')?.seq
}
