import { formatDuration } from '../../core/index.ts'
import type { LoggedEvent, LoggedEventOf } from './event-shapes.ts'
import type { Invariant, Verdict } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
import type { RunReading } from './run-reading.ts'
import { placeOf, tryKey, tryOf, visitKey } from './words.ts'

/** O13 */
export const timeLimits: Invariant = {
  name: 'O13',
  title:
    'a limit ends an attempt or a run at its instant, and a result that comes later is thrown away aloud',
  needsSoundLog: true,
  check(run, verdict) {
    attemptWalks.through(run.events).tell(run, verdict)
    stepWalks.through(run.events).tell(run, verdict)
    runWalks.through(run.events).tell(run, verdict)
    judgeLateResults(run, verdict)
  },
}

class AttemptWalk extends LogWalk {
  #startedAt = new Map<string, number>()
  #returnedAt = new Map<string, number>()

  constructor(before?: AttemptWalk) {
    super(before)
    if (before === undefined) return
    this.#startedAt = new Map(before.#startedAt)
    this.#returnedAt = new Map(before.#returnedAt)
  }

  follow(event: LoggedEvent): void {
    if (!('attempt' in event)) return
    const key = tryKey(event)
    if (event.kind === 'step_start') this.#startedAt.set(key, event.at)
    if (event.kind === 'artifacts_prepared') this.#returnedAt.set(key, event.at)
    const definition = this.stepDefinition(event)
    const start = this.#startedAt.get(key)
    if (definition === undefined || start === undefined) return
    const limit = definition.timeoutMs
    const ended = event.kind === 'step_retry' || event.kind === 'step_fail'
    // One that an agent speaks of itself, by its category, is no limit of the engine.
    if (ended && event.error.kind === 'timeout' && event.error.category === undefined) {
      const what = `Step '${event.step}' ${tryOf(event)} timed out`
      this.say((run, verdict) =>
        judgeInstant(run, event.at - start, limit, verdict, { what, place: placeOf(event) }),
      )
    }
    if (event.kind !== 'step_finish') return
    // The time that a gate takes is not the agent's.
    const answered = this.#returnedAt.get(key) ?? (definition.gate === undefined ? event.at : undefined)
    if (answered === undefined || answered - start <= limit) return
    this.say((run, verdict) => {
      if (run.evidence.clock === 'real' || run.clockWasMoved || wasRolledForward(run, event)) return
      const took = formatDuration(answered - start)
      const sentence = `Step '${event.step}' ${tryOf(event)} completed after ${took}, and its limit is ${formatDuration(limit)}.`
      verdict.broken(sentence, placeOf(event))
    })
  }
}

const attemptWalks = new LogWalks(AttemptWalk)

/** The limit over all attempts, counted from the first one of the visit in the present life. */
class StepWalk extends LogWalk {
  #begun = new Map<string, number>()

  constructor(before?: StepWalk) {
    super(before)
    if (before !== undefined) this.#begun = new Map(before.#begun)
  }

  follow(event: LoggedEvent): void {
    if (event.kind === 'workflow_resume') this.#begun.clear()
    if (event.kind !== 'step_start' && event.kind !== 'step_fail') return
    const key = visitKey(event)
    if (event.kind === 'step_start' && !this.#begun.has(key)) this.#begun.set(key, event.at)
    const from = this.#begun.get(key)
    const { maxDurationMs } = this.stepDefinition(event) ?? {}
    if (event.kind === 'step_start') this.#judgeStart(event, maxDurationMs, from)
    else if (event.error.kind === 'step-timeout') this.#judgeEnd(event, maxDurationMs, from)
  }

  #judgeEnd(
    event: LoggedEventOf<'step_fail'>,
    maxDurationMs: number | undefined,
    from: number | undefined,
  ): void {
    const place = placeOf(event)
    const what = `Step '${event.step}' used up the time for all its attempts`
    if (maxDurationMs === undefined) this.broken(`${what}, and it has no such limit.`, place)
    else if (from !== undefined)
      this.say((run, verdict) => judgeInstant(run, event.at - from, maxDurationMs, verdict, { what, place }))
  }

  #judgeStart(
    event: LoggedEventOf<'step_start'>,
    maxDurationMs: number | undefined,
    from: number | undefined,
  ): void {
    if (maxDurationMs === undefined || from === undefined || event.at - from < maxDurationMs) return
    const sentence = `Step '${event.step}' ${tryOf(event)} started ${formatDuration(event.at - from)} after its first attempt, and all of them may take ${formatDuration(maxDurationMs)}.`
    this.say((run, verdict) => {
      if (!run.clockWasMoved) verdict.broken(sentence, placeOf(event))
    })
  }
}

const stepWalks = new LogWalks(StepWalk)

class RunWalk extends LogWalk {
  #from: number | undefined

  constructor(before?: RunWalk) {
    super(before)
    if (before !== undefined) this.#from = before.#from
  }

  follow(event: LoggedEvent): void {
    const from = event.kind === 'workflow_resume' ? event.at : (this.#from ?? event.at)
    this.#from = from
    if (event.kind !== 'workflow_end' || event.error?.kind !== 'workflow-timeout') return
    const place = { seq: event.seq }
    const what = 'The run timed out'
    const limit = this.definition?.limits.timeoutMs
    if (limit === undefined) this.broken('The run timed out, and it has no limit.', place)
    else this.say((run, verdict) => judgeInstant(run, event.at - from, limit, verdict, { what, place }))
  }
}

const runWalks = new LogWalks(RunWalk)

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

class LateWalk extends LogWalk {
  readonly said = new Map<string, LoggedEventOf<'late_result'>>()
  #finished = new Map<string, number>()

  constructor(before?: LateWalk) {
    super(before)
    if (before === undefined) return
    for (const [key, event] of before.said) this.said.set(key, event)
    this.#finished = new Map(before.#finished)
  }

  follow(event: LoggedEvent): void {
    if (event.kind === 'late_result') this.said.set(tryKey(event), event)
    if (event.kind === 'step_finish') this.#finished.set(tryKey(event), event.seq)
  }

  override tell(run: RunReading, verdict: Verdict): void {
    for (const [key, event] of this.said) {
      const counted = this.#finished.get(key)
      if (counted === undefined) continue
      const sentence = `Step '${event.step}' ${tryOf(event)} completed at event ${counted} by a result that came too late.`
      verdict.broken(sentence, { ...placeOf(event), seq: counted })
    }
  }
}

const lateWalks = new LogWalks(LateWalk)

function judgeLateResults(run: RunReading, verdict: Verdict): void {
  const late = lateWalks.through(run.events)
  late.tell(run, verdict)
  for (const call of run.evidence.executions) {
    if (call.late !== true || late.said.has(tryKey(call))) continue
    const sentence = `The late result of step '${call.step}' ${tryOf(call, call.incarnation)} was thrown away without a word.`
    verdict.broken(sentence, placeOf(call))
  }
}

/** A step whose artifacts were announced before a crash is finished by the recovery, however late that is. */
function wasRolledForward(run: RunReading, finish: LoggedEvent): boolean {
  const next = run.events.find(({ kind, seq }) => seq > finish.seq && kind !== 'step_finish')
  return next?.kind === 'workflow_resume' && next.epoch === finish.epoch
}
