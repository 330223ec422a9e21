import type { Invariant } from './invariant.ts'

/** O0 */
export const termination: Invariant = {
  name: 'O0',
  title: 'the run comes to an end: no deadlock, no run without limit, no rejection that nobody handles',
  check({ evidence }, verdict) {
    const { status, step, error } = evidence.ending
    const at = step === undefined ? '' : ` at step '${step}'`
    const why = error === undefined ? '' : `: ${error.message}`
    const place = step === undefined ? {} : { step }
    if (status === 'deadlock') verdict.broken(`The run stands still for ever${at}${why}.`, place)
    if (status === 'unfinished') {
      verdict.broken(`The run had not ended when its budget was used up${at}${why}.`, place)
    }
    if (evidence.unhandledRejections === undefined) {
      verdict.notJudged('whether a rejection went unhandled: the evidence has no unhandledRejections')
    }
    for (const message of evidence.unhandledRejections ?? []) {
      verdict.broken(`A rejection was handled by nobody: ${message}.`)
    }
  },
}
