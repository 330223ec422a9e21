/**
 * Which steps of a workflow run, are skipped or fail: worked out by a plain simulation of one step after another, from what
 * docs/workflows.md says. It imports nothing, so that it cannot be wrong in the same way as the engine.
 */
export interface ModelFlow {
  readonly goesOnAfterFailure: boolean
  readonly steps: readonly ModelStep[]
  readonly edges: readonly ModelEdge[]
}

type Name = 'on_success' | 'on_failure' | 'has_failures' | 'always'
/** A name, or an expression by what it comes to. */
export type ModelCondition = Name | 'true' | 'false' | 'error'

export interface ModelStep {
  readonly condition: ModelCondition | undefined
  readonly joinsAny: boolean
  readonly tolerated: boolean
  readonly retries: number
  /** So many of its calls throw, beginning with the first. */
  readonly failures: number
  readonly findings: boolean
  readonly gate: { readonly target: number; readonly refusals: number; readonly maxLoops: number } | undefined
}

export interface ModelEdge {
  readonly from: number
  readonly to: number
  readonly condition: ModelCondition | undefined
}

export interface ModelOutcome {
  readonly status: 'completed' | 'failed'
  readonly degraded: boolean
  readonly hasFailures: boolean
  /** `completed`, `failed`, `pending` or the reason for which it was skipped. */
  readonly steps: readonly string[]
  readonly taken: readonly string[]
  /** How often each step was called. */
  readonly calls: readonly number[]
}

interface Standing {
  status: 'pending' | 'completed' | 'failed' | 'skipped'
  reason: string
  taken: readonly number[]
  visit: number
  loops: number
  /** Its own failure, or one that it could not have run without, holds back what depends on it. */
  holdsBack: boolean
  sawFailure: boolean
  sawFindings: boolean
  onErrorBranch: boolean
}

const final: readonly unknown[] = ['on_failure', 'has_failures', 'always']

export function predict(flow: ModelFlow): ModelOutcome {
  return new Simulation(flow).run()
}

class Simulation {
  readonly #flow: ModelFlow
  readonly #standings: Standing[]
  readonly #calls: number[]
  readonly #mayFinishOff: boolean

  constructor(flow: ModelFlow) {
    this.#flow = flow
    this.#standings = flow.steps.map(() => ({ ...fresh(), visit: 1, loops: 0 }))
    this.#calls = flow.steps.map(() => 0)
    this.#mayFinishOff = [...flow.steps, ...flow.edges].some(({ condition }) => final.includes(condition))
  }

  run(): ModelOutcome {
    for (;;) {
      const before = this.#standings.filter(({ status }) => status === 'pending').length
      const candidates = this.#flow.steps.flatMap((_, step) => (this.#isCandidate(step) ? [step] : []))
      let ran = false
      for (const step of candidates) {
        if (ran || (this.#failed && !this.#flow.goesOnAfterFailure && !this.#mayFinishOff)) break
        ran = this.#decide(step)
      }
      const after = this.#standings.filter(({ status }) => status === 'pending').length
      if (!ran && before === after) break
    }
    const steps = this.#standings.map(({ status, reason }) => (status === 'skipped' ? reason : status))
    const completed = this.#standings.flatMap(({ status }, step) => (status === 'completed' ? [step] : []))
    return {
      status: this.#failed ? 'failed' : 'completed',
      degraded: this.#standings.some(
        ({ status }, step) => status === 'failed' && this.#flow.steps[step]?.tolerated === true,
      ),
      hasFailures: completed.some((step) => this.#flow.steps[step]?.findings === true),
      steps,
      taken: this.#standings.flatMap(({ taken }, to) => taken.map((from) => `${from}>${to}`)),
      calls: this.#calls,
    }
  }

  get #failed(): boolean {
    return this.#standings.some((_, step) => this.#isHardFailure(step))
  }

  get #isStopping(): boolean {
    return this.#failed && !this.#flow.goesOnAfterFailure
  }

