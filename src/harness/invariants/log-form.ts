import type { Invariant, Verdict } from './invariant.ts'
import { commonLength, eventOf } from './log-reading.ts'
import type { LogReading } from './log-reading.ts'
import type { RunReading } from './run-reading.ts'
import { shown } from './words.ts'

/** O5 */
export const logForm: Invariant = {
  name: 'O5',
  title: 'the log is whole, numbered without gaps, and only ever grows',
  needsSoundLog: true,
  check(run, verdict) {
    if (run.log.bytes.length === 0) {
      verdict.broken(`The run has no log: '${run.logPath}' is missing or empty.`, { path: run.logPath })
      return
    }
    judgeLines(run, verdict)
    judgeGrowth(run, verdict)
  },
}

function judgeLines(run: RunReading, verdict: Verdict): void {
  const path = run.logPath
  const first = run.log.lines.find(({ value }) => value !== undefined)?.value
  let expected = 0
  let epoch = 1
  let takenOverIn = 1
  let durable = -1
  for (const [index, { value, problem }] of run.log.lines.entries()) {
    const number = index + 1
    const broken = (what: string): void => verdict.broken(`Line ${number} of the log ${what}.`, { path, seq })
    const seq = typeof value?.['seq'] === 'number' ? value['seq'] : expected
    if (problem !== undefined) broken(problem)
    else if (seq !== expected) broken(`carries event ${seq} where event ${expected} belongs`)
    expected = seq + 1
    if (value === undefined) continue
    if ((value['kind'] === 'workflow_start') !== (number === 1)) {
      broken(number === 1 ? 'does not begin the run' : 'begins the run a second time')
    }
    if (value['runId'] !== run.evidence.runId) broken(`belongs to run ${shown(value['runId'])}`)
    for (const name of ['workflowId', 'correlationId']) {
      if (value[name] !== first?.[name])
        broken(`has ${name} ${shown(value[name])}, and the first line has another`)
    }
    const next = Number(value['epoch'])
    if (next < epoch) broken(`has epoch ${next}, older than epoch ${epoch} before it`)
    if (value['kind'] === 'workflow_resume') {
      if (next === takenOverIn) broken(`takes the run over without raising the epoch`)
      takenOverIn = next
    }
    epoch = Math.max(epoch, next)
    const vouched = Number(value['durableSeq'])
    if (vouched >= seq) broken(`calls event ${vouched} durable before it was written`)
    if (vouched < durable) broken(`calls less durable than a line before it: ${vouched} after ${durable}`)
    durable = Math.max(durable, vouched)
  }
}

/** What was durable when a life ended stands unchanged at the head of every later log; the first loss tells the rest. */
function judgeGrowth(run: RunReading, verdict: Verdict): void {
  for (const { incarnation, durableLog } of run.evidence.earlierLives) {
    const log = run.readLog(durableLog)
    const kept = log === run.log ? Infinity : commonLength(durableLog, run.log.bytes)
    const seq = log.ends.findIndex((end) => end > kept)
    if (seq < 0) continue
    const event = eventWords(log, seq)
    const sentence = `Event ${seq}${event} was durable when incarnation ${incarnation} ended, and the log no longer has it as it was.`
    verdict.broken(sentence, { path: run.logPath, seq })
    return
  }
}

function eventWords(log: LogReading, seq: number): string {
  const event = eventOf(log, seq)
  if (event === undefined) return ''
  return 'attempt' in event ? ` (${event.kind} of step '${event.step}')` : ` (${event.kind})`
}
