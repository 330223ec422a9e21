import type { JsonObject, JsonValue } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import type { GateDecision, RecoverRequest, RunView, TickPolicy, TickReport } from '../ports/index.ts'
import { timelineOf } from '../trace/index.ts'
import type {
  DiskAtCrash,
  LogEntry,
  RecordedFile,
  SessionRecording,
  StateDocument,
  StepError,
  TimelineRow,
  WorkflowEvent,
  WorkflowSnapshot,
} from '../trace/index.ts'
import type {
  CrashOptions,
  Project,
  ResumeOptions,
  RunOutcome,
  SessionFaults,
  StepExecution,
  WorkflowSession,
  WorldEffect,
} from './contract.ts'
import { bornLife } from './engine-life.ts'
import type { EngineLife, SessionWorld } from './engine-life.ts'
import { earlierArtifacts, originalFiles } from './artifact-history.ts'
import { executionsOf } from './executions.ts'
import { assertAlive, assertStep, assertUsable, misuse } from './misuse.ts'
import type { SessionStanding } from './misuse.ts'
import { observerOf } from './project.ts'
import { judgeSchedule } from './schedule/scheduler.ts'
import type { SessionDisk } from './session-disk.ts'
import { SnapshotAlbum, snapshotOf } from './snapshots.ts'

export interface SessionStart {
  readonly world: SessionWorld
  readonly project: Project
  readonly definition: WorkflowDefinition
  readonly input: JsonValue
  readonly seed: number | string
  readonly correlationId: string
  readonly plan: FaultPlan
  readonly logs: readonly LogEntry[]
  readonly clock: 'virtual' | 'real'
  readonly disk: 'folder' | 'simulated'
  /**
   * The workflow as its file has it now; undefined when there is no file any more. To go on under it, it must be there, and fit
   * the agents and the project.
   */
  readonly presentDefinition: (goOnUnderIt: boolean) => Promise<WorkflowDefinition | undefined>
  /** Reads a file that the run produced, from the disk that the run works on. */
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>
  readonly sessionDisk: SessionDisk
  readonly release: () => Promise<void>
}

const open: TickPolicy = { holds: new Set(), stopsAfter: () => false, maxResults: Infinity }

/** A run under the hand of a test: one engine life at a time, moved step by step, crashed, resumed, looked at. */
export class Session implements WorkflowSession {
  readonly correlationId: string
  readonly seed: number | string
  readonly project: Project
  readonly #start: SessionStart
  readonly #album = new SnapshotAlbum()
  #life: EngineLife
  #incarnation = 1
  #runId = ''
  #view: RunView | undefined
  #lastOutcome: RunOutcome | null = null
  #moving = false
  /** The moving call that is under way. */
  #going: Promise<RunOutcome> | undefined
  /** What the run is to be cancelled for as soon as the engine can be asked. */
  #cancelFor: string | undefined
  #crashed = false
  #held = true
  #judged = false
  #closed = false
  readonly #afterDeath: (readonly string[])[] = []
  readonly #crashes: DiskAtCrash[] = []

  constructor(start: SessionStart) {
    this.#start = start
    this.correlationId = start.correlationId
    this.seed = start.seed
    this.project = start.project
    this.#life = bornLife(start.world, 1)
  }

  /** Persists the beginning of the run. */
  async begin(launch: JsonObject): Promise<void> {
    const { definition, input, seed, correlationId } = this.#start
    this.#runId = await this.#life.incarnation.start({ definition, input, seed, correlationId, launch })
    await this.#look()
  }

  /** Takes over a run that another process has left. */
  async adopt(request: RecoverRequest & { readonly runId: string }): Promise<void> {
    this.#runId = request.runId
    await this.#recover(request)
  }

  get runId(): string {
    return this.#runId
  }

  get incarnation(): number {
    return this.#incarnation
  }

  get lastOutcome(): RunOutcome | null {
    return this.#lastOutcome
  }

  get snapshots(): SessionRecording['snapshots'] {
    return this.#album.snapshots
  }

  get faults(): SessionFaults {
    const { faults } = this.#start.world
    return {
      fired: faults.uses
        .filter(({ keys }) => keys.length > 0)
        .map(({ fault, keys }) => ({ fault, keys: [...keys] })),
      unused: faults.uses.filter(({ keys }) => keys.length === 0).map(({ fault }) => fault),
      resolved: faults.resolved(),
    }
  }

