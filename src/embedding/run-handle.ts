import { FaultlineError, isFaultlineError, messageOf } from '../core/index.ts'
import type { JsonObject } from '../core/index.ts'
import { createWakeBell, runToEnd } from '../engine/index.ts'
import type { WakeBell } from '../engine/index.ts'
import type { ClockPort, GateDecision, Incarnation, RecoverRequest, TickReport } from '../ports/index.ts'
import type { RunStatus, StateDocument, StepError } from '../trace/index.ts'

/** Where a run has come to when it moves no more. */
export interface RunResult {
  readonly runId: string
  readonly status: Exclude<RunStatus, 'running'>
  readonly state: StateDocument
  readonly error: (StepError & { readonly step: string | null }) | null
}

export interface RunHandle {
  readonly runId: string
  /**
   * How the run ends, or what it stops for (`paused`, `waiting`). Once it was given that, this is how it goes on from there.
   * Rejects when the engine cannot go on, such as on a full disk; one that nobody waits for does no harm.
   */
  readonly result: Promise<RunResult>
  /** As the engine has it, or had it when the run moved last. */
  status(): RunStatus
  /** Ends the run for good. */
  cancel(reason?: string): Promise<void>
  /** Answers the gate of a step that waits for a person. */
  answerGate(step: string, decision: GateDecision | boolean): Promise<void>
  /** Gives the run input that it is paused for. */
  provideInput(input: JsonObject): Promise<void>
}

/** What a handle needs of its engine. */
export interface HandleParts {
  readonly clock: ClockPort
  /** A new life, which rings when something has come for it. */
  born(wake: () => void): Incarnation
  read(runId: string): Promise<StateDocument>
  /** Runs the job now or when its turn has come. */
  schedule(job: () => Promise<void>): void
  /** Called when the run has let go of its life. */
  released(): void
}

/** A run that moves by itself: one life after another, each taken up with what the one before it was waiting for. */
export class MovingRun implements RunHandle {
  readonly #parts: HandleParts
  #bell = createWakeBell()
  #life: Incarnation | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #result: Promise<RunResult> | undefined
  #runId = ''
  #letGoOf = false
  #state: StateDocument | undefined

  constructor(parts: HandleParts) {
    this.#parts = parts
  }

  /** Begins with a first step of its own: a start, or a recovery. */
  async begin(first: (life: Incarnation) => Promise<string>): Promise<this> {
    await this.#live(async (life) => {
      this.#runId = await first(life)
    })
    return this
  }

  get runId(): string {
    return this.#runId
  }

  get result(): Promise<RunResult> {
    return this.#result as Promise<RunResult>
  }

  status(): RunStatus {
    return (this.#state as StateDocument).status
  }

  async cancel(reason = 'cancelled by its handle'): Promise<void> {
    if (this.status() === 'running') return this.#during((life) => life.cancel(reason))
    await this.#result?.catch(() => {})
    try {
      await this.#live(async (life) => void (await life.recover({ runId: this.#runId, cancel: reason })))
    } catch (error) {
      if (!isFaultlineError(error, 'RUN_NOT_RESUMABLE') || error.details['status'] !== 'cancelled')
        throw error
      this.#state = await this.#parts.read(this.#runId)
      this.#result = Promise.resolve(resultOf(this.#state))
    }
  }

  async answerGate(step: string, decision: GateDecision | boolean): Promise<void> {
    const answer = typeof decision === 'boolean' ? { passed: decision } : decision
    if (this.status() === 'running') return this.#during((life) => life.answerGate(step, answer))
    return this.#takeUp({ answers: { [step]: answer } })
  }

  async provideInput(input: JsonObject): Promise<void> {
    return this.#takeUp({ input })
  }

  /** Ends the life between two of its ticks and leaves the run on disk as it is; a run whose turn has not come moves no more. */
  async letGo(): Promise<void> {
    this.#letGoOf = true
    const life = this.#life
    await this.#inTurn(async () => {
      // What ended in the meantime has let go by itself.
      if (life !== undefined && life === this.#life) await this.#release()
    })
    this.#bell.ring()
  }

  /** Does something to a life that moves, between two of its ticks. */
  async #during(act: (life: Incarnation) => unknown): Promise<void> {
    await this.#inTurn(async () => act(this.#held()))
    this.#bell.ring()
  }

  /** Takes the run up in a new life. */
  async #takeUp(request: RecoverRequest): Promise<void> {
    await this.#result?.catch(() => {})
    await this.#live(async (life) => void (await life.recover({ ...request, runId: this.#runId })))
  }

  /** A new life with the run in its hands, which then moves. */
  async #live(begin: (life: Incarnation) => Promise<void>): Promise<void> {
    const bell = createWakeBell()
    this.#bell = bell
    const life = this.#parts.born(() => bell.ring())
    this.#life = life
    try {
      await this.#inTurn(() => begin(life))
    } catch (error) {
      await this.#release()
      throw error
    }
    this.#state = life.state()
    this.#move(life, bell)
  }

  /** Moves the run when its turn comes, until it stops. */
  #move(life: Incarnation, bell: WakeBell): void {
    this.#result = new Promise((resolve, reject) => {
      this.#parts.schedule(async () => {
        try {
          await runToEnd(this.#serial(life), bell, this.#parts.clock)
          resolve(await this.#stopped(life))
        } catch (error) {
          await this.#release()
          reject(error instanceof Error ? error : new Error(messageOf(error)))
        }
      })
    })
    // Whoever does not wait for it is not to hear of it either.
    this.#result.catch(() => {})
  }

  async #stopped(life: Incarnation): Promise<RunResult> {
    this.#state = life.state()
    await this.#release()
    return resultOf(this.#state)
  }

  async #release(): Promise<void> {
    const life = this.#life
    this.#life = undefined
    await Promise.resolve(life?.close()).catch(() => {})
    this.#parts.released()
  }

  /** Calls of a life never overlap: what comes from outside waits for the tick, and the next tick for that. */
  #serial(life: Incarnation): Incarnation {
    return {
      ...life,
      tick: (policy) =>
        this.#inTurn(async (): Promise<TickReport> => {
          if (this.#letGoOf) throw this.#wasLetGo()
          const report = await life.tick(policy)
          this.#state = life.state()
          return report
        }),
    }
  }

  #held(): Incarnation {
    if (this.#life === undefined) throw this.#wasLetGo()
    return this.#life
  }

  #wasLetGo(): FaultlineError {
    return new FaultlineError(
      'RUN_LET_GO',
      `The engine does not hold run '${this.#runId}' any more: it was closed, or could not go on. Resume the run.`,
      { details: { runId: this.#runId } },
    )
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }
}

function resultOf(state: StateDocument): RunResult {
  const { runId, status, error } = state
  return { runId, status: status as RunResult['status'], state, error }
}
