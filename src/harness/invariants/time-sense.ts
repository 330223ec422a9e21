import type { LoggedEvent, LoggedEventOf } from './event-shapes.ts'
import type { Invariant } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
import { placeOf, tryKey, tryOf, visitKey } from './words.ts'

/** O14, as far as one run can show it; `clockJumps` compares the order of two. */
export const timeSense: Invariant = {
  name: 'O14',
  title: 'no duration is negative, no wait is forgotten, no attempt ends twice',
  needsSoundLog: true,
  check(run, verdict) {
    walks.through(run.events).tell(run, verdict)
  },
}

class TimeWalk extends LogWalk {
  #ended = new Map<string, number>()
  #waiting = new Map<string, LoggedEventOf<'step_retry'>>()
  #previous: number | undefined

  constructor(before?: TimeWalk) {
    super(before)
    if (before === undefined) return
    this.#ended = new Map(before.#ended)
    this.#waiting = new Map(before.#waiting)
    this.#previous = before.#previous
  }

  follow(event: LoggedEvent): void {
    this.#judgeInstant(event)
    if (event.kind === 'workflow_resume') this.#waiting.clear()
    if (event.kind === 'workflow_end' && event.status === 'completed') {
      for (const { step, visit, seq } of this.#waiting.values()) {
        const sentence = `Step '${step}' (visit ${visit}) was to be tried again by event ${seq}, and never was.`
        this.broken(sentence, { step, visit, seq })
      }
    }
    if (event.kind === 'step_start') this.#waiting.delete(visitKey(event))
    if (event.kind !== 'step_finish' && event.kind !== 'step_retry' && event.kind !== 'step_fail') return
    if (event.durationMs < 0) {
      const sentence = `Step '${event.step}' ${tryOf(event)} took ${event.durationMs} ms by event ${event.seq}.`
      this.broken(sentence, placeOf(event))
    }
    const key = tryKey(event)
    const earlier = this.#ended.get(key)
    if (earlier !== undefined) {
      const sentence = `Step '${event.step}' ${tryOf(event)} ended twice: at event ${earlier} and at event ${event.seq}.`
      this.broken(sentence, placeOf(event))
    }
    this.#ended.set(key, event.seq)
    if (event.kind === 'step_retry') this.#waiting.set(visitKey(event), event)
  }

  #judgeInstant({ at, kind, seq }: LoggedEvent): void {
    const previous = this.#previous ?? at
    this.#previous = at
    if (at >= previous) return
    const sentence = `Event ${seq} (${kind}) lies ${previous - at} ms before the event ahead of it.`
    this.say((run, verdict) => {
      if (!run.clockWasMoved && run.evidence.clock === 'virtual') verdict.broken(sentence, { seq })
    })
  }
}

const walks = new LogWalks(TimeWalk)