  get world(): readonly WorldEffect[] {
    return this.#start.world.world.effects()
  }

  get logs(): readonly LogEntry[] {
    return [...this.#start.logs]
  }

  get afterDeath(): readonly string[] {
    return this.#afterDeath.flat()
  }

  next(): Promise<RunOutcome> {
    let boundary: string | undefined
    return this.#move(
      {
        holds: new Set(),
        stopsAfter(event) {
          if (!isBoundary(event)) return false
          boundary = event.step
          return true
        },
        maxResults: 1,
      },
      () => (boundary === undefined ? undefined : { status: 'stopped', step: boundary }),
    )
  }

  async runUntil(step: string | { readonly before: string }): Promise<RunOutcome> {
    const target = typeof step === 'string' ? step : step.before
    assertStep(this.state().definition, target)
    if (typeof step === 'string') {
      let reached = false
      return this.#move(
        {
          ...open,
          stopsAfter: (event) => (reached ||= event.kind === 'step_finish' && event.step === target),
        },
        () => (reached ? { status: 'stopped', step: target } : undefined),
      )
    }
    return this.#move({ ...open, holds: new Set([target]) }, (report) =>
      report.held.includes(target) ? { status: 'stopped', step: target } : undefined,
    )
  }

  runToEnd(): Promise<RunOutcome> {
    return this.#move(open, () => undefined)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunOutcome> {
    for (;;) {
      const outcome = await this.next()
      yield outcome
      if (outcome.status !== 'stopped') return
    }
  }

  async resume(options: ResumeOptions = {}): Promise<RunOutcome> {
    return this.#takeUp(options)
  }

  async #takeUp(options: Omit<RecoverRequest, 'runId' | 'expects'>): Promise<RunOutcome> {
    assertUsable(this.#standing, 'resume')
    const status = this.#view?.state.status
    if (!this.#crashed && this.#held && status === 'running') {
      throw misuse(`Run '${this.runId}' is still going: run it to its end, or crash() it, before resume().`)
    }
    this.#moving = true
    try {
      const expects = await this.#start.presentDefinition(options.definition === 'current')
      await this.#endLife()
      this.#incarnation++
      this.#life = bornLife(this.#start.world, this.#incarnation)
      this.#crashed = false
      this.#held = false
      const first = await this.#recover({
        runId: this.runId,
        ...(expects === undefined ? {} : { expects }),
        ...options,
      })
      this.#held = true
      return this.#conclude({ status: 'stopped', ...(first === undefined ? {} : { step: first }) })
    } finally {
      this.#moving = false
    }
  }

  async crash({ disk = 'kill' }: CrashOptions = {}): Promise<RunOutcome> {
    // A life that dies while it takes the run over, or after it was refused the run, dies as any other.
    const standing = this.#standing
    const isOver = standing.status === 'completed' || standing.status === 'cancelled'
    assertAlive(standing.held || isOver ? standing : { ...standing, held: true, status: 'running' }, 'crash')
    const inFlight = this.#view?.state.currentSteps[0]
    await this.#life.fence.drop()
    this.#afterDeath.push(this.#life.fence.afterDeath)
    this.#crashed = true
    const loss = await this.#start.sessionDisk.crash(disk)
    const { state } = await this.#look()
    const crash = { incarnation: this.#incarnation, seq: state.seq, ...loss }
    this.#crashes.push(crash)
    observerOf(this.project)?.crashed(this.runId, crash)
    return this.#conclude({ status: 'crashed', ...(inFlight === undefined ? {} : { step: inFlight }) })
  }

  async cancel(reason = 'cancelled by the session'): Promise<RunOutcome> {
    if (this.#going !== undefined) {
      this.#cancelFor = reason
      this.#life.wake()
      const outcome = await this.#going
      // The move may have stopped of itself before the engine could be asked.
      return outcome.status === 'stopped' ? this.cancel(reason) : outcome
    }
    if (this.#isLetGo) await this.#takeUp({})
    assertAlive(this.#standing, 'cancel')
    await this.#life.incarnation.cancel(reason)
    await this.#look()
    return this.state().status === 'running' ? this.runToEnd() : this.#conclude(this.#terminalOutcome())
  }

  state(): StateDocument {
    return this.#seen().state
  }

  events(): readonly WorkflowEvent[] {
    return this.#seen().events
  }

  timeline(): readonly TimelineRow[] {
    return timelineOf(this.events())
  }

  async executions(step?: string): Promise<readonly StepExecution[]> {
    if (step !== undefined) assertStep(this.state().definition, step)
    await this.#look()
    return executionsOf(this.events(), step)
  }

  async advance(ms: number): Promise<void> {
    const { virtualClock } = this.#start.world
    if (virtualClock === undefined)
      throw misuse(`advance() needs the virtual clock, and this session runs on the real one.`)
    virtualClock.advanceTo(virtualClock.now() + ms)
    await this.#start.world.turn.next()
  }

  async answerGate(step: string, decision: GateDecision | boolean): Promise<void> {
    const answer = typeof decision === 'boolean' ? { passed: decision } : decision
    if (this.#isLetGo) {
      await this.#takeUp({ answers: { [step]: answer } })
    } else if (this.#view?.state.steps[step]?.status === 'waiting') {
      assertAlive(this.#standing, 'answer a gate')
      await this.#life.incarnation.answerGate(step, answer)
      await this.#look()
    } else {
      this.#start.world.gates.answer(step, answer)
      await this.#start.world.turn.next()
    }
  }

  async provideInput(input: JsonObject): Promise<void> {
    if (this.#view?.state.status !== 'paused')
      throw misuse(`Run '${this.runId}' is not paused for want of input.`)
    await this.#takeUp({ input })
  }

  async edit(path: string, data: string | Uint8Array): Promise<void> {
    assertAlive(this.#standing, 'edit')
    await this.#life.incarnation.edit(path, typeof data === 'string' ? new TextEncoder().encode(data) : data)
    await this.#look()
  }

  async capture(label = 'captured'): Promise<WorkflowSnapshot> {
    return snapshotOf(await this.#look(), label)
  }

  /** Every content that a file was given, oldest first. */
  contents(path: string): readonly Uint8Array[] {
    return this.#start.sessionDisk.contents(path)
  }

  async recording(): Promise<SessionRecording> {
    const view = await this.#look()
    const { input, seed, correlationId, plan, clock, disk, readFile, sessionDisk } = this.#start
    const artifacts: RecordedFile[] = []
    for (const { path } of view.state.artifacts) {
      const bytes = await readFile(path)
      if (bytes !== undefined) artifacts.push({ path, bytes })
    }
    const paths = view.state.artifacts.map(({ path }) => path)
    return {
      runId: this.runId,
      correlationId,
      seed,
      clock,
      disk,
      definition: view.state.definition,
      input,
      launch: view.state.launch,
      events: view.events,
      snapshots: this.snapshots,
      logs: this.logs,
      plan,
      resolvedPlan: this.faults.resolved,
      artifacts,
      earlierArtifacts: earlierArtifacts(view.events, sessionDisk),
      originals: originalFiles(this.project, paths, sessionDisk),
      crashes: [...this.#crashes],
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#endLife()
    await this.#start.release()
    if (!this.#judged) this.#judge()
  }

  /** Ticks with a policy until the run has ended or `reached` finds the place to stop. */
  async #move(
    policy: TickPolicy,
    reached: (report: TickReport) => RunOutcome | undefined,
  ): Promise<RunOutcome> {
    assertAlive(this.#standing, 'go on')
    this.#moving = true
    this.#going = this.#go(policy, reached)
    return this.#going
  }

  async #go(
    policy: TickPolicy,
    reached: (report: TickReport) => RunOutcome | undefined,
  ): Promise<RunOutcome> {
    try {
      const outcome = await this.#life.move(policy, async (report, idle) => {
        await this.#photograph(report)
        if (report.status === 'running' && (await this.#cancelNow())) return this.#terminalOutcome()
        if (report.status !== 'running') return this.#terminalOutcome()
        const stop = reached(report)
        if (stop !== undefined) return stop
        const gate = idle ? this.#start.world.gates.waiting()[0] : undefined
        return gate === undefined ? undefined : ({ status: 'waiting', step: gate } satisfies RunOutcome)
      })
      await this.#look()
      return this.#conclude(outcome)
    } finally {
      this.#moving = false
      this.#going = undefined
      this.#cancelFor = undefined
    }
  }

  /** Does what `cancel` was asked for during a move; whether the run has ended by that. */
  async #cancelNow(): Promise<boolean> {
    const reason = this.#cancelFor
    if (reason === undefined) return false
    this.#cancelFor = undefined
    await this.#life.incarnation.cancel(reason)
    const { state } = await this.#look()
    return state.status !== 'running'
  }

  /** Hands the run to the present life, with a snapshot on either side; answers the step that starts first. */
  async #recover(request: RecoverRequest): Promise<string | undefined> {
    this.#album.beforeResume(await this.capture(`before-resume-${this.#album.resumes + 1}`))
    const report = await this.#life.incarnation.recover(request)
    this.#album.afterResume(await this.capture(`after-resume-${this.#album.resumes}`))
    return report.restarts[0]
  }

  /** Keeps the states around the first failure. */
  async #photograph(report: TickReport): Promise<void> {
    if (report.status !== 'running') await this.#look()
    if (report.status !== 'failed' || this.#album.hasFailure) return
    const events = this.events()
    const life = events.slice(events.findLastIndex(({ kind }) => kind === 'workflow_resume') + 1)
    // Not in this report alone: steps in flight may have gone on since the first one failed.
    const failing = life.find(
      (event) => (event.kind === 'step_fail' && event.tolerated !== true) || event.kind === 'workflow_end',
    )
    const before = (failing?.seq ?? this.state().seq) - 1
    const view = await this.#life.reader().read(this.runId, before)
    this.#album.failure(snapshotOf(view, 'before-failure'), snapshotOf(this.#seen(), 'at-failure'))
  }

  #terminalOutcome(): RunOutcome {
    const { status, error, degraded, hasFailures } = this.state()
    if (status === 'running') return { status: 'stopped' }
    if (status === 'paused' || status === 'waiting') return this.#haltedOutcome(status)
    const notes = {
      ...(degraded === undefined ? {} : { degraded }),
      ...(hasFailures === undefined ? {} : { hasFailures }),
    }
    if (error === null || status !== 'failed') return { status, ...notes }
    const { step, ...rest } = error
    return { status, ...notes, ...(step === null ? {} : { step }), error: rest satisfies StepError }
  }

  #haltedOutcome(status: 'paused' | 'waiting'): RunOutcome {
    const pause = this.events().findLast((event) => event.kind === 'workflow_pause')
    if (pause === undefined) return { status }
    const { step, missingVar } = pause
    return { status, step, ...(missingVar === undefined ? {} : { missingVar }) }
  }

  /** Whether the engine has let go of the run until somebody from outside does something. */
  get #isLetGo(): boolean {
    const status = this.#view?.state.status
    return status === 'paused' || status === 'waiting'
  }

  #conclude(outcome: RunOutcome): RunOutcome {
    this.#lastOutcome = outcome
    if (outcome.status === 'completed' || outcome.status === 'cancelled') this.#judge()
    return outcome
  }

  #judge(): void {
    this.#judged = true
    const { faults, scheduler } = this.#start.world
    faults.judge()
    if (scheduler !== undefined) judgeSchedule(this.#start.plan.schedule ?? [], scheduler.decisions)
  }

  async #look(): Promise<RunView> {
    this.#view = await this.#life.reader().read(this.runId)
    return this.#view
  }

  #seen(): RunView {
    if (this.#view === undefined) throw misuse('The run has not begun.')
    return this.#view
  }

  async #endLife(): Promise<void> {
    if (this.#crashed) return
    await this.#life.incarnation.close()
    await this.#life.fence.drop()
    this.#afterDeath.push(this.#life.fence.afterDeath)
  }

  get #standing(): SessionStanding {
    return {
      runId: this.#runId,
      status: this.#view?.state.status,
      closed: this.#closed,
      moving: this.#moving,
      crashed: this.#crashed,
      held: this.#held,
    }
  }
}

function isBoundary(event: WorkflowEvent): event is Extract<WorkflowEvent, { readonly step: string }> {
  if (event.kind === 'gate_result') return event.route.to === 'loop'
  return event.kind === 'step_finish' || event.kind === 'step_fail'
}
