import { createCompression, createTurn } from '../../adapters/node/index.ts'
import { createInventedOwner, createSeededIds, createVirtualClock } from '../../adapters/virtual/index.ts'
import { isFaultlineError, isJsonObject, messageOf } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import type { Fault, FileErrorCode, FileFault, WorkflowDefinition } from '../../definition/index.ts'
import { storeLayout } from '../../engine/index.ts'
import { createFaultRecorder, faultPlan, faultyFiles, pointKeyStem } from '../../fault-injection/index.ts'
import type { FaultRecorder } from '../../fault-injection/index.ts'
import { isWriteLike } from '../../ports/index.ts'
import type {
  AgentPort,
  ClockPort,
  DigestPort,
  FileData,
  FileOperation,
  FilesPort,
  ForkedLife,
  GateDecision,
  ObserverPort,
  RecoverRequest,
  TickPolicy,
  WorkflowDriver,
} from '../../ports/index.ts'
import type { GateController } from '../contract.ts'
import { bornLife } from '../engine-life.ts'
import type { EngineLife, SessionWorld } from '../engine-life.ts'
import { createGateControllers } from '../gate-controllers.ts'
import type { GateControllers } from '../gate-controllers.ts'
import type { Execution, FiredFaultRecord, Leftovers, RunEnding, SeenError } from '../invariants/index.ts'
import type { Outside } from '../outside.ts'
import type { Scheduler } from '../schedule/scheduler.ts'
import type { EventOf, KnownFiles, StateDocument } from '../../trace/index.ts'
import { Ledger } from '../world.ts'
import { FileOperationNames } from './fault-points.ts'
import type { DiskFault } from './report.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** A swept project has the default directories. */
const dailyLogs = storeLayout().logs

/** What is the same in every scenario of a sweep. */
export interface SweptWorkflow {
  readonly definition: WorkflowDefinition
  readonly agents: AgentPort
  readonly gates: Readonly<Record<string, GateController>>
  readonly input: JsonValue
  readonly seed: number | string
  readonly driver: WorkflowDriver
  readonly digest: DigestPort
  readonly realWaitMs: number
  readonly outside: Outside
  readonly operator?: SweepOperator
  /** The project on the real disk, to which nobody is to write. */
  readonly folder?: string
  /** What its lives have read of its files. */
  readonly knownFiles: KnownFiles
  /** Told whenever a gate is asked. */
  readonly onGate?: () => void
}

/** What people do for a run that has come to a standstill. */
export interface SweepOperator {
  /** How gates that wait for a person are answered, by step id. */
  readonly answers?: Readonly<Record<string, GateDecision | boolean>>
  /** Put over the run's input when it is paused for want of some. */
  readonly input?: JsonObject
}

/** One write-like file operation of a life. */
export interface WritePoint {
  readonly name: string
  readonly operation: FileOperation['op']
  /** What it writes, if it writes something. */
  readonly data?: FileData
  /** Whether the life was still taking the run over. */
  readonly during: 'run' | 'recovery'
}

/** One call of an agent or a gate, or one answer of the operator. */
export interface CallPoint {
  readonly name: string
  readonly step: string
  readonly operation: string
}

/** The same with the world as a crash just before it would leave it. */
export interface FaultPoint extends WritePoint {
  readonly world: SweptWorld
}

/** Where a life can be forked: nobody is in flight, and all that it has done is durable. */
export interface Boundary {
  /** The attempts that start now, without their numbers. */
  readonly name: string
  /** The same with their numbers: no other boundary has it. */
  readonly place: string
  /** The world as this life would leave it. */
  readonly world: SweptWorld
  readonly fork: ForkedLife
  readonly occurrences: FileOperationNames
}

export interface LifeOptions {
  /** Goes on from there, in the same life; the world to live on is the boundary's. */
  readonly from?: Boundary
  /** Shown every place where the life can be forked. */
  readonly onBoundary?: (boundary: Boundary) => void
  /**
   * Asked at the first of them after a step has finished undisturbed: whether what follows is known. The life is then let
   * go, and its run ends `left`.
   */
  readonly endsAt?: (name: string, world: SweptWorld) => boolean
  /** Asked when the run has been taken over: whether it goes on from here as another one has. It is then left as well. */
  readonly endsOnceRecovered?: (world: SweptWorld) => boolean
  /** Told of every write-like operation before it is done. */
  readonly onWrite?: (point: WritePoint, world: () => SweptWorld) => void
  /** Lets agents and gates go on one at a time. */
  readonly scheduler?: Scheduler
  /** What goes wrong at the operation of this name; with `sticky` at every later write-like one too. */
  readonly diskFault?: Pick<DiskFault, 'at' | 'fault' | 'sticky'>
  /** Told of every call of an agent or a gate before it is made. */
  readonly onCall?: (call: CallPoint) => void
  readonly portFault?: StrikingPortFault
  readonly interference?: Interference
  /** What the run is taken over with. Default: nothing is said. */
  readonly expects?: WorkflowDefinition
  /** What the operator gives the run that it waits for. */
  readonly given?: Given
}

