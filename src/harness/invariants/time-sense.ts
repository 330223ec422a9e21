import type { Invariant } from './invariant.ts'
import { placeOf, tryKey, tryOf, visitKey } from './words.ts'

/** O14, as far as one run can show it; `clockJumps` compares the order of two. */
export const timeSense: Invariant = {
  name: 'O14',
  title: 'no duration is negative, no wait is forgotten, no attempt ends twice',
  needsSoundLog: true,
  check(run, verdict) {
    const ended = new Map<string, number>()
    const waiting = new Map<string, { readonly step: string; readonly visit: number; readonly seq: number }>()
    let previous = run.events[0]?.at ?? 0
    for (const event of run.events) {
      if (event.at < previous && !run.clockWasMoved && run.evidence.clock === 'virtual') {
        const sentence = `Event ${event.seq} (${event.kind}) lies ${previous - event.at} ms before the event ahead of it.`
        verdict.broken(sentence, { seq: event.seq })
      }
      previous = event.at
      if (event.kind === 'workflow_resume') waiting.clear()
      if (event.kind === 'workflow_end' && event.status === 'completed') {
        for (const { step, visit, seq } of waiting.values()) {
          const sentence = `Step '${step}' (visit ${visit}) was to be tried again by event ${seq}, and never was.`
          verdict.broken(sentence, { step, visit, seq })
        }
      }
      if (event.kind === 'step_start') waiting.delete(visitKey(event))
      if (event.kind !== 'step_finish' && event.kind !== 'step_retry' && event.kind !== 'step_fail') continue
      if (event.durationMs < 0) {
        const sentence = `Step '${event.step}' ${tryOf(event)} took ${event.durationMs} ms by event ${event.seq}.`
        verdict.broken(sentence, placeOf(event))
      }
      const earlier = ended.get(tryKey(event))
      if (earlier !== undefined) {
        const sentence = `Step '${event.step}' ${tryOf(event)} ended twice: at event ${earlier} and at event ${event.seq}.`
        verdict.broken(sentence, placeOf(event))
      }
      ended.set(tryKey(event), event.seq)
      if (event.kind === 'step_retry') waiting.set(visitKey(event), event)
    }
  },
}
