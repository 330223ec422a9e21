import type { LoggedEvent, LoggedEventOf, LoggedStep } from './event-shapes.ts'
import type { Invariant, RunPlace } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
import { counted, placeOf, tryOf, visitKey } from './words.ts'

/** O12 */
export const retries: Invariant = {
  name: 'O12',
  title:
    'attempts count from 1 without gaps, and retries are as many and as far apart as declared, of what may pass alone',
  needsSoundLog: true,
  check(run, verdict) {
    walks.through(run.events).tell(run, verdict)
  },
}

class RetryWalk extends LogWalk {
  /** Number of the newest attempt by step and visit. */
  #attempts = new Map<string, number>()
  #visits = new Map<string, number>()
  /** Retries of this life by step and visit. */
  #used = new Map<string, number>()
  #waits = new Map<string, LoggedEventOf<'step_retry'>>()
  /** When the first attempt of this life began, by step and visit. */
  #begun = new Map<string, number>()
  #hasFailed = false
  #cancelled = false

  constructor(before?: RetryWalk) {
    super(before)
    if (before === undefined) return
    this.#attempts = new Map(before.#attempts)
    this.#visits = new Map(before.#visits)
    this.#used = new Map(before.#used)
    this.#waits = new Map(before.#waits)
    this.#begun = new Map(before.#begun)
    this.#hasFailed = before.#hasFailed
    this.#cancelled = before.#cancelled
  }

  follow(event: LoggedEvent): void {
    if (event.kind === 'workflow_resume') this.#newLife()
    else if (event.kind === 'workflow_cancel') this.#cancelled = true
    else if (event.kind === 'step_start') this.#start(event)
    else if (event.kind === 'step_retry') this.#retry(event)
    else if (event.kind === 'step_fail') this.#fail(event)
    else if (event.kind === 'step_skip') this.#skip(event)
  }

  /** A crash or a resume uses up no retry: counting begins anew. */
  #newLife(): void {
    this.#used = new Map()
    this.#waits = new Map()
    this.#begun = new Map()
    this.#hasFailed = false
  }

  #start(event: LoggedEventOf<'step_start'>): void {
    const key = visitKey(event)
    if (!this.#begun.has(key)) this.#begun.set(key, event.at)
    const due = (this.#attempts.get(key) ?? 0) + 1
    if (event.attempt !== due) {
      this.#broken(event, `started at event ${event.seq} where attempt ${due} was due`)
    }
    this.#attempts.set(key, event.attempt)
    const visit = this.#visits.get(event.step) ?? 0
    if (event.visit !== visit && event.visit !== visit + 1) {
      this.#broken(event, `started at event ${event.seq} in a visit that is not the one after visit ${visit}`)
    }
    this.#visits.set(event.step, event.visit)
    const wait = this.#waits.get(key)
    this.#waits.delete(key)
    if (wait !== undefined && event.at < wait.notBefore) {
      this.#brokenByTheClock(event, `started ${wait.notBefore - event.at} ms before its wait was over`)
    }
  }

  #skip(event: LoggedEventOf<'step_skip'>): void {
    this.#visits.set(event.step, event.visit)
    this.#waits.delete(visitKey(event))
  }

  #retry(event: LoggedEventOf<'step_retry'>): void {
    const definition = this.stepDefinition(event)
    if (definition === undefined) return
    const key = visitKey(event)
    const used = this.#used.get(key) ?? 0
    this.#used.set(key, used + 1)
    this.#waits.set(key, event)
    if (used >= definition.retries) {
      const declared = counted(definition.retries, 'retry', 'retries')
      this.#broken(event, `was to be retried at event ${event.seq}, and its ${declared} were used up`)
    }
    if (!mayPass(event.error)) {
      const { kind, category = 'permanent' } = event.error
      this.#broken(
        event,
        `was to be retried at event ${event.seq} after an error that is ${category} ('${kind}')`,
      )
    }
    const delay = delayBefore(definition, used)
    const { delayMs } = event
    if (Math.abs(delayMs - delay) > Math.ceil(delay * (definition.retryJitter ?? 0))) {
      this.#broken(event, `was to be retried after ${delayMs} ms, and ${delay} ms are declared`)
    } else if (event.notBefore - event.at !== delayMs) {
      const wait = event.notBefore - event.at
      this.#brokenByTheClock(event, `was to be retried after ${delayMs} ms, and waits ${wait} ms`)
    }
  }

  #fail(event: LoggedEventOf<'step_fail'>): void {
    const definition = this.stepDefinition(event)
    const used = this.#used.get(visitKey(event)) ?? 0
    const left = (definition?.retries ?? 0) - used
    // After another step has failed, or when it was cancelled, the run is ending: nothing is tried again.
    if (left > 0 && mayPass(event.error) && !this.#hasFailed && !this.#cancelled) {
      const fits = this.#fits(event, definition, used)
      const what = `was given up at event ${event.seq} with retries left: ${left} of ${definition?.retries}`
      this.say((run, verdict) => {
        if (fits || run.clockWasMoved) verdict.broken(...said(event, what))
      })
    }
    const goesOn = this.definition?.onStepFailure === 'continue'
    this.#hasFailed ||= event.tolerated !== true && !goesOn
  }

  /** Whether the next wait, as short as it may be, ends before the step has used up its time. */
  #fits(event: LoggedEventOf<'step_fail'>, definition: LoggedStep | undefined, used: number): boolean {
    if (definition?.maxDurationMs === undefined) return true
    const { maxDurationMs, retryJitter = 0 } = definition
    const longest = Math.ceil(delayBefore(definition, used) * (1 + retryJitter))
    return event.at + longest < (this.#begun.get(visitKey(event)) ?? event.at) + maxDurationMs
  }

  #broken(event: TriedEvent, what: string): void {
    this.broken(...said(event, what))
  }

  /** Where a fault moved the clock, instants say little. */
  #brokenByTheClock(event: TriedEvent, what: string): void {
    this.say((run, verdict) => {
      if (!run.clockWasMoved) verdict.broken(...said(event, what))
    })
  }
}

const walks = new LogWalks(RetryWalk)

type TriedEvent = LoggedEventOf<'step_start'> | LoggedEventOf<'step_retry'> | LoggedEventOf<'step_fail'>

function said(event: TriedEvent, what: string): [sentence: string, place: RunPlace] {
  return [`Step '${event.step}' ${tryOf(event)} ${what}.`, placeOf(event)]
}

/** Whoever failed may know; else a timeout or an exception may pass. */
function mayPass({ kind, category }: LoggedEventOf<'step_fail'>['error']): boolean {
  return category === undefined ? kind === 'exception' || kind === 'timeout' : category === 'transient'
}

function delayBefore({ retryDelayMs }: LoggedStep, used: number): number {
  return retryDelayMs * 2 ** used
}