/** A fault of a plan, and how it is to be judged. */
export interface StrikingPortFault {
  readonly at: string
  readonly fault: Fault | 'never-answers' | 'answers-twice'
  readonly step: string
  readonly record: Omit<FiredFaultRecord, 'key'>
}

/** What somebody does to the run at a boundary, once all of it is durable. */
export interface Interference {
  /** The attempts that start there, with their numbers. */
  readonly place: string
  readonly action: 'cancel' | 'resume-meanwhile'
}

/** A life that has come to its end, and the world that it has left. */
export interface EndedLifeOf {
  readonly world: SweptWorld
  readonly leftovers: Leftovers
  /** Why it would not take the run over, if so. */
  readonly refusal: SeenError | undefined
  /** The boundary at which it was left. */
  readonly leftAt: string | undefined
  /** Whether what was to go wrong did. */
  readonly wasStruck: boolean
  /** What was wrong with how it met an interference. */
  readonly objections: readonly string[]
  /** What the run waits for, and the operator has. */
  readonly asksFor: Given | undefined
}

type Given = Pick<RecoverRequest, 'answers' | 'input'>

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

/** When a life may be left before its end. */
export type Shortcuts = Pick<LifeOptions, 'endsAt' | 'endsOnceRecovered'>

class WatchedLife {
  readonly #workflow: SweptWorkflow
  readonly #options: LifeOptions
  readonly #incarnation: number
  readonly #openFiles = new Set<string>()
  readonly #timers = new Set<number>()
  readonly #calls = new Set<string>()
  readonly #life: EngineLife
  readonly #world: { -readonly [Part in keyof SweptWorld]: SweptWorld[Part] }
  #during: 'run' | 'recovery'
  #timersMade = 0
  readonly #operations: FileOperationNames
  #starting: { readonly name: string; readonly place: string }[] = []
  #asksFor: Given | undefined
  /** Whether a step has finished since something went wrong last. */
  #isUndisturbed = false
  #struck = false
  #leftAt: string | undefined
  #hasEnded = false
  #interferesNow = false
  readonly #objections: string[] = []

  constructor(workflow: SweptWorkflow, before: SweptWorld, options: LifeOptions) {
    this.#workflow = workflow
    this.#options = options
    this.#world = { ...before, ending: { status: 'unfinished' } }
    this.#incarnation = before.lives.length + 1
    this.#operations = options.from?.occurrences.copy() ?? new FileOperationNames(this.#incarnation)
    this.#during = before.runId === undefined || options.from !== undefined ? 'run' : 'recovery'
    this.#life = this.#born(before)
  }

