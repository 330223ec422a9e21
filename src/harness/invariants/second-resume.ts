import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { placeOf, tryOf } from './words.ts'

/** O9 */
export const secondResume: Invariant = {
  name: 'O9',
  title: 'a further resume changes nothing: it adds no work, runs no step and touches no file',
  needsSoundLog: true,
  check(run, verdict) {
    const { secondResume: second } = run.evidence
    if (second === undefined) {
      verdict.notJudged('what a further resume does: the evidence has no secondResume')
      return
    }
    for (const call of second.executions) {
      const sentence = `A further resume called step '${call.step}' again ${tryOf(call, call.incarnation)}.`
      verdict.broken(sentence, placeOf(call))
    }
    judgeEvents(run, verdict)
    judgeFiles(run, verdict)
  },
}

/** Whoever takes a run over may say so; that a run has ended for good leaves nothing to say. */
function judgeEvents(run: RunReading, verdict: Verdict): void {
  const before = run.events
  const after = run.logIn(run.evidence.secondResume?.files ?? new Map()).events
  if (after.length < before.length) {
    const [lost] = before.slice(after.length)
    const sentence = `A further resume shortened the log: event ${lost?.seq} (${lost?.kind}) is gone.`
    verdict.broken(sentence, lost === undefined ? {} : { seq: lost.seq })
  }
  const last = before.findLast(({ kind }) => kind === 'workflow_end')
  const isOver = last?.kind === 'workflow_end' && last.status !== 'failed'
  for (const event of after.slice(before.length)) {
    if (event.kind === 'workflow_resume' && !isOver) continue
    const step = 'attempt' in event ? ` of step '${event.step}' ${tryOf(event)}` : ''
    const sentence = `A further resume added event ${event.seq} (${event.kind}${step}).`
    verdict.broken(sentence, 'attempt' in event ? placeOf(event) : { seq: event.seq })
  }
}

function judgeFiles(run: RunReading, verdict: Verdict): void {
  const { files, secondResume: second } = run.evidence
  const before = run.projectFiles(files)
  const after = run.projectFiles(second?.files ?? new Map())
  const broken = (change: string, path: string): void =>
    verdict.broken(`A further resume ${change} file '${path}'.`, { path })
  for (const [path, was] of before) {
    const is = after.get(path)
    if (is === undefined) broken('removed', path)
    else if (run.sha256Of(was) !== run.sha256Of(is)) broken('changed', path)
  }
  for (const path of after.keys()) if (!before.has(path)) broken('made', path)
}
