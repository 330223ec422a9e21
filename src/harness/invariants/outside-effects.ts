import { idempotencyKey, undoKey } from '../../core/index.ts'
import type { Invariant } from './invariant.ts'
import { counted } from './words.ts'

/** O15 */
export const outsideEffects: Invariant = {
  name: 'O15',
  title:
    'effects that leave the workflow carry the key of their visit, and happen once where the receiver honours keys',
  needsSoundLog: true,
  check({ evidence }, verdict) {
    if (evidence.effects.length === 0) return
    const calls = new Map<string, number>()
    const visits = new Map<string, { readonly step: string; readonly visit: number }>()
    const count = (key: string, { step, visit }: { readonly step: string; readonly visit: number }): void => {
      calls.set(key, (calls.get(key) ?? 0) + 1)
      visits.set(key, { step, visit })
    }
    for (const call of evidence.executions) count(idempotencyKey(evidence.runId, call.step, call.visit), call)
    for (const call of evidence.undos ?? [])
      count(undoKey(idempotencyKey(evidence.runId, call.step, call.visit)), call)
    for (const { idempotencyKey: key, name, step, count: happened, honoursKeys } of evidence.effects) {
      const visit = visits.get(key)
      if (visit?.step !== step) {
        verdict.broken(
          `Effect '${name}' of step '${step}' carries key '${key}', which is of no visit of it.`,
          { step },
        )
        continue
      }
      if (happened <= 1) continue
      const times = counted(happened, 'time')
      const ran = calls.get(key) ?? 0
      const where = `of step '${step}' (visit ${visit.visit})`
      if (honoursKeys === true) {
        verdict.broken(`Effect '${name}' ${where} was duplicated: it happened ${times} under one key.`, visit)
      } else if (happened > ran) {
        const sentence = `Effect '${name}' ${where} was duplicated: it happened ${times} in ${counted(ran, 'execution')}.`
        verdict.broken(sentence, visit)
      } else {
        verdict.note(
          `Effect '${name}' ${where} happened ${times}, once per execution: its receiver must act once per key.`,
        )
      }
    }
  },
}