  async toEnd(): Promise<EndedLifeOf> {
    let refusal: SeenError | undefined
    try {
      await this.#begin()
      const isTakenOver = this.#during === 'recovery'
      this.#during = 'run'
      if (isTakenOver && !this.#isTroubled && this.#options.endsOnceRecovered?.(this.#world) === true) {
        this.#leftAt = onceRecovered
        this.#note({ ending: { status: 'left' } })
      } else this.#note({ ending: await this.#moved() })
    } catch (error) {
      const seen = seenError(error)
      this.#note({ errors: [...this.#world.errors, seen] })
      if (this.#during === 'recovery') {
        const ending = endingOfRefusal(error, seen)
        // A run that has ended has been taken over and tidied up after, although there was nothing to resume.
        if (ending.status === 'refused') refusal = seen
        this.#note({ ending })
      } else if (this.#world.runId !== undefined) await this.#moveInSpite()
    }
    try {
      await this.#life.incarnation.close()
    } catch (error) {
      this.#note({ errors: [...this.#world.errors, seenError(error)] })
    }
    // Whoever obeys the signal that the closing has sent answers before anything else can happen.
    if (this.#calls.size > 0) await createTurn().next()
    await this.#life.fence.drop()
    const leftovers = {
      openFiles: [...this.#openFiles],
      timers: [...this.#timers].map((at) => `a wake at ${at}`),
      calls: [...this.#calls],
    }
    return {
      // A call that is answered only now has nobody to tell.
      world: { ...this.#world },
      leftovers,
      refusal,
      leftAt: this.#leftAt,
      wasStruck: this.#struck,
      objections: this.#objections,
      asksFor: this.#asksFor,
    }
  }

  async #begin(): Promise<void> {
    const { definition, input, seed } = this.#workflow
    const { incarnation } = this.#life
    const { runId } = this.#world
    if (this.#options.from !== undefined) return
    if (runId !== undefined) {
      const { expects, given } = this.#options
      await incarnation.recover({ runId, ...(expects === undefined ? {} : { expects }), ...given })
      for (const [step, decision] of Object.entries(given?.answers ?? {}))
        await this.#answered(step, decision)
      return
    }
    const started = await incarnation.start({ definition, input, seed, correlationId: 'sweep', launch: {} })
    this.#note({ runId: started })
  }

  async #moved(): Promise<RunEnding> {
    const status = await this.#life.move(this.#policy(), async (report, idle) => {
      if (this.#leftAt !== undefined) return 'left'
      if (this.#interferesNow) return this.#interfere()
      if (report.status !== 'running') return report.status
      return idle && this.#gateIsSilent ? 'waiting' : undefined
    })
    if (status === 'left') return { status }
    const state = this.#life.incarnation.state()
    this.#asksFor = givenBy(this.#workflow.operator, state)
    const { error } = state
    if (status !== 'failed' || error === null) return { status }
    const { step, message, kind } = error
    const seen: SeenError = { message, kind }
    this.#note({ errors: [...this.#world.errors, seen] })
    return { status, ...(step === null ? {} : { step }), error: seen }
  }

  #policy(): TickPolicy {
    const { onBoundary, endsAt } = this.#options
    const beforeCalls = (): boolean => {
      const starting = this.#starting
      this.#starting = []
      if (starting.length === 0 || this.#calls.size > 0) return true
      const [name, place] = [joined(starting, 'name'), joined(starting, 'place')]
      this.#interferesNow = this.#options.interference?.place === place
      if (endsAt !== undefined && this.#isUndisturbed && endsAt(name, this.#world)) {
        this.#leftAt = name
        return false
      }
      const fork = onBoundary === undefined ? undefined : this.#life.incarnation.fork?.()
      if (fork !== undefined) {
        const world = { ...this.#world, disk: this.#world.disk.fork() }
        onBoundary?.({ name, place, world, fork, occurrences: this.#operations.copy() })
      }
      return true
    }
    return { holds: new Set(), stopsAfter: () => false, maxResults: Infinity, beforeCalls }
  }

  async #interfere(): Promise<'cancelled' | undefined> {
    this.#interferesNow = false
    this.#struck = true
    this.#isUndisturbed = false
    if (this.#options.interference?.action === 'cancel') {
      await this.#life.incarnation.cancel('the sweep cancels it')
      return 'cancelled'
    }
    await this.#resumeMeanwhile()
    return undefined
  }

  /** Somebody else wants the run while this life holds it, and must be refused. */
  async #resumeMeanwhile(): Promise<void> {
    const { runId = '', disk } = this.#world
    const before = disk.visibleDigest()
    const world = this.#sessionWorld(this.#world)
    const { self } = createInventedOwner('sweep-rival')
    const rival = bornLife(
      { ...world, files: disk, observer: silent, ownerOf: () => ({ self, liveness: () => 'alive' }) },
      this.#incarnation,
    )
    try {
      await rival.incarnation.recover({ runId })
      this.#objections.push(`A second process could resume the run while this one held it.`)
    } catch (error) {
      if (!isFaultlineError(error, 'RUN_OWNED')) {
        this.#objections.push(`A second process was refused the run for another reason: ${messageOf(error)}`)
      }
    }
    if (disk.visibleDigest() !== before) {
      this.#objections.push('A second process that was refused the run changed what is on disk.')
    }
    await rival.fence.drop()
  }

  /** The operator has answered a gate; with a fault somebody else answers it as well, and must be refused. */
  async #answered(step: string, decision: GateDecision): Promise<void> {
    const { incarnation } = this.#life
    const { visit, attempt } = incarnation.state().steps[step] ?? { visit: 1, attempt: 1 }
    const name = `${this.#incarnation}/${step}#${visit}@${attempt}:gate.answer:${step}#1`
    this.#options.onCall?.({ name, step, operation: 'gate.answer' })
    if (!this.#strikeAt(name)) return
    const before = this.#world.disk.visibleDigest()
    try {
      await incarnation.answerGate(step, { passed: !decision.passed, reason: 'the sweep answers again' })
      this.#objections.push(`The gate of step '${step}' took a second answer.`)
    } catch (error) {
      if (!isFaultlineError(error)) {
        this.#objections.push(
          `A second answer to the gate of step '${step}' was refused for another reason: ${messageOf(error)}`,
        )
      }
    }
    if (this.#world.disk.visibleDigest() !== before) {
      this.#objections.push(
        `A second answer to the gate of step '${step}' was refused and changed what is on disk.`,
      )
    }
  }

  /** A caller that does not take an error for an answer: an engine that could not write must not write on. */
  async #moveInSpite(): Promise<void> {
    try {
      this.#note({ ending: await this.#moved() })
    } catch {
      // As it should be, and as the caller has been told.
    }
  }

  #born(before: SweptWorld): EngineLife {
    return bornLife(this.#sessionWorld(before), this.#incarnation)
  }

  #sessionWorld(before: SweptWorld): SessionWorld {
    const { seed, driver, digest, realWaitMs, outside, knownFiles } = this.#workflow
    const virtualClock = createVirtualClock(before.now)
    const ledger = new Ledger(before.effects)
    const { from, scheduler } = this.#options
    return {
      driver: from === undefined ? driver : { ...driver, incarnate: from.fork },
      files: this.#files(),
      simulatedFiles: true,
      projectFolder: undefined,
      clock: this.#clock(virtualClock),
      virtualClock,
      turn: createTurn(),
      digest,
      ids: createSeededIds(`${seed}/${this.#incarnation}`),
      ownerOf: (life) => createInventedOwner(`sweep-${life}`),
      agents: this.#agents(),
      gates: this.#gates(),
      faults: this.#faults(),
      world: {
        record: (effect) => {
          ledger.record(effect)
          this.#note({ effects: ledger.effects() })
        },
        effects: () => ledger.effects(),
      },
      observer: {
        event: (event) => {
          if (event.kind === 'step_start') {
            const name = `${event.step}#${event.visit}`
            this.#starting.push({ name, place: `${name}@${event.attempt}` })
          }
          if (event.kind === 'workflow_end') this.#hasEnded = true
          if (event.kind !== 'step_finish') return
          this.#isUndisturbed = this.#during === 'run' && !this.#isTroubled
          this.#noteBlindGate(event)
          const { step, visit, seq } = event
          this.#note({ completedSteps: [...this.#world.completedSteps, { step, visit, seq }] })
        },
        log: ({ level, message }) => {
          if (level === 'warn') this.#note({ warnings: [...this.#world.warnings, message] })
        },
      },
      realWaitMs,
      storage: {},
      outside,
      knownFiles,
      compression: createCompression(),
      ...(scheduler === undefined ? {} : { scheduler }),
    }
  }

  get #gateIsSilent(): boolean {
    return this.#options.portFault?.fault === 'never-answers'
  }

  /** A gate that is to wait for ever is one that somebody outside would answer. */
  #gates(): GateControllers {
    const { gates } = this.#workflow
    const { step = '' } = this.#options.portFault ?? {}
    const controllers = createGateControllers(this.#gateIsSilent ? { ...gates, [step]: 'external' } : gates)
    const { onGate } = this.#workflow
    if (onGate === undefined) return controllers
    return {
      answer: (of, decision) => controllers.answer(of, decision),
      waiting: () => controllers.waiting(),
      decide(request) {
        onGate()
        return controllers.decide(request)
      },
    }
  }

  /** Tells of every call, and has the planned fault strike at its own. */
  #faults(): FaultRecorder {
    const { portFault, onCall } = this.#options
    if (portFault === undefined && onCall === undefined) return noFaults
    const recorder = createFaultRecorder(faultPlan(plannedIn(portFault)))
    const occurrences = new Map<string, number>()
    return {
      ...recorder,
      fire: (point, kinds) => {
        const stem = pointKeyStem(point)
        const occurrence = (occurrences.get(stem) ?? 0) + 1
        occurrences.set(stem, occurrence)
        const name = `${stem}#${occurrence}`
        onCall?.({ name, step: point.step, operation: point.operation })
        this.#strikeAt(name)
        return recorder.fire(point, kinds)
      },
    }
  }

