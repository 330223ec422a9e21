import { bytesEqual } from '../../core/index.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { LogReading } from './log-reading.ts'
import type { RunReading } from './run-reading.ts'
import { shown } from './words.ts'

const lineFeed = 0x0a

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
    const before = wholeLines(durableLog)
    if (bytesEqual(before, run.log.bytes.subarray(0, before.length))) continue
    const changedAt = firstDifference(before, run.log.bytes)
    const seq = before.subarray(0, changedAt).filter((byte) => byte === lineFeed).length
    const event = eventWords(run.readLog(durableLog), seq)
    const sentence = `Event ${seq}${event} was durable when incarnation ${incarnation} ended, and the log no longer has it as it was.`
    verdict.broken(sentence, { path: run.logPath, seq })
    return
  }
}

function wholeLines(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.lastIndexOf(lineFeed) + 1)
}

/** Where `whole`, which does not begin with all of `head`, first departs from it. */
function firstDifference(head: Uint8Array, whole: Uint8Array): number {
  let index = 0
  while (head[index] === whole[index]) index++
  return index
}

function eventWords(log: LogReading, seq: number): string {
  const event = log.events.find((other) => other.seq === seq)
  if (event === undefined) return ''
  return 'attempt' in event ? ` (${event.kind} of step '${event.step}')` : ` (${event.kind})`
}
