import { isJsonObject, messageOf } from '../../core/index.ts'
import type { SkipReason, StepError } from '../../trace/index.ts'
import { judgeNamedCondition } from '../definitions/index.ts'
import type { Condition } from '../definitions/index.ts'
import { finalConditions } from './connections.ts'
import type { CompiledFlow, Connection, StartCondition } from './connections.ts'
import { cameBefore, isSettled, isStopping, passageOf } from './passage.ts'
import type { Passage } from './passage.ts'
import type { RunState, StepState } from './run-state.ts'
import { stepViews } from './state-view.ts'

// Whether a step runs, read off the state. Pure: what is decided becomes an event, and an event is not decided again.

export type Decision =
  | ({ readonly to: 'run' } & Taken)
  | ({ readonly to: 'skip'; readonly reason: SkipReason; readonly because: readonly string[] } & Taken)
  /** Its condition, or that of a connection, cannot be judged: an error of the step, never a no. */
  | { readonly to: 'fail'; readonly error: StepError }
  /** Something that leads to it has to come to an end first. */
  | { readonly to: 'wait' }

interface Taken {
  /** See `Routing`. */
  readonly takes?: readonly string[]
}

interface Way {
  readonly connection: Connection
  readonly passage: Passage
}

/** By the state of the step, of which every event about it, or about what leads to it, makes a new one. */
const decided = new WeakMap<StepState, { readonly stopping: boolean; readonly decision: Decision }>()

/** What becomes of a pending step. */
export function decide(state: RunState, flow: CompiledFlow, index: number): Decision {
  const step = state.steps.get(index)
  const stopping = isStopping(state)
  const known = decided.get(step)
  if (known?.stopping === stopping) return known.decision
  // Reached before a crash: what led to it has not changed since.
  const decision: Decision = step.flow.isReached
    ? { to: 'run', ...(step.flow.takes === null ? {} : { takes: step.flow.takes }) }
    : new Crossing(state, flow, index).decide()
  decided.set(step, { stopping, decision })
  return decision
}

/** A step and all that leads to it. */
class Crossing {
  readonly #state: RunState
  readonly #flow: CompiledFlow
  readonly #index: number
  readonly #condition: StartCondition | undefined
  /** One way is enough, without waiting for the others. A loop that is to be judged waits for all of it. */
  readonly #startsEarly: boolean
  #ways: readonly Way[]

  constructor(state: RunState, flow: CompiledFlow, index: number) {
    this.#state = state
    this.#flow = flow
    this.#index = index
    this.#condition = flow.conditions.get(index)
    this.#startsEarly = flow.joinsAny.has(index) && !state.workflow.loops.has(index)
    this.#ways = (flow.incoming[index] ?? []).map((connection) => ({
      connection,
      passage: passageOf(state, connection),
    }))
  }

  decide(): Decision {
    const isLast = this.#state.steps.get(this.#index).blockers === 0
    if (!this.#startsEarly && !isLast) return { to: 'wait' }
    if (isStopping(this.#state) && !this.#finishesOff()) {
      if (!isLast) return { to: 'wait' }
      return this.#isBlocked ? this.#skip('dependency_failed', this.#blocked) : this.#skip('run_failed', [])
    }
    const runsAfterFailure = finalConditions.has(this.#condition)
    if (this.#isBlocked && !runsAfterFailure) return this.#skip('dependency_failed', this.#blocked)
    try {
      this.#judgeExpressions()
      const isReached =
        this.#ways.length === 0 ||
        this.#has('taken') ||
        (isLast && (this.#condition === 'always' || (runsAfterFailure && this.#has('blocked'))))
      if (!isLast && (!isReached || !this.#canBeJudged())) return { to: 'wait' }
      if (!isReached) return this.#skipUnreached()
      if (this.#holds()) return { to: 'run', ...this.#takes() }
      return isLast ? { ...this.#skip('condition_false', []), ...this.#takes() } : { to: 'wait' }
    } catch (error) {
      return { to: 'fail', error: { kind: 'condition', message: messageOf(error) } }
    }
  }

  /** Whether it runs even while the run is stopping. */
  #finishesOff(): boolean {
    if (finalConditions.has(this.#condition)) return true
    return this.#ways.some(({ connection: { from, condition }, passage }) => {
      if (passage === 'taken' && finalConditions.has(condition)) return true
      return (passage === 'taken' || passage === 'judge') && this.#state.steps.get(from).flow.onErrorBranch
    })
  }

  get #blocked(): readonly Way[] {
    return this.#ways.filter(({ passage }) => passage === 'blocked')
  }

  get #isBlocked(): boolean {
    return this.#has('blocked') && !this.#flow.joinsAny.has(this.#index)
  }

  #has(wanted: Passage): boolean {
    return this.#ways.some(({ passage }) => passage === wanted)
  }

  #judgeExpressions(): void {
    this.#ways = this.#ways.map((way) =>
      way.passage === 'judge'
        ? { ...way, passage: this.#judge(way.connection) ? 'taken' : 'not-taken' }
        : way,
    )
  }

  #judge({ from, condition }: Connection): boolean {
    const { output, scoring } = this.#state.steps.get(from)
    const fields = isJsonObject(output) ? output : {}
    const expression = condition as Condition
    return expression.evaluate({ ...fields, ...this.#names(expression), output, scoring: scoring ?? {} })
  }

  /** Whether its own condition speaks of nothing that is still to come. */
  #canBeJudged(): boolean {
    const condition = this.#condition
    if (typeof condition !== 'object') return condition === undefined || condition === 'always'
    const { anyStep, steps } = condition.mentions
    const { indexOf } = this.#state.workflow
    return !anyStep && [...steps].every((id) => isSettled(this.#state.steps.get(indexOf.get(id) as number)))
  }

  #holds(): boolean {
    const condition = this.#condition
    if (condition === undefined) return true
    if (typeof condition !== 'string') return condition.evaluate(this.#names(condition))
    return judgeNamedCondition(
      condition,
      this.#ways.map(({ connection }) => cameBefore(this.#state.steps.get(connection.from))),
    )
  }

  #names({ mentions }: Condition): Readonly<Record<string, unknown>> {
    const { input, runId, workflow } = this.#state
    const named = mentions.anyStep ? undefined : mentions.steps
    return {
      input,
      run: { id: runId, workflowId: workflow.definition.id },
      ...(mentions.names.has('steps') ? { steps: stepViews(this.#state, named) } : {}),
    }
  }

  #skipUnreached(): Decision {
    if (this.#has('blocked')) return this.#skip('dependency_failed', this.#blocked)
    const allSkipped = this.#ways.every(
      ({ connection }) => this.#state.steps.get(connection.from).status === 'skipped',
    )
    return this.#skip(allSkipped ? 'dependency_skipped' : 'no_active_connection', this.#ways)
  }

  #skip(reason: SkipReason, because: readonly Way[]): Decision {
    return { to: 'skip', reason, because: because.map((way) => this.#source(way)) }
  }

  #takes(): Taken {
    const isSaid = this.#flow.isRouted || this.#flow.joinsAny.has(this.#index)
    if (!isSaid || this.#ways.length === 0) return {}
    return {
      takes: this.#ways.filter(({ passage }) => passage === 'taken').map((way) => this.#source(way)),
    }
  }

  #source({ connection }: Way): string {
    return this.#state.workflow.steps[connection.from]?.id as string
  }
}