  /** Whether the planned fault of a call strikes at this one. */
  #strikeAt(name: string): boolean {
    const { portFault } = this.#options
    if (portFault?.at !== name || this.#struck) return false
    this.#struck = true
    this.#isUndisturbed = false
    this.#note({ faults: [...this.#world.faults, { ...portFault.record, key: name }] })
    return true
  }

  /** A gate that is about scores has let the worst ones pass. */
  #noteBlindGate({ step, visit, attempt, output }: EventOf<'step_finish'>): void {
    const { portFault } = this.#options
    if (portFault === undefined || !this.#struck) return
    const isHere = portFault.at.startsWith(`${this.#incarnation}/${step}#${visit}@${attempt}:`)
    if (!isHere || !isAboutScores(portFault) || !hasScores(output)) return
    this.#objections.push(
      `The gate of step '${step}' passes whatever the scores are: it passed with all of them at -1.`,
    )
  }

  /** An agent that has failed by itself has given no answer that could be replaced or kept back. */
  #takeBackFault(of: Execution): void {
    const { portFault } = this.#options
    if (portFault === undefined || !strikesAnswers(portFault)) return
    const stem = `${of.incarnation}/${of.step}#${of.visit}@${of.attempt}:`
    if (!portFault.at.startsWith(stem)) return
    this.#note({ faults: this.#world.faults.filter(({ key }) => key !== portFault.at) })
  }

  /** Names every write-like operation, shows the world before it, and makes the planned one go wrong. */
  #files(): FilesPort {
    const { disk } = this.#world
    const { onWrite, diskFault } = this.#options
    return faultyFiles(
      {
        perform: (operation) => {
          if (operation.op === 'append') this.#openFiles.add(operation.path)
          if (operation.op === 'close') this.#openFiles.delete(operation.path)
          return disk.perform(operation)
        },
      },
      (operation) => {
        if (!isWriteLike(operation)) return undefined
        if (onWrite === undefined && diskFault === undefined) return undefined
        const name = this.#operations.nameOf(operation)
        const data = 'data' in operation ? { data: operation.data } : {}
        onWrite?.({ name, operation: operation.op, ...data, during: this.#during }, () => copyOf(this.#world))
        if (diskFault === undefined || !(name === diskFault.at || (this.#struck && diskFault.sticky)))
          return undefined
        if (!this.#struck) this.#strike(name, operation.path, diskFault)
        this.#struck = true
        this.#isUndisturbed = false
        return name === diskFault.at ? diskFault.fault : stickyForm(diskFault.fault)
      },
      (path) => disk.dropUnsynced(path),
    )
  }

  /** Whether something is still to go wrong in this life. */
  get #isTroubled(): boolean {
    const { diskFault, portFault, interference } = this.#options
    if (diskFault?.sticky === true) return true
    return !this.#struck && (diskFault ?? portFault ?? interference) !== undefined
  }

  #strike(key: string, path: string, { fault, sticky }: Pick<DiskFault, 'fault' | 'sticky'>): void {
    const cause = 'error' in fault ? { cause: shownAs(fault.error) } : {}
    // The daily log is kept as well as may be: a run does without a line of it, and does not fail for it.
    const isSpare = !sticky && (path === dailyLogs || path.startsWith(`${dailyLogs}/`))
    const faultClass = isSpare ? 'survivable' : 'reportable'
    this.#note({
      faults: [...this.#world.faults, { fault: `disk ${fault.mode}`, key, class: faultClass, ...cause }],
    })
  }

  #clock(clock: ClockPort): ClockPort {
    return {
      now: () => {
        const now = clock.now()
        if (now !== this.#world.now) this.#note({ now })
        return now
      },
      schedule: (at, wake) => {
        const timer = this.#timersMade++
        this.#timers.add(timer)
        const scheduled = clock.schedule(at, () => {
          this.#timers.delete(timer)
          wake()
        })
        return {
          cancel: () => {
            this.#timers.delete(timer)
            scheduled.cancel()
          },
        }
      },
    }
  }

  #agents(): AgentPort {
    const { agents } = this.#workflow
    return {
      has: (name) => agents.has(name),
      names: agents.names,
      invoke: async (call) => {
        const { step, visit, attempt } = call.context
        const name = `agent of ${step}#${visit}@${attempt}`
        const execution: Execution = { step, visit, attempt, incarnation: this.#incarnation }
        if (call.context.undoing) this.#note({ undos: [...this.#world.undos, execution] })
        else this.#note({ executions: [...this.#world.executions, execution] })
        this.#calls.add(name)
        const settle = (thrown?: unknown): void => {
          this.#calls.delete(name)
          if (this.#hasEnded || !call.aborted()) return
          if (thrown !== undefined && thrown === call.context.signal.reason) return
          const executions = this.#world.executions.map((other) =>
            other === execution ? { ...execution, late: true } : other,
          )
          this.#note({ executions })
        }
        try {
          const output = await agents.invoke(call)
          settle()
          if (!hasScores(output) && isAboutScores(this.#options.portFault)) this.#takeBackFault(execution)
          return output
        } catch (error) {
          settle(error)
          if (!call.aborted()) this.#takeBackFault(execution)
          throw error
        }
      },
    }
  }

  #note(change: Partial<SweptWorld>): void {
    Object.assign(this.#world, change)
  }
}

function joined<K extends string>(parts: readonly Readonly<Record<K, string>>[], key: K): string {
  return parts
    .map((part) => part[key])
    .sort()
    .join()
}

function plannedIn(portFault: StrikingPortFault | undefined): readonly Fault[] {
  return portFault === undefined || typeof portFault.fault === 'string' ? [] : [portFault.fault]
}

function isAboutScores(portFault: StrikingPortFault | undefined): boolean {
  const fault = portFault?.fault
  return typeof fault === 'object' && fault.fault === 'agent-answer' && fault.params?.form === 'worst-scores'
}

function hasScores(output: unknown): boolean {
  return isJsonObject(output) && isJsonObject(output['scores'])
}

/** Whether a fault needs an agent that has done its work. */
function strikesAnswers({ fault }: StrikingPortFault): boolean {
  if (typeof fault === 'string') return false
  return (
    fault.fault === 'agent-answer' ||
    fault.fault === 'agent-delay' ||
    (fault.fault === 'agent-error' && fault.params?.moment === 'after')
  )
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
const noFaults = createFaultRecorder(faultPlan([]))

/** How an error reads: the system has no name for a full quota, only its number. */
function shownAs(code: FileErrorCode): string {
  return code === 'EDQUOT' ? 'error -122' : code
}

/** An error that stays fails every later operation before it has done anything. */
function stickyForm(fault: FileFault): FileFault {
  return 'error' in fault ? { mode: 'before', error: fault.error } : fault
}

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

/** A fault has gone when the run is resumed; one life more for a run that failed because of it. */
const livesAllowed = 4

/** Lives on a world, one after the other, until the run is over. */
export async function toCompletion(
  workflow: SweptWorkflow,
  world: SweptWorld,
  options: LifeOptions = {},
): Promise<EndedLifeOf> {
  const { endsAt, endsOnceRecovered } = options
  const later = endsAt && endsOnceRecovered ? { endsAt, endsOnceRecovered } : {}
  let ended = await liveAttended(workflow, world, options, later)
  for (let life = 1; !isOver(ended) && ended.refusal === undefined && life < livesAllowed; life++) {
    ended = await liveAttended(workflow, afterEnding(ended), later)
  }
  return ended
}

/** So often an operator goes to a run that asks. */
const attendances = 20

/** Lives on as long as the operator has what the run waits for, each time in a new life, until something strikes. */
export async function liveAttended(
  workflow: SweptWorkflow,
  world: SweptWorld,
  options: LifeOptions = {},
  { from: _from, ...later }: LifeOptions = options,
): Promise<EndedLifeOf> {
  let ended = await liveOn(workflow, world, options)
  for (let times = 0; ended.asksFor !== undefined && !ended.wasStruck && times < attendances; times++) {
    ended = await liveOn(workflow, afterEnding(ended), { ...later, given: ended.asksFor })
  }
  return ended
}

/** What becomes of a run after a life in which something struck. */
export async function onward(
  workflow: SweptWorkflow,
  struck: EndedLifeOf,
  shortcuts?: Shortcuts,
): Promise<EndedLifeOf> {
  if (isOver(struck)) return struck
  const ended = await toCompletion(workflow, afterEnding(struck), shortcuts)
  return { ...ended, objections: [...struck.objections, ...ended.objections] }
}

const over: ReadonlySet<string> = new Set(['completed', 'cancelled', 'left'])

export function isOver({ world }: EndedLifeOf): boolean {
  return over.has(world.ending.status)
}

/** The world after a life that nobody killed: it let go by itself. */
export function afterEnding({ world, refusal }: EndedLifeOf): SweptWorld {
  return afterLife(world, 'run', world.disk, refusal)
}
