import type { LoggedEvent, LoggedEventOf } from './event-shapes.ts'
import type { Execution } from './evidence.ts'
import type { Invariant, Verdict } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
import type { RunReading } from './run-reading.ts'
import { counted, placeOf, tryKey, tryOf, visitKey } from './words.ts'

/** O2 */
export const once: Invariant = {
  name: 'O2',
  title: 'a step that has completed never runs again in its visit, and an attempt runs at most once',
  needsSoundLog: true,
  check(run, verdict) {
    const completions = completionWalks.through(run.events)
    completions.tell(run, verdict)
    announcementWalks.through(run.events).tell(run, verdict)
    judgeCalls(run, completions, verdict)
    judgeCallsPerLife(run, completions.retries, verdict)
  },
}

/** Events alone: no second completion of a visit, no start after the completion. */
class CompletionWalk extends LogWalk {
  #finished = new Map<string, LoggedEventOf<'step_finish'>>()
  /** Put to a person. */
  #put = new Map<string, LoggedEventOf<'gate_wait'>>()
  #started = new Set<string>()
  #retries: LoggedEventOf<'step_retry'>[] = []

  constructor(before?: CompletionWalk) {
    super(before)
    if (before === undefined) return
    this.#finished = new Map(before.#finished)
    this.#put = new Map(before.#put)
    this.#started = new Set(before.#started)
    this.#retries = [...before.#retries]
  }

  get retries(): readonly LoggedEventOf<'step_retry'>[] {
    return this.#retries
  }

  /** By which event a visit had completed. */
  finishOf(visit: string): number | undefined {
    return this.#finished.get(visit)?.seq
  }

  hasStarted(attempt: string): boolean {
    return this.#started.has(attempt)
  }

  follow(event: LoggedEvent): void {
    if (event.kind === 'gate_wait') this.#put.set(visitKey(event), event)
    // What failed at its gate is done again.
    else if (event.kind === 'step_fail') this.#put.delete(visitKey(event))
    else if (event.kind === 'step_retry') this.#retries.push(event)
    else if (event.kind === 'step_start') this.#start(event)
    else if (event.kind === 'step_finish') this.#finish(event)
  }

  #start(event: LoggedEventOf<'step_start'>): void {
    const key = visitKey(event)
    this.#started.add(tryKey(event))
    const put = this.#put.get(key)
    if (put !== undefined) {
      const sentence = `Step '${event.step}' ran again ${tryOf(event)} after it had been put to a person at event ${put.seq}.`
      this.broken(sentence, placeOf(event))
    }
    const earlier = this.#finished.get(key)
    if (earlier === undefined) return
    this.say((run, verdict) => {
      const life = run.incarnationOf(event)
      const sentence = `Step '${event.step}' ran again ${tryOf(event, life)} after it had completed at event ${earlier.seq}.`
      verdict.broken(sentence, placeOf(event))
    })
  }

  #finish(event: LoggedEventOf<'step_finish'>): void {
    const key = visitKey(event)
    const earlier = this.#finished.get(key)
    if (earlier === undefined) {
      this.#finished.set(key, event)
      return
    }
    const sentence = `Step '${event.step}' completed twice in visit ${event.visit}: at event ${earlier.seq} and again at event ${event.seq} (attempt ${event.attempt}).`
    this.broken(sentence, placeOf(event))
  }
}

const completionWalks = new LogWalks(CompletionWalk)

/** A result that was announced is finished by the recovery: its agent is not called again, unless a gate has still to pass. */
class AnnouncementWalk extends LogWalk {
  #open = new Map<string, LoggedEventOf<'artifacts_prepared'>>()

  constructor(before?: AnnouncementWalk) {
    super(before)
    if (before !== undefined) this.#open = new Map(before.#open)
  }

  follow(event: LoggedEvent): void {
    if (!('attempt' in event)) return
    const key = visitKey(event)
    const announced = this.#open.get(key)
    if (event.kind === 'artifacts_prepared' && this.stepDefinition(event)?.gate === undefined)
      this.#open.set(key, event)
    else if (event.kind !== 'late_result' && event.kind !== 'artifact_created') this.#open.delete(key)
    if (event.kind !== 'step_start' || announced === undefined) return
    this.say((run, verdict) => {
      const life = run.incarnationOf(event)
      const sentence = `Step '${event.step}' ran again ${tryOf(event, life)} after its result had been announced at event ${announced.seq}.`
      verdict.broken(sentence, placeOf(event))
    })
  }
}

const announcementWalks = new LogWalks(AnnouncementWalk)

/** Calls that the agents' port saw against what the log says: a call may be hidden from the log, never from the port. */
function judgeCalls(run: RunReading, completions: CompletionWalk, verdict: Verdict): void {
  const durable = run.evidence.earlierLives.map(({ incarnation, durableLog }) => ({
    incarnation,
    completions: completionWalks.through(run.readLog(durableLog).events),
  }))
  const seen = new Set<string>()
  for (const call of run.evidence.executions) {
    const key = tryKey(call)
    const visit = visitKey(call)
    if (seen.has(key)) {
      verdict.broken(`Step '${call.step}' was called twice for one attempt ${saidOf(call)}.`, placeOf(call))
    }
    seen.add(key)
    const life = durable.find((ended) => ended.completions.finishOf(visit) !== undefined)
    if (life !== undefined && call.incarnation > life.incarnation) {
      const seq = life.completions.finishOf(visit) as number
      const sentence = `Step '${call.step}' was called again ${saidOf(call)} after incarnation ${life.incarnation} had completed it durably at event ${seq}.`
      verdict.broken(sentence, { ...placeOf(call), seq })
    } else if (!completions.hasStarted(key)) {
      const after = completions.finishOf(visit)
      const had = after === undefined ? '' : `, which has it complete at event ${after}`
      verdict.broken(
        `Step '${call.step}' was called ${saidOf(call)} without a start in the log${had}.`,
        placeOf(call),
      )
    }
  }
}

function saidOf(call: Execution): string {
  return tryOf(call, call.incarnation)
}

/** One life calls a visit once, and once more for each retry that it announced. */
function judgeCallsPerLife(
  run: RunReading,
  announced: readonly LoggedEventOf<'step_retry'>[],
  verdict: Verdict,
): void {
  const retries = new Map<string, number>()
  for (const event of announced) {
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
