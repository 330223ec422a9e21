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
  /** What has to have ended before a step: what leads to it, and gates that may still send that back. */
  readonly #needs: readonly Set<number>[]
  /** By gated step: what its gate sends back. */
  readonly #loops = new Map<number, ReadonlySet<number>>()

  constructor(flow: ModelFlow) {
    this.#flow = flow
    this.#standings = flow.steps.map(() => ({ ...fresh(), visit: 1, loops: 0 }))
    this.#calls = flow.steps.map(() => 0)
    this.#needs = flow.steps.map((_, step) => new Set(this.#into(step).map(({ from }) => from)))
    this.#planLoops()
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

  /** Waiting for a gate can put a step into the loop of another gate: this goes on until nothing is added. */
  #planLoops(): void {
    for (let added = true; added;) {
      added = false
      for (const [gated, { gate }] of this.#flow.steps.entries()) {
        if (gate === undefined) continue
        const loop = new Set([...this.#behind(gated)].filter((step) => this.#behind(step).has(gate.target)))
        this.#loops.set(gated, loop)
        const startsEarly = [...loop].some((step) => this.#flow.steps[step]?.joinsAny)
        for (const [step, needs] of this.#needs.entries()) {
          const isLedOut = !loop.has(step) && [...needs].some((need) => loop.has(need))
          const size = needs.size
          if (isLedOut) needs.add(gated)
          if (step === gated && startsEarly)
            for (const member of loop) if (member !== gated) needs.add(member)
          added ||= needs.size > size
        }
      }
    }
  }

  #behind(step: number): ReadonlySet<number> {
    const found = new Set([step])
    for (const each of found) for (const need of this.#needs[each] ?? []) found.add(need)
    return found
  }

  /** Gates that may still send `from`, or one of each other, back and not `to`. */
  #gatesOver(from: number, to: number): readonly number[] {
    const found = new Set([from])
    for (const step of found)
      for (const [gated, loop] of this.#loops) if (loop.has(step) && !loop.has(to)) found.add(gated)
    found.delete(from)
    return [...found]
  }

  #isCandidate(step: number): boolean {
    if (this.#hasEnded(step)) return false
    const needs = [...(this.#needs[step] ?? [])]
    const early = this.#flow.steps[step]?.joinsAny === true
    return (
      needs.every((need) => this.#hasEnded(need)) || (early && needs.some((need) => this.#hasEnded(need)))
    )
  }

  #passage(edge: ModelEdge): 'open' | 'held back' | 'taken' | 'not taken' | 'error' {
    const source = this.#at(edge.from)
    const gates = this.#gatesOver(edge.from, edge.to)
    if (![edge.from, ...gates].every((step) => this.#hasEnded(step))) return 'open'
    if (gates.some((gate) => this.#isHardFailure(gate))) return 'held back'
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
    const allEnded = [...(this.#needs[step] ?? [])].every((need) => this.#hasEnded(need))
    if (!startsEarly && !allEnded) return false
    const isHeldBack = of('held back') && !joinsAny
    if (this.#isStopping && !this.#finishesOff(step, edges)) {
      if (allEnded) this.#skip(step, isHeldBack ? 'dependency_failed' : 'run_failed', [])
      return false
    }
    const forgives = final.includes(condition)
    const taken = edges.flatMap(({ edge, passage }) => (passage === 'taken' ? [edge.from] : []))
    const isNamed = condition !== undefined && !['true', 'false', 'error', 'always'].includes(condition)
    if (isHeldBack && !forgives) this.#skip(step, 'dependency_failed', [])
    else if (of('error')) this.#fail(step)
    else if (!allEnded && ((edges.length > 0 && !of('taken')) || isNamed)) return false
    else if (edges.length > 0 && !of('taken') && condition !== 'always' && !(forgives && of('held back')))
      this.#skip(step, this.#whyNotReached(edges), [])
    else if (condition === 'error') this.#fail(step)
    else if (this.#holds(step)) return this.#call(step, taken)
    else if (allEnded) this.#skip(step, 'condition_false', taken)
    return false
  }

  #finishesOff(
    step: number,
    edges: readonly { readonly edge: ModelEdge; readonly passage: string }[],
  ): boolean {
    if (final.includes(this.#flow.steps[step]?.condition)) return true
    return edges.some(({ edge, passage }) => {
      const isExpression = ['true', 'false', 'error'].includes(edge.condition ?? '')
      const isJudged = isExpression && this.#at(edge.from).status === 'completed'
      const mayLead = passage === 'taken' || (isJudged && ['not taken', 'error'].includes(passage))
      if (passage === 'taken' && final.includes(edge.condition)) return true
      return mayLead && this.#at(edge.from).onErrorBranch
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

  #fail(step: number): void {
    this.#reach(step, [], false)
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
    else if (standing.loops < gate.maxLoops && !this.#isStopping) this.#sendBack(step)
    else standing.status = 'failed'
    return true
  }

  #sendBack(gated: number): void {
    const loops = this.#at(gated).loops + 1
    for (const member of this.#loops.get(gated) ?? [])
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
