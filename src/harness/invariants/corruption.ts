import type { EndedLife, SeenError } from './evidence.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { LogReading } from './log-reading.ts'
import type { RunReading } from './run-reading.ts'
import { shown } from './words.ts'

/** O17 */
export const corruption: Invariant = {
  name: 'O17',
  title:
    'damage to what was known to be durable is refused with file, line and event; a cut tail is dropped aloud',
  check(run, verdict) {
    for (const life of run.evidence.earlierLives) judgeLife(run, life, verdict)
  },
}

interface Damage {
  readonly line: number
  readonly seq: number
  readonly problem: string
}

function judgeLife(run: RunReading, life: EndedLife, verdict: Verdict): void {
  const { disk, refusal } = life
  const log = run.logIn(disk)
  const damage = damageOf(log)
  const path = run.logPath
  const vouched = vouchedSeq(run, life, log)
  const place = { path, seq: log.wholeEvents }
  if (vouched >= log.wholeEvents) {
    const what = damage?.problem ?? `is missing although event ${vouched} was known to be durable`
    const at = `at line ${log.wholeEvents + 1} (event ${log.wholeEvents} ${what})`
    if (refusal === undefined) {
      const sentence = `The log that incarnation ${life.incarnation} left is damaged ${at}, and the run was taken over all the same.`
      verdict.broken(sentence, place)
    } else if (!saysWhere(refusal, log.wholeEvents)) {
      const sentence = `The log that incarnation ${life.incarnation} left is damaged ${at}, and the refusal does not say so: ${refusal.message}`
      verdict.broken(sentence, place)
    }
    return
  }
  if (refusal?.code === 'STATE_CORRUPT' && refusal.message.includes('events.jsonl')) {
    const sentence = `The log that incarnation ${life.incarnation} left has lost nothing that was known to be durable, and was refused: ${refusal.message}`
    verdict.broken(sentence, place)
  }
  if (refusal === undefined) judgeTail(run, life, damage, verdict)
}

/** A line that a crash cut short is dropped, and the resume says so; nothing else is said to be cut. */
function judgeTail(run: RunReading, life: EndedLife, damage: Damage | undefined, verdict: Verdict): void {
  const left = run.logIn(life.disk).wholeEvents
  if (diedSpeechless(run, nextLife(run, life), left)) return
  const resume = run.events.find((event) => event.kind === 'workflow_resume' && event.seq >= left)
  if (resume?.kind !== 'workflow_resume') return
  const { tailCutAtSeq } = resume
  if (damage === undefined ? tailCutAtSeq === undefined : tailCutAtSeq === damage.seq) return
  const place = { path: run.logPath, seq: damage?.seq ?? resume.seq }
  const said = tailCutAtSeq === undefined ? 'nothing' : `that event ${tailCutAtSeq} was cut`
  const what =
    damage === undefined
      ? 'is whole'
      : `is cut at event ${damage.seq} (line ${damage.line} ${damage.problem})`
  const sentence = `The log that incarnation ${life.incarnation} left ${what}, and the resume at event ${resume.seq} says ${said}.`
  verdict.broken(sentence, place)
}

function nextLife(run: RunReading, life: EndedLife): EndedLife | undefined {
  const { earlierLives } = run.evidence
  return earlierLives[earlierLives.indexOf(life) + 1]
}

/** Whether a life died taking the run over before it had said so: what it found cut, its own crash may have taken away. */
function diedSpeechless(run: RunReading, life: EndedLife | undefined, left: number): boolean {
  if (life?.during !== 'recovery') return false
  const { events } = run.logIn(life.disk)
  return events.findLast(({ kind, seq }) => kind === 'workflow_resume' && seq >= left) === undefined
}

/** The first line that cannot be taken as it is. */
function damageOf(log: LogReading): Damage | undefined {
  const line = log.lines[log.wholeEvents]
  if (line === undefined) return undefined
  const problem = line.problem ?? `carries event ${shown(line.value?.['seq'])}`
  return { line: log.wholeEvents + 1, seq: log.wholeEvents, problem }
}

/** The last event that anything on the disk knew to be durable. */
function vouchedSeq(run: RunReading, { disk }: EndedLife, log: LogReading): number {
  const state = run.stateIn(disk)
  const isSound = state !== undefined && state.problem === undefined
  const stateSeq = isSound && state.runId === run.evidence.runId ? state.seq : -1
  let vouched = Math.max(stateSeq, run.pointedSeq(disk))
  for (let index = log.wholeEvents; index < log.lines.length; index++) {
    const durableSeq = log.lines[index]?.value?.['durableSeq']
    if (typeof durableSeq === 'number') vouched = Math.max(vouched, durableSeq)
  }
  return vouched
}

function saysWhere({ code, message }: SeenError, seq: number): boolean {
  const names = [/events\.jsonl/, new RegExp(`\\bline ${seq + 1}\\b`), new RegExp(`\\bevent ${seq}\\b`)]
  return code !== undefined && names.every((name) => name.test(message))
}
