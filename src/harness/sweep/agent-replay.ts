import { createTurn } from '../../adapters/node/index.ts'
import { isPromise } from '../../core/index.ts'
import type { AgentCall, AgentContext, AgentOutput, AgentPort } from '../../ports/index.ts'
import { afterTicks, askWords, deedWords, heardContext, mostTicks, put } from './agent-trace.ts'
import type { AgentTrace, Ask, Deed, Fingerprints } from './agent-trace.ts'

type AskDeed = Extract<Deed, { readonly kind: 'ask' }>

/** One question that was put to the context, with what came of it. */
interface PutAsk {
  readonly deed: AskDeed
  readonly answer:
    { readonly later: Promise<unknown> } | { readonly thrown: boolean; readonly value: unknown }
}

/** What has happened in the place of an agent: it asked, it was answered, it looked at its signal, it was told to stop. */
type Happening = Asked | Answered | Looked | Aborted

interface Asked {
  readonly kind: 'asked'
  readonly index: number
}

interface Answered {
  readonly kind: 'answered'
  readonly index: number
}

interface Looked {
  readonly kind: 'looked'
}

interface Aborted {
  readonly kind: 'aborted'
}

export interface ReplayOptions {
  readonly agents: AgentPort
  readonly fingerprints: Fingerprints
  /** The agent itself is called. */
  readonly onCalled: () => void
  /** The agent does otherwise than it had; in words that end a sentence. */
  readonly onOther: (words: string) => void
}

/**
 * Does in the place of an agent what it has done before, as long as it is answered the same. Once it is not, the agent is called; it is
 * told first what was answered already, and nothing of that is done twice.
 */
export function replayed(call: AgentCall, trace: AgentTrace, options: ReplayOptions): Promise<AgentOutput> {
  return new Promise((resolve, reject) => new Replay(call, trace, options, resolve, reject).goOn())
}

class Replay {
  readonly #call: AgentCall
  readonly #trace: AgentTrace
  readonly #options: ReplayOptions
  readonly #resolve: (output: AgentOutput) => void
  readonly #reject: (error: unknown) => void
  readonly #asks: PutAsk[] = []
  readonly #happened: Happening[] = []
  #place = 0
  /** Since the last answer. */
  #ticks = 0
  #isOver = false
  #follower: Follower | undefined

