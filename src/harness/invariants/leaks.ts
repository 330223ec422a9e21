import type { Invariant } from './invariant.ts'

/** O19 */
export const leaks: Invariant = {
  name: 'O19',
  title: 'a run that has been left holds nothing: no lock, no open file, no timer, no call',
  check(run, verdict) {
    const { files, leftovers } = run.evidence
    if (run.hasSettled && files.has(run.lockPath)) {
      verdict.broken(`The lock of the run is still there: '${run.lockPath}'.`, { path: run.lockPath })
    }
    if (leftovers === undefined) {
      verdict.notJudged('open files, timers and calls: the evidence has no leftovers')
      return
    }
    for (const path of leftovers.openFiles) verdict.broken(`File '${path}' is still open.`, { path })
    for (const timer of leftovers.timers) verdict.broken(`A timer is still pending: ${timer}.`)
    for (const call of leftovers.calls) verdict.broken(`A call is still in flight: ${call}.`)
  },
}
