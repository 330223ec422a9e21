import type { LoggedEventOf } from './event-shapes.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { counted, placeOf, tryKey, tryOf, visitKey } from './words.ts'

/** O2 */
export const once: Invariant = {
  name: 'O2',
  title: 'a step that has completed never runs again in its visit, and an attempt runs at most once',
  needsSoundLog: true,
  check(run, verdict) {
    const finished = judgeLog(run, verdict)
    judgeAnnouncements(run, verdict)
    judgeCalls(run, finished, verdict)
    judgeCallsPerLife(run, verdict)
  },
}

type Finishes = ReadonlyMap<string, LoggedEventOf<'step_finish'>>

/** Events alone: no second completion of a visit, no start after the completion. */
function judgeLog(run: RunReading, verdict: Verdict): Finishes {
  const finished = new Map<string, LoggedEventOf<'step_finish'>>()
  const put = new Map<string, LoggedEventOf<'gate_wait'>>()
  for (const event of run.events) {
    if (event.kind === 'gate_wait') put.set(visitKey(event), event)
    // What failed at its gate is done again.
    if (event.kind === 'step_fail') put.delete(visitKey(event))
    if (event.kind === 'step_start' && put.has(visitKey(event))) {
      const sentence = `Step '${event.step}' ran again ${tryOf(event)} after it had been put to a person at event ${put.get(visitKey(event))?.seq}.`
      verdict.broken(sentence, placeOf(event))
    }
    if (event.kind !== 'step_start' && event.kind !== 'step_finish') continue
    const key = visitKey(event)
    const earlier = finished.get(key)
    if (event.kind === 'step_finish') finished.set(key, earlier ?? event)
    if (earlier === undefined) continue
    if (event.kind === 'step_finish') {
      const sentence = `Step '${event.step}' completed twice in visit ${event.visit}: at event ${earlier.seq} and again at event ${event.seq} (attempt ${event.attempt}).`
      verdict.broken(sentence, placeOf(event))
    } else {
      const life = run.incarnationOf(event)
      const sentence = `Step '${event.step}' ran again ${tryOf(event, life)} after it had completed at event ${earlier.seq}.`
      verdict.broken(sentence, placeOf(event))
    }
  }
  return finished
}

/** A result that was announced is finished by the recovery: its agent is not called again, unless a gate has still to pass. */
function judgeAnnouncements(run: RunReading, verdict: Verdict): void {
  const open = new Map<string, LoggedEventOf<'artifacts_prepared'>>()
  for (const event of run.events) {
    if (!('attempt' in event)) continue
    const key = visitKey(event)
    const announced = open.get(key)
    if (event.kind === 'artifacts_prepared' && run.stepDefinition(event)?.gate === undefined)
      open.set(key, event)
    else if (event.kind !== 'late_result' && event.kind !== 'artifact_created') open.delete(key)
    if (event.kind !== 'step_start' || announced === undefined) continue
    const life = run.incarnationOf(event)
    const sentence = `Step '${event.step}' ran again ${tryOf(event, life)} after its result had been announced at event ${announced.seq}.`
    verdict.broken(sentence, placeOf(event))
  }
}

/** Calls that the agents' port saw against what the log says: a call may be hidden from the log, never from the port. */
function judgeCalls(run: RunReading, finished: Finishes, verdict: Verdict): void {
  const starts = new Set(run.events.filter(({ kind }) => kind === 'step_start').map(keyOf))
  const durable = durableFinishes(run)
  const seen = new Set<string>()
  for (const call of run.evidence.executions) {
    const key = tryKey(call)
    const said = `${tryOf(call, call.incarnation)}`
    if (seen.has(key)) {
      verdict.broken(`Step '${call.step}' was called twice for one attempt ${said}.`, placeOf(call))
    }
    seen.add(key)
    const done = durable.get(visitKey(call))
    if (done !== undefined && call.incarnation > done.incarnation) {
      const sentence = `Step '${call.step}' was called again ${said} after incarnation ${done.incarnation} had completed it durably at event ${done.seq}.`
      verdict.broken(sentence, { ...placeOf(call), seq: done.seq })
    } else if (!starts.has(key)) {
      const after = finished.get(visitKey(call))
      const had = after === undefined ? '' : `, which has it complete at event ${after.seq}`
      verdict.broken(
        `Step '${call.step}' was called ${said} without a start in the log${had}.`,
        placeOf(call),
      )
    }
  }
}

/** One life calls a visit once, and once more for each retry that it announced. */
function judgeCallsPerLife(run: RunReading, verdict: Verdict): void {
  const retries = new Map<string, number>()
  for (const event of run.events) {
    if (event.kind !== 'step_retry') continue
    const key = `${run.incarnationOf(event)} ${visitKey(event)}`
    retries.set(key, (retries.get(key) ?? 0) + 1)
  }
  const calls = new Map<string, number>()
  for (const call of run.evidence.executions) {
    const key = `${call.incarnation} ${visitKey(call)}`
    const count = (calls.get(key) ?? 0) + 1
    calls.set(key, count)
    const allowed = 1 + (retries.get(key) ?? 0)
    if (count !== allowed + 1) continue
    const sentence = `Step '${call.step}' was called more often than its retries explain: ${counted(count, 'call')} ${tryOf(call, call.incarnation)}, ${counted(allowed, 'call')} allowed.`
    verdict.broken(sentence, placeOf(call))
  }
}

interface DurableFinish {
  readonly incarnation: number
  readonly seq: number
}

function durableFinishes(run: RunReading): ReadonlyMap<string, DurableFinish> {
  const durable = new Map<string, DurableFinish>()
  for (const { incarnation, durableLog } of run.evidence.earlierLives) {
    for (const event of run.readLog(durableLog).events) {
      if (event.kind !== 'step_finish' || durable.has(visitKey(event))) continue
      durable.set(visitKey(event), { incarnation, seq: event.seq })
    }
  }
  return durable
}

function keyOf(event: RunReading['events'][number]): string {
  return 'attempt' in event ? tryKey(event) : ''
}
