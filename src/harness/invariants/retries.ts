import type { LoggedEventOf, LoggedStep } from './event-shapes.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { counted, placeOf, tryOf, visitKey } from './words.ts'

/** O12 */
export const retries: Invariant = {
  name: 'O12',
  title:
    'attempts count from 1 without gaps, and retries are as many and as far apart as declared, of what may pass alone',
  needsSoundLog: true,
  check(run, verdict) {
    const walk = new RetryWalk(run, verdict)
    for (const event of run.events) {
      if (event.kind === 'workflow_resume') walk.newLife()
      else if (event.kind === 'workflow_cancel') walk.cancel()
      else if (event.kind === 'step_start') walk.start(event)
      else if (event.kind === 'step_retry') walk.retry(event)
      else if (event.kind === 'step_fail') walk.fail(event)
      else if (event.kind === 'step_skip') walk.skip(event)
    }
  },
}

class RetryWalk {
  readonly #run: RunReading
  readonly #verdict: Verdict
  /** Number of the newest attempt by step and visit. */
  readonly #attempts = new Map<string, number>()
  readonly #visits = new Map<string, number>()
  /** Retries of this life by step and visit. */
  #used = new Map<string, number>()
  #waits = new Map<string, LoggedEventOf<'step_retry'>>()
  /** When the first attempt of this life began, by step and visit. */
  #begun = new Map<string, number>()
  #hasFailed = false
  #cancelled = false

  constructor(run: RunReading, verdict: Verdict) {
    this.#run = run
    this.#verdict = verdict
  }

  /** A crash or a resume uses up no retry: counting begins anew. */
  newLife(): void {
    this.#used = new Map()
    this.#waits = new Map()
    this.#begun = new Map()
    this.#hasFailed = false
  }

  cancel(): void {
    this.#cancelled = true
  }

  start(event: LoggedEventOf<'step_start'>): void {
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
    if (wait !== undefined && event.at < wait.notBefore && !this.#run.clockWasMoved) {
      this.#broken(event, `started ${wait.notBefore - event.at} ms before its wait was over`)
    }
  }

  skip({ step, visit }: LoggedEventOf<'step_skip'>): void {
    this.#visits.set(step, visit)
    this.#waits.delete(visitKey({ step, visit }))
  }

  retry(event: LoggedEventOf<'step_retry'>): void {
    const definition = this.#run.stepDefinition(event)
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
    } else if (event.notBefore - event.at !== delayMs && !this.#run.clockWasMoved) {
      const wait = event.notBefore - event.at
      this.#broken(event, `was to be retried after ${delayMs} ms, and waits ${wait} ms`)
    }
  }

  fail(event: LoggedEventOf<'step_fail'>): void {
    const definition = this.#run.stepDefinition(event)
    const used = this.#used.get(visitKey(event)) ?? 0
    const left = (definition?.retries ?? 0) - used
    // After another step has failed, or when it was cancelled, the run is ending: nothing is tried again.
    if (
      left > 0 &&
      mayPass(event.error) &&
      !this.#hasFailed &&
      !this.#cancelled &&
      this.#fits(event, definition, used)
    ) {
      this.#broken(
        event,
        `was given up at event ${event.seq} with retries left: ${left} of ${definition?.retries}`,
      )
    }
    const goesOn = this.#run.definitionAt(event.seq)?.onStepFailure === 'continue'
    this.#hasFailed ||= event.tolerated !== true && !goesOn
  }

  /** Whether the next wait, as short as it may be, ends before the step has used up its time. */
  #fits(event: LoggedEventOf<'step_fail'>, definition: LoggedStep | undefined, used: number): boolean {
    if (definition?.maxDurationMs === undefined || this.#run.clockWasMoved) return true
    const { maxDurationMs, retryJitter = 0 } = definition
    const longest = Math.ceil(delayBefore(definition, used) * (1 + retryJitter))
    return event.at + longest < (this.#begun.get(visitKey(event)) ?? event.at) + maxDurationMs
  }

  #broken(
    event: LoggedEventOf<'step_start'> | LoggedEventOf<'step_retry'> | LoggedEventOf<'step_fail'>,
    what: string,
  ): void {
    this.#verdict.broken(`Step '${event.step}' ${tryOf(event)} ${what}.`, placeOf(event))
  }
}

/** Whoever failed may know; else a timeout or an exception may pass. */
function mayPass({ kind, category }: LoggedEventOf<'step_fail'>['error']): boolean {
  return category === undefined ? kind === 'exception' || kind === 'timeout' : category === 'transient'
}

function delayBefore({ retryDelayMs }: LoggedStep, used: number): number {
  return retryDelayMs * 2 ** used
}
