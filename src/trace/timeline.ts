import { formatDuration, formatStepKey, unreachable } from '../core/index.ts'
import type { ArtifactRecord, EventOf, SkipReason, StepError, WorkflowEvent } from './events.ts'

/** One line of the step timeline: the one model that terminal, bundle, command line and page show. */
export interface TimelineRow {
  readonly seq: number
  readonly at: number
  /** Milliseconds since the run's first event. */
  readonly offsetMs: number
  readonly kind: WorkflowEvent['kind']
  readonly step: string | null
  readonly visit: number | null
  readonly attempt: number | null
  readonly status: string
  /** A sentence for people, on one line. */
  readonly text: string
}

/** One row per event, in the order of the log. */
export function timelineOf(events: readonly WorkflowEvent[]): TimelineRow[] {
  const startedAt = events[0]?.at ?? 0
  let holder = events[0]
  return events.map((event) => {
    if (event.kind === 'workflow_resume') holder = event
    return {
      seq: event.seq,
      at: event.at,
      offsetMs: event.at - startedAt,
      kind: event.kind,
      step: 'step' in event && event.step !== undefined ? event.step : null,
      visit: 'visit' in event ? event.visit : null,
      attempt: 'attempt' in event ? event.attempt : null,
      status: event.status,
      text: sentence(event, holder),
    }
  })
}

/** `model overloaded (exception)`: an error on one line, as every view shows it. */
export function describeStepError(error: StepError): string {
  return `${oneLine(error.message)} (${error.kind})`
}

const longestMessage = 300

/** Line breaks become spaces; what is far too long for a line is cut, since the event itself keeps the whole. */
export function oneLine(text: string): string {
  const joined = text.replace(/\s*[\r\n]+\s*/g, ' ').trim()
  return joined.length <= longestMessage ? joined : `${joined.slice(0, longestMessage - 1)}…`
}

/** @param holder the `workflow_start` or `workflow_resume` of the engine that holds the run at this event */
function sentence(event: WorkflowEvent, holder: WorkflowEvent | undefined): string {
  switch (event.kind) {
    case 'workflow_start':
      return `run started: ${counted(event.definition.steps.length, 'step')}, seed ${event.seed}`
    case 'workflow_resume':
      return resumeSentence(event)
    case 'workflow_pause':
      return event.status === 'paused'
        ? `run paused at ${event.step}: there is no value for \${${oneLine(event.missingVar ?? '')}}`
        : `run waits for an answer to the gate of ${event.step}`
    case 'workflow_cancel':
      return `cancelled: ${oneLine(event.reason)}`
    case 'workflow_end':
      return endSentence(event)
    case 'step_start':
      return `${formatStepKey(event)} started (agent ${event.agent})`
    case 'process_start':
      return `${formatStepKey(event)} runs process ${event.group.pid}`
    case 'step_pause':
      return `${formatStepKey(event)} paused: there is no value for \${${oneLine(event.missingVar)}}`
    case 'workflow_warning':
      return `run has taken ${formatDuration(event.warnAfterMs)} of ${formatDuration(event.timeoutMs)}`
    case 'timeout_warning':
      return `${formatStepKey(event)} has taken ${formatDuration(event.warnAfterMs)} of ${formatDuration(event.timeoutMs)}`
    case 'step_skip':
      return skipSentence(event)
    case 'artifacts_prepared':
      return `${formatStepKey(event)} prepared ${pathList(event.artifacts)}`
    case 'artifact_created':
      return `${formatStepKey(event)} left ${oneLine(event.artifact.path)} (${counted(event.artifact.sizeBytes, 'byte')})`
    case 'gate_wait':
      return `${formatStepKey(event)} waits for an answer to its gate`
    case 'gate_result':
      return gateSentence(event)
    case 'step_finish':
      return finishSentence(event, holder)
    case 'step_retry':
      return `${formatStepKey(event)} failed: ${describeStepError(event.error)}; retry in ${formatDuration(event.delayMs)}`
    case 'step_fail':
      return `${formatStepKey(event)} failed${event.tolerated === true ? ', which is tolerated' : ''}: ${describeStepError(event.error)}`
    case 'undo_start':
      return `${event.step}#${event.visit} is being undone (agent ${event.agent})`
    case 'undo_finish':
      return `${event.step}#${event.visit} undone in ${formatDuration(event.durationMs)}`
    case 'undo_fail':
      return `${event.step}#${event.visit} was not undone: ${describeStepError(event.error)}`
    case 'artifact_edit':
      return editSentence(event, holder)
    case 'checkpoint':
      return `checkpoint ${event.name} (${event.because})`
    case 'late_result':
      return `${formatStepKey(event)} ${event.outcome} too late: discarded`
    default:
      return unreachable(event)
  }
}

