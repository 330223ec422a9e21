import { seededRandom } from '../../core/index.ts'
import type { SeededRandom } from '../../core/index.ts'
import type { AgentCall, AgentContext, AgentOutput, AgentPort, DigestPort } from '../../ports/index.ts'
import { replayed } from './agent-replay.ts'
import { Fingerprints, firstOtherDeed, sizeOf, TraceRecorder } from './agent-trace.ts'
import type { AgentTrace } from './agent-trace.ts'
import type { AgentCalls } from './report.ts'

/** So many of the calls that are remembered are made all the same. */
const auditOneIn = 20
const mostTraces = 10_000
const mostBytes = 64 * 1024 * 1024

/** An agent that was told the same twice, and did otherwise the second time. */
export interface OtherDeed extends Pick<AgentContext, 'agent' | 'step' | 'visit' | 'attempt'> {
  /** The first thing that it did otherwise, in words that end a sentence. */
  readonly did: string
}

export interface AgentMemoryOptions {
  readonly agents: AgentPort
  readonly digest: DigestPort
  readonly seed: number | string
  readonly most?: { readonly traces: number; readonly bytes: number }
}

/**
 * Agents that are not called again for what they have been told before: what they asked of their context is asked again in their
 * place, and what they answered is given. One call in twenty is made all the same, and held against what is remembered.
 *
 * A call is known by all that it is told (`AgentContext` as plain data). Not remembered is one that asked for requests or programs,
 * that was aborted or had no end, or whose answer, or that of an effect of its, is no plain data.
 */
export class AgentMemory {
  readonly port: AgentPort
  readonly #options: AgentMemoryOptions
  readonly #fingerprints: Fingerprints
  readonly #random: SeededRandom
  readonly #traces = new Map<
    string,
    { readonly agent: string; readonly trace: AgentTrace; readonly bytes: number }
  >()
  readonly #unreliable = new Set<string>()
  #isLearning = false
  #otherDeeds: OtherDeed[] = []
  #bytes = 0
  #made = 0
  #remembered = 0
  #audited = 0

  constructor(options: AgentMemoryOptions) {
    this.#options = options
    this.#fingerprints = new Fingerprints(options.digest)
    this.#random = seededRandom(options.seed).fork('agent audits')
    const { agents } = options
    this.port = {
      has: (name) => agents.has(name),
      names: agents.names,
      invoke: (call) => this.#invoke(call),
    }
  }

  get calls(): AgentCalls {
    return { made: this.#made, remembered: this.#remembered, audited: this.#audited }
  }

  /** Whether every call is made, and only looked at. */
  learn(isLearning: boolean): void {
    this.#isLearning = isLearning
  }

  /** Those that were noticed since this was asked last. */
  takeOtherDeeds(): readonly OtherDeed[] {
    const taken = this.#otherDeeds
    this.#otherDeeds = []
    return taken
  }

  #invoke(call: AgentCall): Promise<AgentOutput> {
    const { agents } = this.#options
    const { agent, project } = call.context
    if (this.#unreliable.has(agent) || project.folder !== undefined) {
      this.#made++
      return agents.invoke(call)
    }
    const key = this.#fingerprints.of(toldTo(call.context))
    const known = this.#traces.get(key)?.trace
    if (known === undefined || this.#isLearning) return this.#observed(call, key)
    if (this.#random.integer(auditOneIn) === 0) {
      this.#audited++
      return this.#observed(call, key)
    }
    this.#remembered++
    return replayed(call, known, {
      agents,
      fingerprints: this.#fingerprints,
      onCalled: () => {
        this.#remembered--
        this.#made++
      },
      onOther: (did) => this.#noteOther(call.context, did),
    })
  }

  #observed(call: AgentCall, key: string): Promise<AgentOutput> {
    this.#made++
    const recorder = new TraceRecorder(call, this.#fingerprints)
    const answered = this.#options.agents.invoke({ ...call, context: recorder.context })
    const ended = (thrown: boolean, value: unknown): void => {
      recorder.ended(thrown, value)
      if (!call.aborted()) this.#learn(call.context, key, recorder)
    }
    answered.then(
      (output) => ended(false, output),
      (error: unknown) => ended(true, error),
    )
    return answered
  }

  #learn(context: AgentContext, key: string, { trace, isRepeatable }: TraceRecorder): void {
    if (this.#unreliable.has(context.agent)) return
    const known = this.#traces.get(key)
    if (known === undefined) {
      if (isRepeatable) this.#keep(key, context.agent, trace)
      return
    }
    const did = firstOtherDeed(known.trace, trace)
    if (did === undefined) return
    // Two runs without faults are compared by what they come to, and that alone.
    if (this.#isLearning) this.#forget(context.agent)
    else this.#noteOther(context, did)
  }

  #keep(key: string, agent: string, trace: AgentTrace): void {
    const { traces, bytes: allowed } = this.#options.most ?? { traces: mostTraces, bytes: mostBytes }
    const bytes = sizeOf(trace)
    if (this.#traces.size >= traces || this.#bytes + bytes > allowed) return
    this.#traces.set(key, { agent, trace, bytes })
    this.#bytes += bytes
  }

  #noteOther({ agent, step, visit, attempt }: AgentContext, did: string): void {
    if (!this.#unreliable.has(agent)) this.#otherDeeds.push({ agent, step, visit, attempt, did })
    this.#forget(agent)
  }

  /** It is called as it is from now on. */
  #forget(agent: string): void {
    this.#unreliable.add(agent)
    for (const [key, known] of this.#traces) {
      if (known.agent !== agent) continue
      this.#bytes -= known.bytes
      this.#traces.delete(key)
    }
  }
}

/** All that an agent is told without asking. */
function toldTo(context: AgentContext): unknown {
  const { workflowId, runId, correlationId, step, agent, action, visit, attempt, undoing, seed } = context
  const { idempotencyKey, input, parameters, requires, creates, thresholds, service, outputs } = context
  return [
    [workflowId, runId, correlationId, step, agent, action, visit, attempt, undoing, seed],
    [idempotencyKey, input, parameters, requires, creates, thresholds, service, outputs],
  ]
}
