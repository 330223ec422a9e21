import { violationsOf } from './invariant.ts'
import type { Invariant } from './invariant.ts'

/**
 * O10: the given invariants, of a run whose recovery was itself cut short by a crash. What they find is reported once more
 * under this name, since a recovery that does not survive a crash is another defect than one that fails undisturbed.
 */
export function recoveryCrash(invariants: readonly Invariant[]): Invariant {
  return {
    name: 'O10',
    title: 'a crash in the middle of a recovery breaks nothing either',
    needsSoundLog: true,
    check(run, verdict) {
      const crashed = run.evidence.earlierLives.find(({ during }) => during === 'recovery')
      if (crashed === undefined) {
        verdict.notJudged('a crash in the recovery: none of the lives ended in one')
        return
      }
      for (const { invariant, sentence, ...place } of violationsOf(run, invariants)) {
        const where = `After a crash in the recovery (incarnation ${crashed.incarnation}), ${invariant} is broken`
        verdict.broken(`${where}: ${sentence}`, place)
      }
    },
  }
}
