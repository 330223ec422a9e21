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
  #found: readonly Finding[] = []

  /** @param before One that this one goes on from; it may go on otherwise. */
  constructor(before?: LogWalk) {
    if (before === undefined) return
    this.#definition = before.#definition
    this.#found = before.#found
  }

  abstract follow(event: LoggedEvent): void

  /** From here on, a definition is in force. */
  goBy(definition: LoggedDefinition): void {
    this.#definition = definition
  }

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
    this.#found = [...this.#found, finding]
  }

  /** Says of a run what was found. */
  tell(run: RunReading, verdict: Verdict): void {
    for (const finding of this.#found) finding(run, verdict)
  }
}

type WalkClass<W extends LogWalk = LogWalk> = new (before?: W) => W

/** All there are: they go through a log side by side. */
const walkClasses: WalkClass[] = []

/** Walks of one class. */
export class LogWalks<W extends LogWalk> {
  readonly #place: number

  constructor(walk: WalkClass<W>) {
    this.#place = walkClasses.push(walk as unknown as WalkClass) - 1
  }

  through(events: readonly LoggedEvent[]): W {
    return allThrough(events).walks[this.#place] as W
  }
}

/** One walk of each class. */
class SideBySide {
  readonly walks: readonly LogWalk[]

  constructor(before?: SideBySide) {
    this.walks = walkClasses.map((walk, place) => new walk(before?.walks[place]))
  }

  take(event: LoggedEvent): void {
    const definition = definitionIn(event)
    for (const walk of this.walks) {
      if (definition !== undefined) walk.goBy(definition)
      walk.follow(event)
    }
  }
}

function definitionIn(event: LoggedEvent): LoggedDefinition | undefined {
  if (event.kind === 'workflow_start') return event.definition
  return event.kind === 'workflow_resume' ? event.adopts?.definition : undefined
}

/** By what the logs start with, wherever in them that stands. */
const known = new WeakMap<LoggedEvent, Walks<LoggedEvent, SideBySide>>()

/** What was asked for last: one checker asks after the other. */
let newest: { readonly events: readonly LoggedEvent[]; readonly walked: SideBySide } | undefined

function allThrough(events: readonly LoggedEvent[]): SideBySide {
  if (newest?.events === events) return newest.walked
  const start = events.find((event) => event.kind === 'workflow_start')
  const walks = (start === undefined ? undefined : known.get(start)) ?? walksFrom(start)
  if (start !== undefined) known.set(start, walks)
  newest = { events, walked: walks.through(events) }
  return newest.walked
}

function walksFrom(start: LoggedEventOf<'workflow_start'> | undefined): Walks<LoggedEvent, SideBySide> {
  const begin = (): SideBySide => {
    const walked = new SideBySide()
    if (start !== undefined) for (const walk of walked.walks) walk.goBy(start.definition)
    return walked
  }
  return new Walks(begin, (before) => new SideBySide(before))
}

const noGraph: StepGraph = { before: new Map(), loops: new Map(), joinsAny: new Set(), into: new Map() }

/** By definition, and then by id: runs that share their first event share its steps. */
const knownSteps = new WeakMap<LoggedDefinition, ReadonlyMap<string, LoggedStep>>()

function stepsOf(definition: LoggedDefinition): ReadonlyMap<string, LoggedStep> {
  const known = knownSteps.get(definition) ?? new Map(definition.steps.map((step) => [step.id, step]))
  knownSteps.set(definition, known)
  return known
}
