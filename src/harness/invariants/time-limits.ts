import { formatDuration } from '../../core/index.ts'
import type { LoggedEvent, LoggedEventOf } from './event-shapes.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { placeOf, tryKey, tryOf, visitKey } from './words.ts'

/** O13 */
export const timeLimits: Invariant = {
  name: 'O13',
  title:
    'a limit ends an attempt or a run at its instant, and a result that comes later is thrown away aloud',
  needsSoundLog: true,
  check(run, verdict) {
    judgeAttempts(run, verdict)
    judgeStepLimits(run, verdict)
    judgeWorkflowLimit(run, verdict)
    judgeLateResults(run, verdict)
  },
}

function judgeAttempts(run: RunReading, verdict: Verdict): void {
  const startedAt = new Map<string, number>()
  const returnedAt = new Map<string, number>()
  for (const event of run.events) {
    if (!('attempt' in event)) continue
    const key = tryKey(event)
    if (event.kind === 'step_start') startedAt.set(key, event.at)
    if (event.kind === 'artifacts_prepared') returnedAt.set(key, event.at)
    const definition = run.stepDefinition(event)
    const start = startedAt.get(key)
    if (definition === undefined || start === undefined) continue
    const limit = definition.timeoutMs
    const ended = event.kind === 'step_retry' || event.kind === 'step_fail'
    // One that an agent speaks of itself, by its category, is no limit of the engine.
    if (ended && event.error.kind === 'timeout' && event.error.category === undefined) {
      judgeInstant(run, event.at - start, limit, verdict, {
        what: `Step '${event.step}' ${tryOf(event)} timed out`,
        place: placeOf(event),
      })
    }
    if (event.kind !== 'step_finish' || run.evidence.clock === 'real' || run.clockWasMoved) continue
    // The time that a gate takes is not the agent's.
    const answered = returnedAt.get(key) ?? (definition.gate === undefined ? event.at : undefined)
    if (answered === undefined || answered - start <= limit || wasRolledForward(run, event)) continue
    const took = formatDuration(answered - start)
    const sentence = `Step '${event.step}' ${tryOf(event)} completed after ${took}, and its limit is ${formatDuration(limit)}.`
    verdict.broken(sentence, placeOf(event))
  }
}

/** The limit over all attempts, counted from the first one of the visit in the present life. */
function judgeStepLimits(run: RunReading, verdict: Verdict): void {
  let begun = new Map<string, number>()
  for (const event of run.events) {
    if (event.kind === 'workflow_resume') begun = new Map()
    if (!('attempt' in event)) continue
    const key = visitKey(event)
    if (event.kind === 'step_start' && !begun.has(key)) begun.set(key, event.at)
    const from = begun.get(key)
    const { maxDurationMs } = run.stepDefinition(event) ?? {}
    if (event.kind === 'step_fail' && event.error.kind === 'step-timeout') {
      const place = placeOf(event)
      const what = `Step '${event.step}' used up the time for all its attempts`
      if (maxDurationMs === undefined) verdict.broken(`${what}, and it has no such limit.`, place)
      else if (from !== undefined) judgeInstant(run, event.at - from, maxDurationMs, verdict, { what, place })
    }
    if (event.kind !== 'step_start' || maxDurationMs === undefined || from === undefined) continue
    if (event.at - from < maxDurationMs || run.clockWasMoved) continue
    const sentence = `Step '${event.step}' ${tryOf(event)} started ${formatDuration(event.at - from)} after its first attempt, and all of them may take ${formatDuration(maxDurationMs)}.`
    verdict.broken(sentence, placeOf(event))
  }
}

function judgeWorkflowLimit(run: RunReading, verdict: Verdict): void {
  let from = run.events[0]?.at ?? 0
  for (const event of run.events) {
    if (event.kind === 'workflow_resume') from = event.at
    if (event.kind !== 'workflow_end' || event.error?.kind !== 'workflow-timeout') continue
    const place = { seq: event.seq }
    const limit = run.definitionAt(event.seq)?.limits.timeoutMs
    if (limit === undefined) verdict.broken('The run timed out, and it has no limit.', place)
    else judgeInstant(run, event.at - from, limit, verdict, { what: 'The run timed out', place })
  }
}

function judgeInstant(
  run: RunReading,
  tookMs: number,
  limitMs: number,
  verdict: Verdict,
  { what, place }: { readonly what: string; readonly place: Parameters<Verdict['broken']>[1] },
): void {
  // Under a clock that somebody else moves, an instant can only be too late by what the clock was moved.
  const isExact = run.evidence.clock === 'virtual' && !run.clockWasMoved
  if (run.clockWasMoved || tookMs === limitMs || (!isExact && tookMs > limitMs)) return
  const when = `after ${formatDuration(tookMs)}, ${tookMs < limitMs ? 'earlier' : 'later'} than its limit of ${formatDuration(limitMs)}`
  verdict.broken(`${what} ${when}.`, place)
}

function judgeLateResults(run: RunReading, verdict: Verdict): void {
  const said = new Map<string, LoggedEventOf<'late_result'>>()
  const finished = new Map<string, number>()
  for (const event of run.events) {
    if (event.kind === 'late_result') said.set(tryKey(event), event)
    if (event.kind === 'step_finish') finished.set(tryKey(event), event.seq)
  }
  for (const [key, event] of said) {
    const counted = finished.get(key)
    if (counted === undefined) continue
    const sentence = `Step '${event.step}' ${tryOf(event)} completed at event ${counted} by a result that came too late.`
    verdict.broken(sentence, { ...placeOf(event), seq: counted })
  }
  for (const call of run.evidence.executions) {
    if (call.late !== true || said.has(tryKey(call))) continue
    const sentence = `The late result of step '${call.step}' ${tryOf(call, call.incarnation)} was thrown away without a word.`
    verdict.broken(sentence, placeOf(call))
  }
}

/** A step whose artifacts were announced before a crash is finished by the recovery, however late that is. */
function wasRolledForward(run: RunReading, finish: LoggedEvent): boolean {
  const next = run.events.find(({ kind, seq }) => seq > finish.seq && kind !== 'step_finish')
  return next?.kind === 'workflow_resume' && next.epoch === finish.epoch
}
