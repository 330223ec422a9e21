import { createTurn } from '../../adapters/node/index.ts'
import { createInventedOwner } from '../../adapters/virtual/index.ts'
import { isFaultlineError, messageOf, whenReady, withoutStacks } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { ClockPort, GateDecision, ObserverPort, TickPolicy } from '../../ports/index.ts'
import type { StateDocument } from '../../trace/index.ts'
import { bornLife } from '../engine-life.ts'
import type { EngineLife } from '../engine-life.ts'
import type { RunEnding, SeenError } from '../invariants/index.ts'
import type { EndedLifeOf, ForkPoint, Given, LifeOptions } from './life-options.ts'
import { LifeWatch } from './life-watch.ts'
import { changing, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'
import type { SweepOperator, SweptWorkflow } from './swept-workflow.ts'

/** Starts the run, or takes it over, and goes on to its end or to the error that stops it. */
export async function liveOn(
  workflow: SweptWorkflow,
  before: SweptWorld,
  options: LifeOptions = {},
): Promise<EndedLifeOf> {
  const life = new WatchedLife(workflow, before, options)
  return life.toEnd()
}

/** Where a life is left that has only taken the run over. */
export const onceRecovered = 'recovery'

class WatchedLife {
  readonly #workflow: SweptWorkflow
  readonly #options: LifeOptions
  readonly #watch: LifeWatch
  readonly #life: EngineLife
  readonly #clock: ClockPort
  #asksFor: Given | undefined
  #leftAt: string | undefined
  #interferesNow = false

  constructor(workflow: SweptWorkflow, before: SweptWorld, options: LifeOptions) {
    this.#workflow = workflow
    this.#options = options
    this.#watch = new LifeWatch(workflow, before, options)
    const ports = this.#watch.ports()
    this.#clock = ports.clock
    this.#life = bornLife(ports, this.#watch.incarnation)
  }

  async toEnd(): Promise<EndedLifeOf> {
    const watch = this.#watch
    let refusal: SeenError | undefined
    try {
      await this.#begin()
      const tookOver = watch.isTakingOver
      watch.hasTakenOver()
      if (tookOver && !watch.isTroubled && this.#options.endsOnceRecovered?.(watch.world) === true) {
        this.#leftAt = onceRecovered
        watch.endsSo({ status: 'left' })
      } else watch.endsSo(await this.#moved())
    } catch (error) {
      const seen = seenError(error)
      watch.noteError(seen)
      if (watch.isTakingOver) {
        const ending = endingOfRefusal(error, seen)
        // A run that has ended has been taken over and tidied up after, although there was nothing to resume.
        if (ending.status === 'refused') refusal = seen
        watch.endsSo(ending)
      } else if (watch.world.runId !== undefined) await this.#moveInSpite()
    }
    try {
      await this.#life.incarnation.close()
    } catch (error) {
      watch.noteError(seenError(error))
    }
    // Whoever obeys the signal that the closing has sent, or is refused, answers before anything else can happen.
    this.#life.letGo()
    if (watch.hasOpenCalls) await createTurn().next()
    const dropped = this.#life.fence.drop()
    if (dropped !== undefined) await dropped
    const { leftovers, wasStruck, objections } = watch
    // A call that is answered only now has nobody to tell.
    const world = changing(watch.world)
    return { world, leftovers, refusal, leftAt: this.#leftAt, wasStruck, objections, asksFor: this.#asksFor }
  }

  #begin(): MaybePromise<void> {
    const { definition, input, seed } = this.#workflow
    const { incarnation } = this.#life
    const { runId } = this.#watch.world
    if (this.#options.from !== undefined) return
    if (runId !== undefined) {
      const { expects, given } = this.#options
      const request = { runId, ...(expects === undefined ? {} : { expects }), ...given }
      const recovered = withoutStacks(() => incarnation.recover(request))
      return whenReady(recovered, () => this.#giveAnswers(given?.answers))
    }
    const started = incarnation.start({ definition, input, seed, correlationId: 'sweep', launch: {} })
    return whenReady(started, (id) => this.#watch.hasBegun(id))
  }

  #giveAnswers(answers: Given['answers']): MaybePromise<void> {
    return answers && inTurn(Object.entries(answers), ([step, decision]) => this.#answered(step, decision))
  }

  async #moved(): Promise<RunEnding> {
    const { onAnswered } = this.#options
    const status = await this.#life.move(
      this.#policy(),
      async (report, idle) => {
        if (this.#leftAt !== undefined) return 'left'
        if (this.#interferesNow) return this.#interfere()
        if (report.status !== 'running') return report.status
        return idle && this.#watch.gateIsSilent ? 'waiting' : undefined
      },
      onAnswered && (() => this.#forkBeforeTick(onAnswered)),
    )
    if (status === 'left' || status === 'completed' || status === 'cancelled') return { status }
    const state = this.#life.incarnation.state()
    this.#asksFor = givenBy(this.#workflow.operator, state)
    const { error } = state
    if (status !== 'failed' || error === null) return { status }
    const { step, message, kind } = error
    const seen: SeenError = { message, kind }
    this.#watch.noteError(seen)
    return { status, ...(step === null ? {} : { step }), error: seen }
  }

  #policy(): TickPolicy {
    const watch = this.#watch
    const { onBoundary, endsAt } = this.#options
    const beforeCalls = (): boolean => {
      const starting = watch.takeStarting()
      if (starting.length === 0 || watch.hasOpenCalls) return true
      const [name, place] = [joined(starting, 'name'), joined(starting, 'place')]
      this.#interferesNow = this.#options.interference?.place === place
      if (endsAt !== undefined && watch.isUndisturbed && endsAt(name, watch.world)) {
        this.#leftAt = name
        return false
      }
      const forkPoint = onBoundary === undefined ? undefined : this.#forkPoint()
      if (forkPoint !== undefined) onBoundary?.({ name, place, ...forkPoint })
      return true
    }
    return { holds: nothing, stopsAfter: never, maxResults: Infinity, beforeCalls }
  }

  #forkBeforeTick(onAnswered: NonNullable<LifeOptions['onAnswered']>): void {
    if (this.#watch.hasOpenCalls) return
    // Agents may have slept since somebody looked.
    this.#clock.now()
    const forkPoint = this.#forkPoint()
    if (forkPoint !== undefined) onAnswered(forkPoint)
  }

  #forkPoint(): ForkPoint | undefined {
    const watch = this.#watch
    const fork = this.#life.incarnation.fork?.()
    return fork && { world: copyOf(watch.world), fork, occurrences: watch.occurrences() }
  }

  async #interfere(): Promise<'cancelled' | undefined> {
    this.#interferesNow = false
    this.#watch.disturb()
    if (this.#options.interference?.action === 'cancel') {
      await this.#life.incarnation.cancel('the sweep cancels it')
      return 'cancelled'
    }
    await this.#resumeMeanwhile()
    return undefined
  }

  /** Somebody else wants the run while this life holds it, and must be refused. */
  async #resumeMeanwhile(): Promise<void> {
    const { runId = '' } = this.#watch.world
    // On a disk of its own, as it is now: the agents of this life go on writing while the other one tries.
    const disk = this.#watch.world.disk.fork()
    const before = disk.visibleDigest()
    const world = this.#watch.ports()
    const { self } = createInventedOwner('sweep-rival')
    const rival = bornLife(
      { ...world, files: disk, observer: silent, ownerOf: () => ({ self, liveness: () => 'alive' }) },
      this.#watch.incarnation,
    )
    try {
      await rival.incarnation.recover({ runId })
      this.#watch.object(`A second process could resume the run while this one held it.`)
    } catch (error) {
      if (!isFaultlineError(error, 'RUN_OWNED')) {
        this.#watch.object(`A second process was refused the run for another reason: ${messageOf(error)}`)
      }
    }
    if (disk.visibleDigest() !== before) {
      this.#watch.object('A second process that was refused the run changed what is on disk.')
    }
    await rival.fence.drop()
  }

  /** The operator has answered a gate; with a fault somebody else answers it as well, and must be refused. */
  async #answered(step: string, decision: GateDecision): Promise<void> {
    const { incarnation } = this.#life
    const { visit, attempt } = incarnation.state().steps[step] ?? { visit: 1, attempt: 1 }
    const name = `${this.#watch.incarnation}/${step}#${visit}@${attempt}:gate.answer:${step}#1`
    this.#options.onCall?.({ name, step, operation: 'gate.answer' })
    if (!this.#watch.strikeAt(name)) return
    const before = this.#watch.world.disk.visibleDigest()
    try {
      await incarnation.answerGate(step, { passed: !decision.passed, reason: 'the sweep answers again' })
      this.#watch.object(`The gate of step '${step}' took a second answer.`)
    } catch (error) {
      if (!isFaultlineError(error)) {
        this.#watch.object(
          `A second answer to the gate of step '${step}' was refused for another reason: ${messageOf(error)}`,
        )
      }
    }
    if (this.#watch.world.disk.visibleDigest() !== before) {
      this.#watch.object(
        `A second answer to the gate of step '${step}' was refused and changed what is on disk.`,
      )
    }
  }

  /** A caller that does not take an error for an answer: an engine that could not write must not write on. */
  async #moveInSpite(): Promise<void> {
    try {
      this.#watch.endsSo(await this.#moved())
    } catch {
      // As it should be, and as the caller has been told.
    }
  }
}

