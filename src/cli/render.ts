import { formatDuration } from '../core/index.ts'
import { describeSkip, describeStepError, findingsOf } from '../trace/index.ts'
import type { ObservedStatus, StateDocument, StepDocument, WorkflowEvent } from '../trace/index.ts'
import { nextLine, resumeLine } from './state-directory.ts'

/** The progress line of an event, or undefined for one that people need not see while a run goes on. */
export function progressLine(event: WorkflowEvent): string | undefined {
  switch (event.kind) {
    case 'step_start':
      return `  > ${event.step}${event.visit === 1 ? '' : ` (visit ${event.visit})`}${event.attempt === 1 ? '' : ` (attempt ${event.attempt})`}`
    case 'step_finish':
      return `  ✓ ${event.step}  ${formatDuration(event.durationMs)}`
    case 'step_skip':
      return `  - ${event.step}  skipped: ${describeSkip(event)}`
    case 'step_retry':
      return `  ↻ ${event.step}  ${describeStepError(event.error)}; again in ${formatDuration(event.delayMs)}`
    case 'step_fail':
      return `  ✗ ${event.step}  ${describeStepError(event.error)}${event.tolerated === true ? ', tolerated' : ''}`
    case 'step_pause':
      return `  ‖ ${event.step}  there is no value for \${${event.missingVar}}`
    case 'gate_wait':
      return `  ? ${event.step}  waits for an answer to its gate`
    case 'workflow_warning':
      return `  ! the run has taken ${formatDuration(event.warnAfterMs)} of ${formatDuration(event.timeoutMs)}`
    case 'timeout_warning':
      return `  ! ${event.step}  has taken ${formatDuration(event.warnAfterMs)} of ${formatDuration(event.timeoutMs)}`
    case 'undo_finish':
      return `  ↶ ${event.step}  undone`
    case 'undo_fail':
      return `  ✗ ${event.step}  was not undone: ${describeStepError(event.error)}`
    case 'gate_result':
      if (event.route.to === 'pass') return undefined
      return `  ↩ gate of ${event.step} did not pass${event.route.to === 'loop' ? `: back to ${event.route.target}` : ''}`
    case 'workflow_resume':
      return event.tailCutAtSeq === undefined
        ? undefined
        : `  ! event ${event.tailCutAtSeq} was cut short on disk and is dropped`
    default:
      return undefined
  }
}

/** What `faultline status` prints. */
export function renderStatus(
  state: StateDocument,
  status: ObservedStatus,
  stateProblem?: string,
  now = 0,
): string {
  const names = Object.keys(state.steps)
  const width = Math.max(...names.map((name) => name.length))
  const rows = names.map((name) =>
    stepRow(name.padEnd(width), state.steps[name] as StepDocument, status, now),
  )
  const head = [
    `run      ${state.runId}`,
    `workflow ${state.definition.name} (${state.workflowId} ${state.definition.version})`,
    `status   ${statusLine(state, status)}`,
    ...(stateProblem === undefined
      ? []
      : [`note     state.json was ignored because ${stateProblem}; this is what the log says`]),
  ]
  const artifacts = state.artifacts.map(({ path, producedBy }) => `  ${path}  (${producedBy ?? 'edited'})`)
  return [
    ...head,
    '',
    ...rows,
    ...(artifacts.length === 0 ? [] : ['', 'artifacts', ...artifacts]),
    ...(status === 'failed' || status === 'interrupted' ? ['', `next     ${resumeLine(state)}`] : []),
    ...(status === 'paused' || status === 'waiting' ? ['', `next     ${nextLine(state, status, now)}`] : []),
  ].join('\n')
}

function statusLine(state: StateDocument, status: ObservedStatus): string {
  if (status === 'interrupted') {
    return `interrupted ${interruptedWhere(state)}`
  }
  if (state.error === null) return statusWords(status, state)
  return `${status}${state.error.step === null ? '' : ` at ${state.error.step}`}: ${describeStepError(state.error)}`
}

/** A status with what else is to be said of the end: `completed, degraded`. */
export function statusWords(
  status: ObservedStatus,
  { degraded, hasFailures }: Pick<StateDocument, 'degraded' | 'hasFailures'>,
): string {
  return [
    status,
    ...(degraded === true ? ['degraded'] : []),
    ...(hasFailures === true ? ['failures were found'] : []),
  ].join(', ')
}

/** `2026-01-31 12:00:00 UTC` */
export function instant(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function interruptedWhere({ currentSteps, completedSteps, steps }: StateDocument): string {
  const inFlight = currentSteps.filter((step) => steps[step]?.status !== 'failed')
  if (inFlight.length > 0) return `in ${inFlight.join(', ')}`
  const last = completedSteps.at(-1)
  return last === undefined ? 'before the first step' : `after ${last}`
}

const undoNotes = { running: 'being undone', completed: 'undone', failed: 'not undone' } as const
const stepSigns: Readonly<Record<StepDocument['status'] | 'interrupted', string>> = {
  pending: '·',
  running: '>',
  retrying: '↻',
  paused: '‖',
  waiting: '?',
  completed: '✓',
  failed: '✗',
  skipped: '-',
  interrupted: '!',
}

function stepRow(name: string, step: StepDocument, status: ObservedStatus, now: number): string {
  const expiresAt = step.waiting?.expiresAt ?? null
  const shown = step.status === 'running' && status === 'interrupted' ? 'interrupted' : step.status
  const sign = stepSigns[shown]
  const findings = step.status === 'completed' ? findingsOf(step.output).length : 0
  const notes = [
    ...(step.visit > 1 ? [`visit ${step.visit}`] : []),
    ...(step.attempts.length > 1 ? [`${step.attempts.length} attempts`] : []),
    ...(step.error === null ? [] : [describeStepError(step.error)]),
    ...(step.tolerated === true ? ['tolerated'] : []),
    ...(step.skipped === undefined ? [] : [describeSkip(step.skipped)]),
    ...(findings === 0 ? [] : [`${findings} ${findings === 1 ? 'failure' : 'failures'} found`]),
    ...(step.missingVar === undefined ? [] : [`no value for \${${step.missingVar}}`]),
    ...(expiresAt === null
      ? []
      : [`${now < expiresAt ? 'to be answered by' : 'nobody has answered by'} ${instant(expiresAt)}`]),
    ...(step.undo === undefined ? [] : [undoNotes[step.undo.status]]),
  ]
  return `  ${sign} ${name}  ${shown}${notes.length === 0 ? '' : `  (${notes.join(', ')})`}`
}
