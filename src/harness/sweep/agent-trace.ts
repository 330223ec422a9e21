import { canonicalJson, deepFreeze, isPromise, messageOf } from '../../core/index.ts'
import type { AgentCall, AgentContext, DigestPort } from '../../ports/index.ts'

/** What an agent asks of its context, by the name that it has there. */
export interface Ask {
  readonly operation: Operation
  readonly args: readonly unknown[]
}

type Operation =
  `artifacts.${keyof AgentContext['artifacts']}` | `clock.${keyof AgentContext['clock']}` | 'effect' | 'log'

/** How the function of an effect has ended, and how many turns of the microtask queue after it was called. */
export interface EffectEnd {
  readonly value: unknown
  readonly thrown: boolean
  /** Undefined: before it returned. */
  readonly ticks: number | undefined
}

/** What an agent does by itself, and how many turns of the microtask queue after the last answer. */
export type Deed = { readonly ticks: number } & (
  | { readonly kind: 'ask'; readonly ask: Ask; readonly key: string; effect?: EffectEnd }
  /** It looks at its signal for the first time. */
  | { readonly kind: 'signal'; readonly key: 'signal' }
  | { readonly kind: 'end'; readonly key: string; readonly thrown: boolean; readonly value: unknown }
)

/** What it is told: the answer to one of its questions, as a fingerprint. */
export interface Answer {
  readonly kind: 'answer'
  readonly to: number
  readonly key: string
}

/** All that an agent has done in one call and was told, in order; the last entry is how it ended. */
export type AgentTrace = readonly (Deed | Answer)[]

/** Beyond this many an agent has waited for something outside. */
export const mostTicks = 200

/** Counts turns of the microtask queue. */
class Ticks {
  #round = 0
  count = 0

  restart(): void {
    const round = ++this.#round
    this.count = 0
    const next = (): void => {
      if (round !== this.#round) return
      if (++this.count < mostTicks) queueMicrotask(next)
    }
    queueMicrotask(next)
  }

  stop(): void {
    this.#round++
  }
}

export function afterTicks(ticks: number, work: () => void): void {
  if (ticks <= 0) work()
  else queueMicrotask(() => afterTicks(ticks - 1, work))
}

/** Names values so that equal ones have equal names. */
export class Fingerprints {
  readonly #digest: DigestPort

  constructor(digest: DigestPort) {
    this.#digest = digest
  }

  of(value: unknown): string {
    if (value instanceof Uint8Array) return `bytes ${this.#digest.sha256(value)}`
    if (typeof value === 'number' || value === undefined) return String(value)
    if (typeof value === 'string' && value.length > longestName) return `text ${this.#digest.sha256(value)}`
    const text = canonicalJson(value)
    return text.length <= 2 * longestName ? text : `json ${this.#digest.sha256(text)}`
  }

  ofError(error: unknown): string {
    return `threw ${error instanceof Error ? error.name : typeof error} ${messageOf(error)}`
  }

  ofAsk({ operation, args }: Ask): string {
    return [operation, ...args.map((arg) => (typeof arg === 'function' ? '' : this.of(arg)))].join(' ')
  }
}

const longestName = 64

/** Hears all that an agent asks of its context. */
export interface ContextListener {
  ask(ask: Ask): unknown
  signal(): AbortSignal
  /** It takes something that cannot be asked again in its place: requests, programs. */
  goesOutside(): void
}

/** The context with all that can be asked of it led past a listener. */
export function heardContext(context: AgentContext, listener: ContextListener): AgentContext {
  const asking =
    (operation: Operation) =>
    (...args: readonly unknown[]): unknown =>
      listener.ask({ operation, args })
  const outside = (port: 'http' | 'processes'): PropertyDescriptor => ({
    get() {
      listener.goesOutside()
      return context[port]
    },
  })
  const artifacts = Object.fromEntries(
    (['write', 'adopt', 'read', 'readText', 'list'] as const).map((name) => [
      name,
      asking(`artifacts.${name}`),
    ]),
  )
  const clock = { now: asking('clock.now'), sleep: asking('clock.sleep') }
  return Object.defineProperties(Object.create(Object.getPrototypeOf(context) as object), {
    ...Object.getOwnPropertyDescriptors(context),
    artifacts: { value: artifacts },
    clock: { value: clock },
    effect: { value: asking('effect') },
    log: { value: asking('log') },
    signal: { get: () => listener.signal() },
    http: outside('http'),
    processes: outside('processes'),
  }) as AgentContext
}

/** Asks the context itself. */
export function put(context: AgentContext, { operation, args }: Ask): unknown {
  const [port, method] = operation.split('.') as [keyof AgentContext, string | undefined]
  const holder = context[port] as unknown
  const asked = method === undefined ? holder : (holder as Record<string, unknown>)[method]
  return (asked as (...args: readonly unknown[]) => unknown)(...args)
}

/** Writes down what an agent does while it is called. */
export class TraceRecorder {
  readonly context: AgentContext
  /** Whether the call can be made again without the agent. */
  isRepeatable = true
  readonly #trace: (Deed | Answer)[] = []
  readonly #fingerprints: Fingerprints
  readonly #ticks = new Ticks()
  readonly #inner: AgentContext
  #asked = 0
  #openEffects = 0
  #hasSeenSignal = false

  constructor({ context }: AgentCall, fingerprints: Fingerprints) {
    this.#inner = context
    this.#fingerprints = fingerprints
    this.context = heardContext(context, {
      ask: (ask) => this.#ask(ask),
      signal: () => this.#signal(),
      goesOutside: () => (this.isRepeatable = false),
    })
    this.#ticks.restart()
  }

  get trace(): AgentTrace {
    return this.#trace
  }