const nothing: ReadonlySet<string> = new Set()
const never = (): boolean => false

async function inTurn<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await each(item)
}

function joined<K extends string>(parts: readonly Readonly<Record<K, string>>[], key: K): string {
  return parts
    .map((part) => part[key])
    .sort()
    .join()
}

/** What an operator has of what a run waits for. */
function givenBy(operator: SweepOperator | undefined, { status, steps }: StateDocument): Given | undefined {
  if (operator === undefined || (status !== 'paused' && status !== 'waiting')) return undefined
  const answers = Object.entries(operator.answers ?? {}).flatMap(([step, answer]) =>
    steps[step]?.status === 'waiting'
      ? [[step, typeof answer === 'boolean' ? { passed: answer } : answer] as const]
      : [],
  )
  const given = {
    ...(answers.length === 0 ? {} : { answers: Object.fromEntries(answers) }),
    ...(status !== 'paused' || operator.input === undefined ? {} : { input: operator.input }),
  }
  return Object.keys(given).length === 0 ? undefined : given
}

const silent: ObserverPort = { event() {}, log() {} }

function endingOfRefusal(error: unknown, seen: SeenError): RunEnding {
  if (!isFaultlineError(error, 'RUN_NOT_RESUMABLE')) return { status: 'refused', error: seen }
  return { status: error.details['status'] as 'completed' | 'cancelled' }
}

function seenError(thrown: unknown): SeenError {
  const causes: string[] = []
  for (let cause = thrown instanceof Error ? thrown.cause : undefined; cause !== undefined;) {
    causes.push(messageOf(cause))
    cause = cause instanceof Error ? cause.cause : undefined
  }
  const code = isFaultlineError(thrown) ? { code: thrown.code } : {}
  return { message: messageOf(thrown), ...code, ...(causes.length === 0 ? {} : { causes }) }
}
