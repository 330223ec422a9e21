import type { LoggedDefinition, LoggedEvent, LoggedEventOf, LoggedStep } from './event-shapes.ts'
import { stepGraph } from './graph.ts'
import type { StepGraph } from './graph.ts'
import type { RunPlace, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { Walks } from './walks.ts'

/** Something to say of every run whose log begins with what a walk has taken in. */
type Finding = (run: RunReading, verdict: Verdict) => void

/**
 * What a checker goes through a log with. It sees nothing but the events: what it finds is said of all runs that share them.
 */
export abstract class LogWalk {
  /** The definition in force: of event 0, or of the last resume that adopted another. */
  #definition: LoggedDefinition | undefined
  #found: Finding[] = []

  /** @param before One that this one goes on from; it may go on otherwise. */
  constructor(before?: LogWalk) {
    if (before === undefined) return
    this.#definition = before.#definition
    this.#found = [...before.#found]
  }

  take(event: LoggedEvent): void {
    if (event.kind === 'workflow_start') this.goBy(event.definition)
    else if (event.kind === 'workflow_resume' && event.adopts !== undefined)
      this.goBy(event.adopts.definition)
    this.follow(event)
  }

  /** From here on, a definition is in force. */
  goBy(definition: LoggedDefinition): void {
    this.#definition = definition
  }

  protected abstract follow(event: LoggedEvent): void

  get definition(): LoggedDefinition | undefined {
    return this.#definition
  }

  get graph(): StepGraph {
    return this.#definition === undefined ? noGraph : stepGraph(this.#definition)
  }

  stepDefinition({ step }: { readonly step: string }): LoggedStep | undefined {
    return this.#definition === undefined ? undefined : stepsOf(this.#definition).get(step)
  }

  broken(sentence: string, place?: RunPlace): void {
    this.say((_, verdict) => verdict.broken(sentence, place))
  }

  /** Something that the rest of a run has to be asked about. */
  say(finding: Finding): void {
    this.#found.push(finding)
  }

  /** Says of a run what was found. */
  tell(run: RunReading, verdict: Verdict): void {
    for (const finding of this.#found) finding(run, verdict)
  }
}

/** Walks of one class, by what the logs start with, wherever in them that stands. */
export class LogWalks<W extends LogWalk> {
  readonly #walk: new (before?: W) => W
  readonly #walks = new WeakMap<LoggedEvent, Walks<LoggedEvent, W>>()

  constructor(walk: new (before?: W) => W) {
    this.#walk = walk
  }

  through(events: readonly LoggedEvent[]): W {
    const start = events.find((event) => event.kind === 'workflow_start')
    const known = start === undefined ? undefined : this.#walks.get(start)
    const walks = known ?? this.#startingWith(start)
    if (start !== undefined) this.#walks.set(start, walks)
    return walks.through(events)
  }

  #startingWith(start: LoggedEventOf<'workflow_start'> | undefined): Walks<LoggedEvent, W> {
    const begin = (): W => {
      const walk = new this.#walk()
      if (start !== undefined) walk.goBy(start.definition)
      return walk
    }
    return new Walks(begin, (before) => new this.#walk(before))
  }
}

const noGraph: StepGraph = { before: new Map(), loops: new Map(), joinsAny: new Set(), into: new Map() }

/** By definition, and then by id: runs that share their first event share its steps. */
const knownSteps = new WeakMap<LoggedDefinition, ReadonlyMap<string, LoggedStep>>()

function stepsOf(definition: LoggedDefinition): ReadonlyMap<string, LoggedStep> {
  const known = knownSteps.get(definition) ?? new Map(definition.steps.map((step) => [step.id, step]))
  knownSteps.set(definition, known)
  return known
}
