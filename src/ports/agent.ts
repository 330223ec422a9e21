import type { JsonObject, JsonValue, SeededRandom } from '../core/index.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import type { ProcessCommand, ProcessResult } from './process.ts'

/**
 * Code that performs a step. What it returns is the step's output: a JSON value.
 *
 * @example
 * const reviewer: Agent = async ({ artifacts }) => {
 *   const source = await artifacts.readText('src/app.js')
 *   await artifacts.write('review.md', `${source.length} characters read`)
 *   return { scores: { overall: 80 } }
 * }
 */
export type Agent = (context: AgentContext) => Promise<AgentOutput> | AgentOutput
export type AgentOutput = JsonValue | undefined | void

/** Agents by the name that steps use. */
export type Agents = Readonly<Record<string, Agent>>

export interface AgentContext {
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
  readonly step: string
  readonly agent: string
  readonly action: string | undefined
  readonly visit: number
  readonly attempt: number
  /** Whether the agent is to take back what the step has done (`undo`); it then leaves no artifacts. */
  readonly undoing: boolean
  /** The same over all attempts of a visit, and another for undoing it: hand it to services that deduplicate. */
  readonly idempotencyKey: string
  /** What the run was started with. */
  readonly input: JsonValue
  readonly parameters: JsonObject
  /** What the step declares. */
  readonly requires: readonly string[]
  readonly creates: readonly string[]
  readonly thresholds: Readonly<Record<string, number>>
  /** What the step speaks to, as the workflow describes it under `services`. */
  readonly service: AgentService | undefined
  /** Outputs by step id as they were when the attempt began; not of steps that may run beside this one. */
  readonly outputs: Readonly<Record<string, JsonValue>>
  readonly seed: number | string
  readonly artifacts: ArtifactsContext
  /** Asks other services, under the attempt's signal and no other limit. Network faults act here. */
  readonly http: HttpClient
  /** Runs programs, which end with the attempt and are not left behind by a crash. */
  readonly processes: ProcessRunner
  readonly clock: AgentClock
  /** Seeded by run seed, step, visit: equal in every repetition. */
  readonly random: SeededRandom
  /** Aborts at the attempt's limit, the workflow's limit, or cancellation. */
  readonly signal: AbortSignal
  /**
   * Marks an effect that leaves the workflow (a mail, a payment) and runs it. The ledger of the harness counts such
   * effects by idempotency key and name.
   */
  readonly effect: <T>(name: string, run: (idempotencyKey: string) => Promise<T> | T) => Promise<T>
  readonly log: (message: string) => void
  /** The project's folder on the real disk, or undefined when the disk is simulated. */
  readonly project: { readonly folder: string | undefined }
}

export interface AgentService {
  readonly name: string
  readonly settings: JsonObject
}

export interface HttpClient {
  /** @throws (rejects with) `StepFailure` of kind `connection` or `response`. A status is no failure, whatever it is. */
  readonly request: (request: HttpRequest) => Promise<HttpResponse>
}

export interface ProcessRunner {
  /**
   * Settles when the program and everything that it has started are gone. It begins once its process group is in the log, so that
   * whoever takes the run over after a crash finds it and ends it first.
   */
  readonly run: (command: ProcessCommand) => Promise<ProcessResult>
}

export interface ArtifactsContext {
  /** Stages a file of this step; it appears in the project when the step's artifacts are committed. */
  readonly write: (path: string, data: string | Uint8Array) => Promise<void>
  /**
   * Takes a file of the project, as it stands, for an artifact of this step: for programs that write in place. It is made durable
   * and digested now; a crash before the step has finished leaves the file, and a step that runs again. False when there is none.
   */
  readonly adopt: (path: string) => Promise<boolean>
  /** @throws an error naming the path when there is no such file. */
  readonly read: (path: string) => Promise<Uint8Array>
  readonly readText: (path: string) => Promise<string>
  /** Paths of the project's files below `folder`, sorted; this step's staged files included. */
  readonly list: (folder?: string) => Promise<readonly string[]>
}

export interface AgentClock {
  readonly now: () => number
  /** Rejects with the signal's reason when the attempt is aborted first. `Infinity` sleeps until then. */
  readonly sleep: (ms: number) => Promise<void>
}

/** One call of an agent by the engine. */
export interface AgentCall {
  readonly context: AgentContext
  /** Whether its signal has aborted; asking does not make one. */
  readonly aborted: () => boolean
  /** When the attempt, and the workflow if it is limited, run out of time. */
  readonly attemptDeadline: number
  readonly workflowDeadline: number | undefined
}

export interface AgentPort {
  /** Whether an agent of that name can be called. */
  has(name: string): boolean
  /** Known names, for suggestions. */
  readonly names: readonly string[]
  invoke(call: AgentCall): Promise<AgentOutput>
}
