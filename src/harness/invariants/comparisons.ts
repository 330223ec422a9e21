import { FaultlineError, jsonDiff } from '../../core/index.ts'
import type { LoggedEvent } from './event-shapes.ts'
import { collect } from './invariant.ts'
import type { JudgedRun, Verdict } from './invariant.ts'
import { compareOutcomes, outcomeOf } from './outcome.ts'
import type { RunReading } from './run-reading.ts'
import { shown } from './words.ts'

/** An invariant of several runs: each is held against the first. */
export interface RunComparison {
  readonly name: string
  readonly title: string
  readonly compare: (run: RunReading, first: RunReading, verdict: Verdict) => void
}

/** O14: the same run with the clock left alone and with the clock moved. */
export const clockJumps: RunComparison = {
  name: 'O14',
  title: 'jumps of the clock never change the order of events',
  compare(run, first, verdict) {
    const [words, expected] = [run.events.map(eventWords), first.events.map(eventWords)]
    const index = differsAt(words, expected)
    if (index === undefined) return
    const [here, there] = [words[index] ?? 'the end', expected[index] ?? 'the end']
    verdict.broken(`With the clock moved, event ${index} is ${here}, and ${there} without.`, { seq: index })
  },
}

/** O16: the same workflow under several schedules. */
export const schedules: RunComparison = {
  name: 'O16',
  title: 'every schedule comes to the same end',
  compare(run, first, verdict) {
    compareOutcomes(outcomeOf(run), outcomeOf(first), 'under the first schedule', verdict)
  },
}

/** O18: the same plan, run again. */
export const determinism: RunComparison = {
  name: 'O18',
  title: 'the same plan gives the same events',
  compare(run, first, verdict) {
    const [events, expected] = [run.events.map(comparable(run)), first.events.map(comparable(first))]
    const index = events.findIndex((event, place) => jsonDiff(expected[place], event).length > 0)
    if (index < 0) {
      if (events.length === expected.length) return
      const sentence = `The run ended after ${events.length} events, and after ${expected.length} the first time.`
      verdict.broken(sentence, { seq: events.length })
      return
    }
    for (const { path, before, after } of jsonDiff(expected[index], events[index])) {
      const what = path === '' ? 'all of it' : path
      const sentence = `Event ${index} (${run.events[index]?.kind}) has ${what} ${shown(after)}, and ${shown(before)} the first time.`
      verdict.broken(sentence, { seq: index })
    }
  },
}

/** @throws FaultlineError `CONFIGURATION_INVALID` for fewer than two runs. */
export function checkComparison(runs: readonly RunReading[], comparison: RunComparison): JudgedRun {
  const [first, ...others] = runs
  if (first === undefined || others.length === 0) {
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `Invariant '${comparison.name}' compares runs, and ${runs.length === 0 ? 'none was' : 'one alone was'} given: give two or more.`,
    )
  }
  return collect(comparison.name, (verdict) => {
    for (const [index, run] of others.entries()) {
      comparison.compare(run, first, {
        ...verdict,
        broken: (sentence, place) => verdict.broken(`Run ${index + 2} of ${runs.length}: ${sentence}`, place),
      })
    }
  })
}

function eventWords(event: LoggedEvent): string {
  return 'attempt' in event ? `${event.kind} ${event.step}#${event.visit}@${event.attempt}` : event.kind
}

/** Names of runs and processes, and how events were grouped into writes: other in every run, whatever it did. */
const identity: ReadonlySet<string> = new Set(['runId', 'correlationId', 'owner', 'launch', 'durableSeq'])
/** Measured time repeats under the virtual clock only. */
const measured: ReadonlySet<string> = new Set(['at', 'notBefore', 'durationMs', 'graceUntil', 'expiresAt'])

function comparable({ evidence }: RunReading): (event: LoggedEvent) => unknown {
  return (event) => {
    const kept = Object.entries(event).filter(
      ([name]) => !identity.has(name) && (evidence.clock === 'virtual' || !measured.has(name)),
    )
    return JSON.parse(JSON.stringify(Object.fromEntries(kept)).replaceAll(evidence.runId, '<run>'))
  }
}

function differsAt(left: readonly string[], right: readonly string[]): number | undefined {
  const length = Math.max(left.length, right.length)
  for (let index = 0; index < length; index++) if (left[index] !== right[index]) return index
  return undefined
}
