import type { Invariant } from './invariant.ts'
import { eventOf } from './log-reading.ts'

const endings: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** O8 */
export const promises: Invariant = {
  name: 'O8',
  title: 'what a caller has been told stays true',
  needsSoundLog: true,
  check(run, verdict) {
    const { earlierLives, ending } = run.evidence
    for (const { incarnation, told } of earlierLives) {
      for (const { step, visit, seq } of told.completedSteps) {
        const event = eventOf(run.log, seq)
        const holds = event?.kind === 'step_finish' && event.step === step && event.visit === visit
        if (holds) continue
        const sentence = `Step '${step}' (visit ${visit}) was lost: incarnation ${incarnation} had reported it complete at event ${seq}, and the log no longer says so.`
        verdict.broken(sentence, { step, visit, seq })
      }
      if (told.status === undefined || hasEvent(told.status)) continue
      const sentence = `Incarnation ${incarnation} had reported the run ${told.status}, and the log no longer says so.`
      verdict.broken(sentence)
    }
    const last = run.events.findLast(({ kind }) => kind === 'workflow_end' || kind === 'workflow_resume')
    const logged = last?.kind === 'workflow_end' ? last.status : 'running'
    const { status } = ending
    if (endings.has(status) && status !== logged) {
      const place = last === undefined ? {} : { seq: last.seq }
      verdict.broken(`The caller was told that the run is ${status}, and by its log it is ${logged}.`, place)
    }

    function hasEvent(status: string): boolean {
      return run.events.some((event) => event.kind === 'workflow_end' && event.status === status)
    }
  },
}