  ended(thrown: boolean, value: unknown): void {
    const key = thrown
      ? this.#fingerprints.ofError(value)
      : `answered ${this.#fingerprints.of(plainly(value))}`
    if (!thrown && !isPlain(value)) this.isRepeatable = false
    const kept = thrown || !this.isRepeatable ? value : deepFreeze(structuredClone(value))
    this.#trace.push({ kind: 'end', ticks: this.#ticks.count, thrown, value: kept, key })
    this.#ticks.stop()
  }

  #ask(ask: Ask): unknown {
    // It is not run again, and so is nothing that it asks.
    if (this.#openEffects > 0) this.isRepeatable = false
    const to = this.#asked++
    const deed: Deed = {
      kind: 'ask',
      ticks: this.#ticks.count,
      ask: { ...ask, args: ask.args.map(kept) },
      key: this.#fingerprints.ofAsk(ask),
    }
    this.#trace.push(deed)
    let answer: unknown
    try {
      answer = put(this.#inner, ask.operation === 'effect' ? this.#heardEffect(ask, deed) : ask)
    } catch (error) {
      this.#trace.push({ kind: 'answer', to, key: this.#fingerprints.ofError(error) })
      throw error
    }
    if (isPromise(answer)) {
      answer.then(
        (value) => this.#answered(to, this.#fingerprints.of(plainly(value))),
        (error: unknown) => this.#answered(to, this.#fingerprints.ofError(error)),
      )
    } else this.#trace.push({ kind: 'answer', to, key: this.#fingerprints.of(answer) })
    return answer
  }

  #answered(to: number, key: string): void {
    this.#trace.push({ kind: 'answer', to, key })
    this.#ticks.restart()
  }

  #heardEffect({ operation, args: [name, run] }: Ask, deed: { effect?: EffectEnd }): Ask {
    const ended = (thrown: boolean, value: unknown, ticks: number | undefined): void => {
      this.#openEffects--
      if (!thrown && !isPlain(value)) this.isRepeatable = false
      else deed.effect = { thrown, ticks, value: thrown ? value : structuredClone(value) }
    }
    const heard = (idempotencyKey: string): unknown => {
      this.#openEffects++
      const ticks = new Ticks()
      ticks.restart()
      let value: unknown
      try {
        value = (run as (idempotencyKey: string) => unknown)(idempotencyKey)
      } catch (error) {
        ended(true, error, undefined)
        throw error
      }
      if (isPromise(value)) {
        value.then(
          (result) => ended(false, result, ticks.count),
          (error: unknown) => ended(true, error, ticks.count),
        )
      } else ended(false, value, undefined)
      return value
    }
    return { operation, args: [name, heard] }
  }

  #signal(): AbortSignal {
    if (!this.#hasSeenSignal) {
      this.#hasSeenSignal = true
      this.#trace.push({ kind: 'signal', key: 'signal', ticks: this.#ticks.count })
    }
    return this.#inner.signal
  }
}

/** An agent may write to its bytes once more; the function of an effect is not called again. */
function kept(arg: unknown): unknown {
  if (typeof arg === 'function') return undefined
  return arg instanceof Uint8Array ? arg.slice() : arg
}

/**
 * The first thing that an agent did otherwise the second time, in words that end a sentence; undefined as long as it did the same, or
 * was told otherwise, or at another time.
 */
export function firstOtherDeed(first: AgentTrace, second: AgentTrace): string | undefined {
  for (const [place, before] of first.entries()) {
    const after = second[place]
    if (after === undefined) return undefined
    if (before.kind === 'answer' || after.kind === 'answer') {
      if (!isSameAnswer(before, after)) return undefined
    } else if (before.key !== after.key) return `${deedWords(after)} where it had ${deedWords(before)}`
  }
  return undefined
}

function isSameAnswer(one: Deed | Answer, other: Deed | Answer): boolean {
  return one.kind === 'answer' && other.kind === 'answer' && one.to === other.to && one.key === other.key
}

/** About how many bytes a trace holds. */
export function sizeOf(trace: AgentTrace): number {
  return trace.reduce((sum, entry) => {
    const values =
      entry.kind === 'ask' ? [...entry.ask.args, entry.effect] : entry.kind === 'end' ? [entry.value] : []
    return sum + bytesPerEntry + values.map(bytesIn).reduce((bytes, more) => bytes + more, 0)
  }, 0)
}

const bytesPerEntry = 300

function bytesIn(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  return canonicalJson(value).length
}

export function deedWords(deed: Deed): string {
  if (deed.kind === 'ask') return askWords(deed.ask)
  if (deed.kind === 'signal') return 'looked at its signal'
  return deed.thrown
    ? `failed with ${shown(messageOf(deed.value))}`
    : `answered ${shown(plainly(deed.value))}`
}

export function askWords({ operation, args }: Ask): string {
  const told = args.filter((arg) => arg !== undefined && typeof arg !== 'function')
  return `called ${operation}(${told.map(shown).join(', ')})`
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'number' || value === undefined) return String(value)
  const text = canonicalJson(value)
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}...`
}

const longestShown = 60

/** What can be told apart of a value: what is no data is not. */
function plainly(value: unknown): unknown {
  return isPlain(value) || value instanceof Uint8Array ? value : 'no plain data'
}

const deepestData = 100

function isPlain(value: unknown, depth = 0): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return ['string', 'number', 'boolean'].includes(typeof value)
  if (depth > deepestData) return false
  const prototype = Object.getPrototypeOf(value) as unknown
  const isData = Array.isArray(value) || prototype === Object.prototype || prototype === null
  return isData && Object.values(value).every((member) => isPlain(member, depth + 1))
}
