import { FaultlineError, isId, messageOf } from '../../core/index.ts'
import type { RunReading } from './run-reading.ts'

/** Something that must hold of every run, whatever was done to it. */
export interface Invariant {
  readonly name: string
  /** What holds, as a sentence. */
  readonly title: string
  readonly check: (run: RunReading, verdict: Verdict) => void
  /** Has nothing to say about a run whose log a fault had damaged and which was refused for that. */
  readonly needsSoundLog?: boolean
}

/** Where in a run something is the case. */
export interface RunPlace {
  readonly step?: string
  readonly visit?: number
  readonly attempt?: number
  /** Number of the event. */
  readonly seq?: number
  readonly path?: string
}

/** What a check says about a run. */
export interface Verdict {
  /** The invariant does not hold; `sentence` says what happened, for people. */
  broken(sentence: string, place?: RunPlace): void
  /** Part of it cannot be judged, since the evidence lacks something: said aloud, never taken for a pass. */
  notJudged(why: string): void
  /** Holds, and is still worth a line in the report. */
  note(sentence: string): void
}

export interface Violation extends RunPlace {
  readonly invariant: string
  readonly sentence: string
}

export interface NotJudged {
  readonly invariant: string
  readonly why: string
}

export interface RunNote {
  readonly invariant: string
  readonly sentence: string
}

export interface JudgedRun {
  readonly violations: readonly Violation[]
  /** Names of the invariants that were judged in full. */
  readonly judged: readonly string[]
  readonly notJudged: readonly NotJudged[]
  readonly notes: readonly RunNote[]
}

const builtInName = /^O\d+$/

/**
 * An invariant of your own, judged beside the built-in ones. `check` calls `verdict.broken` for each thing that is wrong; an
 * error that it throws, such as a failed `expect`, counts as one.
 *
 * @example
 * const onePayment = defineInvariant({
 *   name: 'one-payment',
 *   title: 'the customer pays once',
 *   check({ evidence }, verdict) {
 *     const payments = evidence.effects.filter(({ name }) => name === 'payment')
 *     if (payments.some(({ count }) => count > 1)) verdict.broken('The customer paid twice.')
 *   },
 * })
 * @throws FaultlineError `CONFIGURATION_INVALID` when name, title or check cannot be used.
 */
export function defineInvariant(definition: Invariant): Invariant {
  const { name, title, check } = definition as { readonly [Key in keyof Invariant]: unknown }
  if (typeof name !== 'string' || !isId(name)) {
    throw unusable(
      `An invariant needs a name of letters, digits, '_', '-' or '.', and its name is ${shown(name)}.`,
    )
  }
  if (builtInName.test(name)) {
    throw unusable(
      `The name '${name}' belongs to the built-in invariants: give yours one that says what it is about.`,
    )
  }
  if (typeof title !== 'string' || title.trim() === '') {
    throw unusable(
      `Invariant '${name}' needs a title that says what holds, and its title is ${shown(title)}.`,
    )
  }
  if (typeof check !== 'function') {
    throw unusable(`Invariant '${name}' needs a function 'check', and its check is ${shown(check)}.`)
  }
  return { name, title, check: guarded(name, definition.check) }
}

/** What has been said of a run, since one invariant may be asked about by another. */
const said = new WeakMap<RunReading, Map<Invariant, JudgedRun>>()

type Collected = { readonly [Part in keyof JudgedRun]: JudgedRun[Part][number][] }

/** Runs the checks of a list of invariants against one run. */
export function checkInvariants(run: RunReading, invariants: readonly Invariant[]): JudgedRun {
  assertList(invariants)
  const known = said.get(run) ?? new Map<Invariant, JudgedRun>()
  said.set(run, known)
  const all = { violations: [], judged: [], notJudged: [], notes: [] } as Collected
  for (const invariant of invariants) {
    const one = known.get(invariant) ?? judgeRun(run, invariant)
    known.set(invariant, one)
    const { violations, judged, notJudged, notes } = one
    for (const each of violations) all.violations.push(each)
    for (const each of judged) all.judged.push(each)
    for (const each of notJudged) all.notJudged.push(each)
    for (const each of notes) all.notes.push(each)
  }
  return all
}

/** Collects what one check says. */
export function collect(invariant: string, check: (verdict: Verdict) => void): JudgedRun {
  const violations: Violation[] = []
  const notJudged: NotJudged[] = []
  const notes: RunNote[] = []
  check({
    broken: (sentence, place) => violations.push({ invariant, sentence, ...place }),
    notJudged: (why) => notJudged.push({ invariant, why }),
    note: (sentence) => notes.push({ invariant, sentence }),
  })
  return { violations, judged: notJudged.length === 0 ? [invariant] : [], notJudged, notes }
}

function judgeRun(run: RunReading, { name, check, needsSoundLog }: Invariant): JudgedRun {
  return collect(name, (verdict) => {
    if (needsSoundLog !== true || !run.wasRefusedForDamage) check(run, verdict)
    else verdict.notJudged('a fault damaged what is on disk, and the run was refused for that')
  })
}

function guarded(name: string, check: Invariant['check']): Invariant['check'] {
  return (run, verdict) => {
    let returned: unknown
    try {
      returned = check(run, verdict)
    } catch (error) {
      verdict.broken(messageOf(error))
      return
    }
    if (!(returned instanceof Promise)) return
    // Its rejection would reach nobody: the misuse is what is reported.
    returned.catch(() => {})
    throw unusable(
      `The check of invariant '${name}' is asynchronous: what it finds would come too late. Everything it can ask for is ` +
        `in the evidence already; make it synchronous.`,
    )
  }
}

function assertList(invariants: readonly Invariant[]): void {
  if (invariants.length === 0) {
    throw unusable('There is no invariant to judge by: a run that nothing was asked about proves nothing.')
  }
  const names = invariants.map(({ name }) => name)
  if (new Set(names).size === names.length) return
  const double = names.find((name, index) => names.indexOf(name) !== index)
  throw unusable(`Two invariants have the name '${double}': rename one of them.`)
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? `a ${typeof value}`)
}

function unusable(message: string): FaultlineError {
  return new FaultlineError('CONFIGURATION_INVALID', message)
}