  constructor(
    call: AgentCall,
    trace: AgentTrace,
    options: ReplayOptions,
    resolve: (output: AgentOutput) => void,
    reject: (error: unknown) => void,
  ) {
    this.#call = call
    this.#trace = trace
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  goOn(): void {
    const entry = this.#trace[this.#place]
    if (entry === undefined || entry.kind === 'answer') return
    const wait = entry.ticks - this.#ticks
    this.#ticks = entry.ticks
    // Whoever waits for the end hears of it a turn later.
    afterTicks(entry.kind === 'end' ? wait - 1 : wait, () => {
      if (this.#isOver) return
      this.#place++
      if (entry.kind === 'ask') this.#ask(entry)
      else if (entry.kind === 'signal') this.#watchSignal()
      else this.#end(entry)
    })
  }

  #end({ thrown, value }: Extract<Deed, { readonly kind: 'end' }>): void {
    this.#isOver = true
    if (thrown) this.#reject(value)
    else this.#resolve(value as AgentOutput)
  }

  #watchSignal(): void {
    this.#happened.push({ kind: 'looked' })
    const { signal } = this.#call.context
    const aborted = (): void => {
      if (this.#isOver && this.#follower === undefined) return
      this.#happened.push({ kind: 'aborted' })
      if (this.#isOver) this.#follower?.goOn()
      else this.#callAgent()
    }
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted, { once: true })
    this.goOn()
  }

  #ask(deed: AskDeed): void {
    const { fingerprints } = this.#options
    const index = this.#asks.length
    this.#happened.push({ kind: 'asked', index })
    const { later, ...now } = this.#put(deed)
    if (later === undefined) {
      this.#asks.push({ deed, answer: now })
      return this.#answered(
        index,
        now.thrown ? fingerprints.ofError(now.value) : fingerprints.of(now.value),
        true,
      )
    }
    this.#asks.push({ deed, answer: { later } })
    later.then(
      (value) => this.#answered(index, fingerprints.of(value)),
      (error: unknown) => this.#answered(index, fingerprints.ofError(error)),
    )
    this.goOn()
  }

  #put({ ask, effect }: AskDeed): { later?: Promise<unknown>; thrown: boolean; value: unknown } {
    const asked = ask.operation === 'effect' ? { ...ask, args: [ask.args[0], () => ended(effect)] } : ask
    try {
      const value = put(this.#call.context, asked)
      return isPromise(value) ? { later: value, thrown: false, value: undefined } : { thrown: false, value }
    } catch (error) {
      return { thrown: true, value: error }
    }
  }

  #answered(index: number, key: string, isAtOnce = false): void {
    if (!isAtOnce) this.#happened.push({ kind: 'answered', index })
    if (this.#follower !== undefined) return this.#follower.goOn()
    if (this.#isOver) return
    const expected = this.#trace[this.#place]
    if (expected?.kind !== 'answer' || expected.to !== index || expected.key !== key) return this.#callAgent()
    this.#place++
    if (!isAtOnce) this.#ticks = 0
    this.goOn()
  }

  #callAgent(): void {
    this.#isOver = true
    const { agents, onCalled } = this.#options
    onCalled()
    const follower = new Follower(this.#call.context, this.#asks, this.#happened, this.#options)
    this.#follower = follower
    const called = agents.invoke({ ...this.#call, context: follower.context })
    const ended = (thrown: boolean, value: unknown): void => follower.ended(thrown, value)
    called.then(
      (output) => ended(false, output),
      (error: unknown) => ended(true, error),
    )
    called.then(this.#resolve, this.#reject)
    follower.goOn()
  }
}

/** What the function of an effect came to, at the time at which it did. */
function ended(effect: AskDeed['effect']): unknown {
  const { value, thrown, ticks } = effect ?? { value: undefined, thrown: false, ticks: undefined }
  const end = (): unknown => {
    if (thrown) throw value
    return structuredClone(value)
  }
  if (ticks === undefined) return end()
  // Whoever waits hears of it two turns later.
  return new Promise<void>((resolve) => afterTicks(ticks - 2, resolve)).then(end)
}

/** Leads an agent that is called now through what has happened in its place; from there on it speaks to its context itself. */
class Follower {
  readonly context: AgentContext
  readonly #inner: AgentContext
  readonly #asks: readonly PutAsk[]
  readonly #happened: readonly Happening[]
  readonly #options: ReplayOptions
  /** By the number of its question, what hands an answer out. */
  readonly #waiting = new Map<number, () => void>()
  readonly #turn = createTurn()
  #asked = 0
  #place = 0
  #goesItsOwnWay = false
  #isAborting = false
  #signal: AbortSignal | undefined
  #abort: AbortController | undefined

  constructor(
    context: AgentContext,
    asks: readonly PutAsk[],
    happened: readonly Happening[],
    options: ReplayOptions,
  ) {
    this.#inner = context
    this.#asks = asks
    this.#happened = happened
    this.#options = options
    this.context = heardContext(context, {
      ask: (ask) => this.#ask(ask),
      signal: () => (this.#signal ??= this.#hasFollowed ? context.signal : this.#laterSignal()),
      goesOutside() {},
    })
  }

  get #hasFollowed(): boolean {
    return this.#place === this.#happened.length && (this.#goesItsOwnWay || this.#asked >= this.#asks.length)
  }

  /** Hands out the answers that have come, in the order in which they came, each once the agent has done what it had done before. */
  goOn(): void {
    for (; this.#place < this.#happened.length; this.#place++) {
      const happened = this.#happened[this.#place] as Happening
      if (happened.kind === 'aborted') return this.#abortInTime()
      if (happened.kind === 'answered') this.#handOut(happened.index)
      else if (!this.#hasDone(happened)) return this.#unlessItStandsStill()
    }
    if (this.#hasFollowed && this.#abort !== undefined && this.#inner.signal.aborted)
      this.#abort.abort(this.#inner.signal.reason)
  }

  /** Once it has had the time to listen. */
  #abortInTime(): void {
    if (this.#isAborting) return
    this.#isAborting = true
    afterTicks(mostTicks, () => {
      this.#abort?.abort(this.#inner.signal.reason)
      this.#place++
      this.goOn()
    })
  }

  ended(thrown: boolean, value: unknown): void {
    const missed = this.#asks[this.#asked]
    if (missed !== undefined)
      this.#otherwise(deedWords({ kind: 'end', ticks: 0, key: '', thrown, value }), missed)
  }

  #ask(ask: Ask): unknown {
    const known = this.#goesItsOwnWay ? undefined : this.#asks[this.#asked++]
    if (known === undefined) return put(this.#inner, ask)
    if (known.deed.key !== this.#options.fingerprints.ofAsk(ask)) {
      this.#otherwise(askWords(ask), known)
      return put(this.#inner, ask)
    }
    const { answer } = known
    if (!('later' in answer)) {
      this.goOn()
      if (answer.thrown) throw answer.value
      return answer.value
    }
    const index = this.#asked - 1
    const answered = new Promise((resolve, reject) =>
      this.#waiting.set(index, () => void answer.later.then(resolve, reject)),
    )
    this.goOn()
    return answered
  }

  #hasDone(happened: Asked | Looked): boolean {
    if (this.#goesItsOwnWay) return true
    return happened.kind === 'looked' ? this.#signal !== undefined : happened.index < this.#asked
  }

  #handOut(index: number): void {
    this.#waiting.get(index)?.()
  }

  #otherwise(did: string, { deed }: PutAsk): void {
    this.#goesItsOwnWay = true
    this.#options.onOther(`${did} where it had ${deedWords(deed)}`)
    this.goOn()
  }

  /** Who does not do what it had done before may wait for an answer that had come later. */
  #unlessItStandsStill(): void {
    const [place, asked] = [this.#place, this.#asked]
    void this.#turn.next().then(() => {
      if (this.#place !== place || this.#asked !== asked) return
      for (const happened of this.#happened.slice(place))
        if (happened.kind === 'answered' && happened.index < asked) this.#handOut(happened.index)
    })
  }

  #laterSignal(): AbortSignal {
    const abort = new AbortController()
    this.#abort = abort
    const { signal } = this.#inner
    if (!signal.aborted) signal.addEventListener('abort', () => abort.abort(signal.reason), { once: true })
    queueMicrotask(() => this.goOn())
    return abort.signal
  }
}
