import type { FileTree } from './evidence.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { shown } from './words.ts'

/** O7 */
export const snapshot: Invariant = {
  name: 'O7',
  title: 'state.json is what the log adds up to, or it was ignored aloud',
  needsSoundLog: true,
  check(run, verdict) {
    const { evidence } = run
    for (const { incarnation, disk } of evidence.earlierLives) {
      judgeState(run, disk, `that incarnation ${incarnation} left`, verdict)
    }
    judgeState(run, evidence.files, 'at the end', verdict)
    if (!evidence.files.has(run.statePath) && hasEnded(run)) {
      verdict.broken(`The run has ended without a state.json.`, { path: run.statePath })
    }
    const pointed = run.pointedSeq(evidence.files)
    const last = run.events.at(-1)?.seq ?? -1
    if (pointed > last) {
      const sentence = `last.json vouches for event ${pointed}, and the log ends with event ${last}.`
      verdict.broken(sentence, { path: run.pointerPath, seq: pointed })
    }
  },
}

function judgeState(run: RunReading, files: FileTree, which: string, verdict: Verdict): void {
  const state = run.stateIn(files)
  if (state === undefined) return
  const path = run.statePath
  if (state.problem !== undefined) {
    if (run.evidence.warnings.some((warning) => warning.includes('state.json'))) return
    verdict.broken(`The state.json ${which} ${state.problem}, and nobody said so.`, { path })
    return
  }
  // A state.json of another run is nobody's snapshot of this one.
  if (state.runId !== run.evidence.runId) return
  const { seq } = state
  const log = run.logIn(files)
  if (log.wholeEvents <= seq) {
    const sentence = `The state.json ${which} ends with event ${seq}, and the log has only ${log.wholeEvents} whole events.`
    verdict.broken(sentence, { path, seq })
    return
  }
  for (const { path: member, before, after } of state.differencesFrom(log)) {
    const sentence = `The state.json ${which} has ${member} ${shown(after)}, and the log adds up to ${shown(before)} at event ${seq}.`
    verdict.broken(sentence, { path, seq, ...stepOf(member) })
  }
}

function stepOf(member: string): { readonly step?: string } {
  const [, step] = /^steps(?:\.([\w$-]+)|\["(.+?)"\])/.exec(member) ?? []
  return step === undefined ? {} : { step }
}

/** The log says so, and no fault could have kept the snapshot from being written. */
function hasEnded(run: RunReading): boolean {
  return run.hasSettled && run.events.at(-1)?.kind === 'workflow_end' && run.leniency === 'survivable'
}