function resumeSentence(event: EventOf<'workflow_resume'>): string {
  const restarts = event.restarts.length === 0 ? 'restarts no step' : `restarts ${event.restarts.join(', ')}`
  const notes = [
    ...(event.tailCutAtSeq === undefined ? [] : [`tail cut at seq ${event.tailCutAtSeq}`]),
    ...(event.stateIgnored === undefined ? [] : [`state.json ignored: ${event.stateIgnored}`]),
    ...(event.reopensLoopOf === undefined ? [] : [`opens the loop of '${event.reopensLoopOf}' again`]),
    ...(event.adopts === undefined ? [] : [`goes on under the current definition`]),
    ...(event.input === undefined ? [] : [`with more input`]),
  ]
  return `resumed: ${[restarts, ...notes].join('; ')}`
}

function endSentence(event: EventOf<'workflow_end'>): string {
  const place = event.step === undefined ? '' : ` at ${event.step}`
  const why = event.error === undefined ? '' : `: ${describeStepError(event.error)}`
  const notes = [
    ...(event.degraded === true ? ['degraded'] : []),
    ...(event.hasFailures === true ? ['failures were found'] : []),
  ]
  return `run ${event.status}${place}${why}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`
}

const skipWords: Readonly<Record<SkipReason, string>> = {
  condition_false: 'its condition is false',
  dependency_failed: 'what it depends on has failed',
  dependency_skipped: 'what it depends on was skipped',
  no_active_connection: 'no connection to it is taken',
  run_failed: 'the run has failed',
}

/** `what it depends on has failed: build, test`. */
export function describeSkip(
  { reason, because }: { readonly reason: SkipReason; readonly because: readonly string[] },
  most = 3,
): string {
  const more = because.length > most ? [`${because.length - most} more`] : []
  const steps = [...because.slice(0, most), ...more]
  return `${skipWords[reason]}${steps.length === 0 ? '' : `: ${steps.join(', ')}`}`
}

function skipSentence(event: EventOf<'step_skip'>): string {
  return `${event.step}#${event.visit} skipped: ${describeSkip(event)}`
}

function gateSentence(event: EventOf<'gate_result'>): string {
  const key = formatStepKey(event)
  const by = event.by === 'person' ? ' by a person' : ''
  const reason = `${by}${event.reason === undefined ? '' : `: ${oneLine(event.reason)}`}`
  switch (event.route.to) {
    case 'pass':
      return `${key} gate passed${reason}`
    case 'loop':
      return `${key} gate failed${reason}; returns to '${event.route.target}' (loop ${event.route.loop})`
    case 'fail':
      return `${key} gate failed${reason}; fails the run`
    default:
      return unreachable(event.route)
  }
}

function finishSentence(event: EventOf<'step_finish'>, holder: WorkflowEvent | undefined): string {
  const produced = event.artifacts.length === 0 ? '' : `, produced ${pathList(event.artifacts)}`
  // Recovery finishes what was announced before it says that the run is resumed.
  if (holder !== undefined && event.epoch > holder.epoch)
    return `${formatStepKey(event)} completed by recovery from what it had prepared${produced}`
  return `${formatStepKey(event)} completed in ${formatDuration(event.durationMs)}${produced}`
}

function editSentence(event: EventOf<'artifact_edit'>, holder: WorkflowEvent | undefined): string {
  const file = oneLine(event.artifact.path)
  const size = counted(event.artifact.sizeBytes, 'byte')
  // A change that was found at the resume shares its commit.
  if (holder?.kind === 'workflow_resume' && event.durableSeq < holder.seq)
    return `${file} had been changed from outside: accepted as it is (${size})`
  return `${file} edited from outside (${size})`
}

function pathList(artifacts: readonly ArtifactRecord[]): string {
  const shown = artifacts.slice(0, 3).map((artifact) => oneLine(artifact.path))
  const more = artifacts.length - shown.length
  if (more > 0) shown.push(`${more} more`)
  return shown.length === 0 ? 'nothing' : shown.join(', ')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
