import type { JsonObject } from '../../core/index.ts'
import type { Invariant, Verdict } from './invariant.ts'
import { eventOf, linesInCommon } from './log-reading.ts'
import type { LogLine, LogReading } from './log-reading.ts'
import type { RunReading } from './run-reading.ts'
import { Walks } from './walks.ts'
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

function judgeLines({ log, logPath, evidence }: RunReading, verdict: Verdict): void {
  for (const { number, seq, what } of formOf(log.lines, evidence.runId).found) {
    verdict.broken(`Line ${number} of the log ${what}.`, { path: logPath, seq })
  }
}

function formOf(lines: readonly LogLine[], runId: string): FormWalk {
  const form = walks.through(lines)
  if (form.runId === runId) return form
  const ofAnother = new FormWalk(runId)
  for (const line of lines) ofAnother.take(line)
  return ofAnother
}

interface OddLine {
  readonly number: number
  readonly seq: number
  readonly what: string
}

/** Goes through the lines of a log, each of which goes by those before it. */
class FormWalk {
  /** Whose lines they are: if nobody says so, those of the run to which the first belongs. */
  #runId: unknown
  #found: OddLine[] = []
  #first: JsonObject | undefined
  #number = 0
  #expected = 0
  #epoch = 1
  #takenOverIn = 1
  #durable = -1

  constructor(runId?: string) {
    this.#runId = runId
  }

  get runId(): unknown {
    return this.#runId
  }

  get found(): readonly OddLine[] {
    return this.#found
  }

  copy(): FormWalk {
    const copy = new FormWalk()
    copy.#runId = this.#runId
    copy.#found = [...this.#found]
    copy.#first = this.#first
    copy.#number = this.#number
    copy.#expected = this.#expected
    copy.#epoch = this.#epoch
    copy.#takenOverIn = this.#takenOverIn
    copy.#durable = this.#durable
    return copy
  }

  take({ value, problem }: LogLine): void {
    const number = ++this.#number
    const expected = this.#expected
    const broken = (what: string): unknown => this.#found.push({ number, seq, what })
    const seq = typeof value?.['seq'] === 'number' ? value['seq'] : expected
    if (problem !== undefined) broken(problem)
    else if (seq !== expected) broken(`carries event ${seq} where event ${expected} belongs`)
    this.#expected = seq + 1
    if (value === undefined) return
    this.#first ??= value
    this.#runId ??= value['runId']
    if ((value['kind'] === 'workflow_start') !== (number === 1)) {
      broken(number === 1 ? 'does not begin the run' : 'begins the run a second time')
    }
    if (value['runId'] !== this.#runId) broken(`belongs to run ${shown(value['runId'])}`)
    for (const name of ['workflowId', 'correlationId']) {
      if (value[name] !== this.#first[name])
        broken(`has ${name} ${shown(value[name])}, and the first line has another`)
    }
    const next = Number(value['epoch'])
    const epoch = this.#epoch
    if (next < epoch) broken(`has epoch ${next}, older than epoch ${epoch} before it`)
    if (value['kind'] === 'workflow_resume') {
      if (next === this.#takenOverIn) broken(`takes the run over without raising the epoch`)
      this.#takenOverIn = next
    }
    this.#epoch = Math.max(epoch, next)
    const vouched = Number(value['durableSeq'])
    const durable = this.#durable
    if (vouched >= seq) broken(`calls event ${vouched} durable before it was written`)
    if (vouched < durable) broken(`calls less durable than a line before it: ${vouched} after ${durable}`)
    this.#durable = Math.max(durable, vouched)
  }
}

const walks = new Walks(
  () => new FormWalk(),
  (form: FormWalk) => form.copy(),
)

/** What was durable when a life ended stands unchanged at the head of every later log; the first loss tells the rest. */
function judgeGrowth(run: RunReading, verdict: Verdict): void {
  for (const { incarnation, durableLog } of run.evidence.earlierLives) {
    const log = run.readLog(durableLog)
    const seq = log === run.log ? log.ends.length : linesInCommon(log, run.log.bytes)
    if (seq === log.ends.length) continue
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
