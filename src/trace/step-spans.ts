import type { EventOf, WorkflowEvent } from './events.ts'
import type { AttemptRecord } from './state-document.ts'

/** When a step ran: one row of `faultline timeline`. */
export interface StepSpan {
  readonly step: string
  readonly agent: string
  /** How its last attempt ended so far. */
  readonly outcome: AttemptRecord['outcome'] | 'not-started'
  /** When its first attempt began, or null. */
  readonly startedAt: number | null
  /** When its last attempt ended, or null while it runs. */
  readonly finishedAt: number | null
  /** Time in which an attempt was running, pauses left out. */
  readonly activeMs: number
  /** Over all visits, in order. */
  readonly attempts: readonly AttemptSpan[]
}

export interface AttemptSpan {
  readonly visit: number
  readonly attempt: number
  readonly startedAt: number
  readonly finishedAt: number | null
  /** Up to its end, its last sign of life before an interruption, or the end of the log. */
  readonly activeMs: number
  readonly outcome: AttemptRecord['outcome']
  /** The events with which it began and ended. */
  readonly startSeq: number
  readonly endSeq: number | null
}

/** When every step ran, from the log alone: in definition order, the steps that never started included. */
export function stepSpansOf(events: readonly WorkflowEvent[]): readonly StepSpan[] {
  const start = events[0]
  if (start?.kind !== 'workflow_start') return []
  const attempts = new Map<string, AttemptSpan[]>()
  const waiting = new Set<string>()
  let before = start as WorkflowEvent
  for (const event of events) {
    switch (event.kind) {
      case 'step_start':
        spansOf(attempts, event.step).push(begun(event))
        break
      case 'step_finish':
        end(attempts.get(event.step), event, 'completed')
        break
      case 'gate_wait':
        waiting.add(event.step)
        break
      case 'step_retry':
      case 'step_fail':
        end(attempts.get(event.step), event, 'failed')
        break
      case 'gate_result':
        waiting.delete(event.step)
        if (event.route.to === 'loop') end(attempts.get(event.step), event, 'gate-failed')
        break
      case 'workflow_resume':
        for (const [step, spans] of attempts)
          if (!waiting.has(step)) end(spans, event, 'interrupted', before.at)
        break
      default:
    }
    before = event
  }
  return start.definition.steps.map(({ id, agent }) => spanOf(id, agent, upTo(attempts.get(id), before.at)))
}

function spanOf(step: string, agent: string, attempts: readonly AttemptSpan[]): StepSpan {
  const last = attempts.at(-1)
  return {
    step,
    agent,
    outcome: last?.outcome ?? 'not-started',
    startedAt: attempts[0]?.startedAt ?? null,
    finishedAt: last?.finishedAt ?? null,
    activeMs: attempts.reduce((sum, { activeMs }) => sum + activeMs, 0),
    attempts,
  }
}

function spansOf(attempts: Map<string, AttemptSpan[]>, step: string): AttemptSpan[] {
  const known = attempts.get(step)
  if (known !== undefined) return known
  const spans: AttemptSpan[] = []
  attempts.set(step, spans)
  return spans
}

function begun({ visit, attempt, at, seq }: EventOf<'step_start'>): AttemptSpan {
  return {
    visit,
    attempt,
    startedAt: at,
    finishedAt: null,
    activeMs: 0,
    outcome: 'running',
    startSeq: seq,
    endSeq: null,
  }
}

/** Closes the attempt that is running, if one is: a retry that was given up had ended before. */
function end(
  spans: AttemptSpan[] | undefined,
  { at, seq }: WorkflowEvent,
  outcome: AttemptSpan['outcome'],
  activeUntil = at,
): void {
  const last = spans?.at(-1)
  if (last?.outcome !== 'running') return
  spans?.splice(-1, 1, {
    ...last,
    finishedAt: at,
    activeMs: between(last, activeUntil),
    outcome,
    endSeq: seq,
  })
}

/** The attempts, with the one that is still running counted up to now. */
function upTo(spans: readonly AttemptSpan[] = [], now: number): readonly AttemptSpan[] {
  return spans.map((span) => (span.outcome === 'running' ? { ...span, activeMs: between(span, now) } : span))
}

/** Never negative: a clock may be set back. */
function between({ startedAt }: AttemptSpan, until: number): number {
  return Math.max(0, until - startedAt)
}
