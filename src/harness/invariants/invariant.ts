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

/** What is said of a run, by one invariant after the other. */
class Judgement {
  readonly #asked: Invariant[] = []
  readonly #violations: Violation[] = []
  readonly #judged: string[] = []
  readonly #notJudged: NotJudged[] = []
  readonly #notes: RunNote[] = []
  /** Who speaks. */
  #invariant = ''
  readonly #verdict: Verdict = {
    broken: (sentence, place) => this.#violations.push({ invariant: this.#invariant, sentence, ...place }),
    notJudged: (why) => this.#notJudged.push({ invariant: this.#invariant, why }),
    note: (sentence) => this.#notes.push({ invariant: this.#invariant, sentence }),
  }

  ask(run: RunReading, invariant: Invariant): void {
    this.#asked.push(invariant)
    this.listen(invariant.name, (verdict) => {
      if (invariant.needsSoundLog !== true || !run.wasRefusedForDamage) invariant.check(run, verdict)
      else verdict.notJudged('a fault damaged what is on disk, and the run was refused for that')
    })
  }

  listen(invariant: string, check: (verdict: Verdict) => void): void {
    const before = this.#notJudged.length
    this.#invariant = invariant
    check(this.#verdict)
    if (this.#notJudged.length === before) this.#judged.push(invariant)
  }

  hasAsked(invariant: Invariant): boolean {
    return this.#asked.includes(invariant)
  }

  brokenBy({ name }: Invariant): readonly Violation[] {
    return this.#violations.filter(({ invariant }) => invariant === name)
  }

  get result(): JudgedRun {
    return {
      violations: this.#violations,
      judged: this.#judged,
      notJudged: this.#notJudged,
      notes: this.#notes,
    }
  }
}

const judgements = new WeakMap<RunReading, Judgement>()

/** Runs the checks of a list of invariants against one run. */
export function checkInvariants(run: RunReading, invariants: readonly Invariant[]): JudgedRun {
  assertList(invariants)
  const judgement = new Judgement()
  judgements.set(run, judgement)
  for (const invariant of invariants) judgement.ask(run, invariant)
  return judgement.result
}

/** How a run breaks invariants; what they have said of it already they are not asked again. */
export function violationsOf(run: RunReading, invariants: readonly Invariant[]): readonly Violation[] {
  const judgement = judgements.get(run)
  if (judgement === undefined || !invariants.every((invariant) => judgement.hasAsked(invariant))) {
    return checkInvariants(run, invariants).violations
  }
  return invariants.flatMap((invariant) => judgement.brokenBy(invariant))
}

/** Collects what one check says. */
export function collect(invariant: string, check: (verdict: Verdict) => void): JudgedRun {
  const judgement = new Judgement()
  judgement.listen(invariant, check)
  return judgement.result
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
  const double = doubleName(invariants)
  if (double === undefined) return
  throw unusable(`Two invariants have the name '${double}': rename one of them.`)
}

function doubleName(invariants: readonly Invariant[]): string | undefined {
  for (let index = 0; index < invariants.length; index++) {
    const { name } = invariants[index] as Invariant
    for (let before = 0; before < index; before++) if (invariants[before]?.name === name) return name
  }
  return undefined
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? `a ${typeof value}`)
}

function unusable(message: string): FaultlineError {
  return new FaultlineError('CONFIGURATION_INVALID', message)
}