  #at(step: number): Standing {
    return this.#standings[step] as Standing
  }

  #isHardFailure(step: number): boolean {
    return this.#at(step).status === 'failed' && this.#flow.steps[step]?.tolerated !== true
  }

  #hasEnded(step: number): boolean {
    return this.#at(step).status !== 'pending'
  }

  #into(step: number): readonly ModelEdge[] {
    return this.#flow.edges.filter(({ to }) => to === step)
  }

  /** Everything that has to have ended before the step is looked at. */
  #waitsFor(step: number): ReadonlySet<number> {
    const found = new Set(this.#into(step).map(({ from }) => from))
    for (const each of found) for (const gate of this.#gatesOver(each, step)) found.add(gate)
    if (this.#flow.steps[step]?.gate !== undefined)
      for (const member of this.#loopOf(step)) if (member !== step) found.add(member)
    return found
  }

  /** Gates that may still send `from` back and not `to`. */
  #gatesOver(from: number, to: number): readonly number[] {
    return this.#flow.steps.flatMap((_, gated) => {
      const loop = this.#loopOf(gated)
      return gated !== from && loop.has(from) && !loop.has(to) ? [gated] : []
    })
  }

  #loopOf(gated: number): ReadonlySet<number> {
    const gate = this.#flow.steps[gated]?.gate
    if (gate === undefined) return new Set()
    const behind = (step: number): ReadonlySet<number> => {
      const found = new Set([step])
      for (const each of found) for (const edge of this.#into(each)) found.add(edge.from)
      return found
    }
    return new Set([...behind(gated)].filter((step) => behind(step).has(gate.target)))
  }

  #isCandidate(step: number): boolean {
    if (this.#hasEnded(step)) return false
    const needs = [...this.#waitsFor(step)]
    const early = this.#flow.steps[step]?.joinsAny === true
    return (
      needs.every((need) => this.#hasEnded(need)) || (early && needs.some((need) => this.#hasEnded(need)))
    )
  }

  #passage(edge: ModelEdge): 'open' | 'held back' | 'taken' | 'not taken' | 'error' {
    const source = this.#at(edge.from)
    const gates = new Set<number>([edge.from])
    for (const each of gates) for (const gate of this.#gatesOver(each, edge.to)) gates.add(gate)
    gates.delete(edge.from)
    if (!this.#hasEnded(edge.from) || ![...gates].every((gate) => this.#hasEnded(gate))) return 'open'
    if ([...gates].some((gate) => this.#isHardFailure(gate))) return 'held back'
    const isTaken = (taken: boolean): 'taken' | 'not taken' => (taken ? 'taken' : 'not taken')
    const findings = this.#flow.steps[edge.from]?.findings === true
    switch (edge.condition) {
      case 'always':
        return 'taken'
      case 'on_success':
        return isTaken(source.status === 'completed')
      case 'on_failure':
        return isTaken(source.status === 'failed')
      case 'has_failures':
        return isTaken(source.status === 'completed' && findings)
      default:
    }
    if (this.#isHardFailure(edge.from) || source.holdsBack) return 'held back'
    if (source.status === 'skipped') return 'not taken'
    if (edge.condition === undefined) return 'taken'
    if (source.status === 'failed') return 'not taken'
    return edge.condition === 'error' ? 'error' : isTaken(edge.condition === 'true')
  }

  /** True when it has run. */
  #decide(step: number): boolean {
    const { condition, joinsAny, gate } = this.#flow.steps[step] as ModelStep
    const edges = this.#into(step).map((edge) => ({ edge, passage: this.#passage(edge) }))
    const of = (passage: string): boolean => edges.some((each) => each.passage === passage)
    const startsEarly = joinsAny && gate === undefined
    const allEnded = [...this.#waitsFor(step)].every((need) => this.#hasEnded(need))
    if (!startsEarly && !allEnded) return false
    const isHeldBack = of('held back') && !joinsAny
    if (this.#isStopping && !this.#finishesOff(step, edges)) {
      if (allEnded) this.#skip(step, isHeldBack ? 'dependency_failed' : 'run_failed', [])
      return false
    }
    const forgives = final.includes(condition)
    const taken = edges.flatMap(({ edge, passage }) => (passage === 'taken' ? [edge.from] : []))
    if (isHeldBack && !forgives) this.#skip(step, 'dependency_failed', taken)
    else if (of('error')) this.#fail(step, taken)
    else if (edges.length > 0 && !of('taken') && of('open')) return false
    else if (edges.length > 0 && !of('taken') && condition !== 'always' && !(forgives && of('held back')))
      this.#skip(step, this.#whyNotReached(edges), taken)
    else if (condition === 'error') this.#fail(step, taken)
    else if (!this.#holds(step)) this.#skip(step, 'condition_false', taken)
    else return this.#call(step, taken)
    return false
  }

  #finishesOff(
    step: number,
    edges: readonly { readonly edge: ModelEdge; readonly passage: string }[],
  ): boolean {
    if (final.includes(this.#flow.steps[step]?.condition)) return true
    return edges.some(({ edge, passage }) => {
      const isExpression = ['true', 'false', 'error'].includes(edge.condition ?? '')
      const mayLead = passage === 'taken' || (isExpression && ['not taken', 'error'].includes(passage))
      if (passage === 'taken' && final.includes(edge.condition)) return true
      return mayLead && this.#at(edge.from).onErrorBranch && this.#at(edge.from).status === 'completed'
    })
  }

  #whyNotReached(edges: readonly { readonly edge: ModelEdge; readonly passage: string }[]): string {
    if (edges.some(({ passage }) => passage === 'held back')) return 'dependency_failed'
    const allSkipped = edges.every(({ edge }) => this.#at(edge.from).status === 'skipped')
    return allSkipped ? 'dependency_skipped' : 'no_active_connection'
  }

  #holds(step: number): boolean {
    const before = this.#into(step).map(({ from }) => from)
    const anyOf = (holds: (source: Standing, step: number) => boolean): boolean =>
      before.some((source) => holds(this.#at(source), source))
    switch (this.#flow.steps[step]?.condition) {
      case 'on_success':
        return !anyOf(({ status, sawFailure }) => status === 'failed' || sawFailure)
      case 'on_failure':
        return anyOf(({ status, sawFailure }) => status === 'failed' || sawFailure)
      case 'has_failures':
        return anyOf(
          ({ status, sawFindings }, source) =>
            sawFindings || (status === 'completed' && this.#flow.steps[source]?.findings === true),
        )
      case 'false':
        return false
      default:
        return true
    }
  }

  #reach(step: number, taken: readonly number[], isSkipped: boolean): void {
    const standing = this.#at(step)
    const edges = this.#into(step)
    const sources = edges.map(({ from }) => this.#at(from))
    standing.taken = taken
    standing.holdsBack =
      edges.some((edge) => this.#passage(edge) === 'held back') &&
      (isSkipped || this.#flow.steps[step]?.joinsAny !== true)
    standing.sawFailure = sources.some(({ status, sawFailure }) => status === 'failed' || sawFailure)
    standing.sawFindings = edges.some(
      ({ from }) =>
        this.#at(from).sawFindings ||
        (this.#at(from).status === 'completed' && this.#flow.steps[from]?.findings === true),
    )
    standing.onErrorBranch = edges.some(
      ({ from, condition }) =>
        taken.includes(from) && (condition === 'on_failure' || this.#at(from).onErrorBranch),
    )
  }

  #skip(step: number, reason: string, taken: readonly number[]): void {
    const standing = this.#at(step)
    this.#reach(step, taken, true)
    if (reason === 'run_failed') standing.holdsBack = true
    standing.status = 'skipped'
    standing.reason = reason
  }

  #fail(step: number, taken: readonly number[]): void {
    this.#reach(step, taken, false)
    this.#at(step).status = 'failed'
  }

  #call(step: number, taken: readonly number[]): true {
    const { retries, failures, gate } = this.#flow.steps[step] as ModelStep
    const standing = this.#at(step)
    this.#reach(step, taken, false)
    const calls = this.#calls
    let tries = 0
    let isGood = false
    while (!isGood && tries <= retries) {
      calls[step] = (calls[step] as number) + 1
      isGood = calls[step] > failures
      tries++
    }
    if (!isGood) standing.status = 'failed'
    else if (gate === undefined || standing.visit > gate.refusals) standing.status = 'completed'
    else if (standing.loops < gate.maxLoops) this.#sendBack(step)
    else standing.status = 'failed'
    return true
  }

  #sendBack(gated: number): void {
    const loops = this.#at(gated).loops + 1
    for (const member of this.#loopOf(gated))
      this.#standings[member] = { ...fresh(), visit: this.#at(member).visit + 1, loops: 0 }
    this.#at(gated).loops = loops
  }
}

function fresh(): Omit<Standing, 'visit' | 'loops'> {
  return {
    status: 'pending',
    reason: '',
    taken: [],
    holdsBack: false,
    sawFailure: false,
    sawFindings: false,
    onErrorBranch: false,
  }
}
