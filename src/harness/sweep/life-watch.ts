import { createCompression, createTurn } from '../../adapters/node/index.ts'
import { createInventedOwner, createSeededIds, createVirtualClock } from '../../adapters/virtual/index.ts'
import { isJsonObject } from '../../core/index.ts'
import type { Fault, FileErrorCode, FileFault } from '../../definition/index.ts'
import { storeLayout } from '../../engine/index.ts'
import { createFaultRecorder, faultPlan, faultyFiles, pointKeyStem } from '../../fault-injection/index.ts'
import type { FaultRecorder } from '../../fault-injection/index.ts'
import { isWriteLike } from '../../ports/index.ts'
import type { AgentPort, ClockPort, FileOperation, FilesPort } from '../../ports/index.ts'
import type { EventOf } from '../../trace/index.ts'
import type { LifeWorld } from '../engine-life.ts'
import { createGateControllers } from '../gate-controllers.ts'
import type { GateControllers } from '../gate-controllers.ts'
import type { Execution, Leftovers, RunEnding, SeenError } from '../invariants/index.ts'
import { Ledger } from '../world.ts'
import { FileOperationNames } from './fault-points.ts'
import type { LifeOptions, StrikingPortFault } from './life-options.ts'
import type { DiskFault } from './report.ts'
import { changing, copyOf, nothingLeft } from './swept-world.ts'
import type { ChangingWorld, SweptWorld } from './swept-world.ts'
import type { SweptWorkflow } from './swept-workflow.ts'

/** A swept project has the default directories. */
const dailyLogs = storeLayout().logs

/** One that starts, without its number and with it. */
interface StartingAttempt {
  readonly name: string
  readonly place: string
}

/**
 * The ports of one life, as the sweep sees them: every operation and call is named and told of, what is planned goes wrong at its
 * own, and the world is what they say of it.
 */
export class LifeWatch {
  readonly #workflow: SweptWorkflow
  readonly #options: LifeOptions
  readonly #incarnation: number
  readonly #openFiles = new Set<string>()
  /** When they are due, by number. */
  readonly #timers = new Map<number, number>()
  readonly #calls = new Set<string>()
  readonly #world: ChangingWorld
  readonly #operations: FileOperationNames
  readonly #objections: string[] = []
  #during: 'run' | 'recovery'
  #timersMade = 0
  #starting: StartingAttempt[] = []
  #isUndisturbed = false
  #wasStruck = false
  #hasEnded = false

  constructor(workflow: SweptWorkflow, before: SweptWorld, options: LifeOptions) {
    this.#workflow = workflow
    this.#options = options
    this.#world = changing(before)
    this.#world.ending = unfinished
    this.#incarnation = before.lives.length + 1
    this.#operations = new FileOperationNames(this.#incarnation, options.from?.occurrences)
    this.#during = before.runId === undefined || options.from !== undefined ? 'run' : 'recovery'
  }

  get incarnation(): number {
    return this.#incarnation
  }

  /** As it is now; it goes on changing. */
  get world(): SweptWorld {
    return this.#world
  }

  get objections(): readonly string[] {
    return this.#objections
  }

  /** Whether the life is still taking the run over. */
  get isTakingOver(): boolean {
    return this.#during === 'recovery'
  }

  /** Whether a step has finished since something went wrong last. */
  get isUndisturbed(): boolean {
    return this.#isUndisturbed
  }

  /** Whether what was to go wrong did. */
  get wasStruck(): boolean {
    return this.#wasStruck
  }

  get hasOpenCalls(): boolean {
    return this.#calls.size > 0
  }

  get leftovers(): Leftovers {
    if (this.#openFiles.size === 0 && this.#timers.size === 0 && this.#calls.size === 0) return nothingLeft
    return {
      openFiles: [...this.#openFiles],
      timers: Array.from(this.#timers.values(), (at) => `a wake at ${at}`),
      calls: [...this.#calls],
    }
  }

  hasTakenOver(): void {
    this.#during = 'run'
  }

  noteError(error: SeenError): void {
    this.#world.errors = [...this.#world.errors, error]
  }

  /** Something was wrong with how it met an interference. */
  object(sentence: string): void {
    this.#objections.push(sentence)
  }

  /** What was to go wrong has. */
  disturb(): void {
    this.#wasStruck = true
    this.#isUndisturbed = false
  }

  /** The attempts that have started since the last time somebody asked. */
  takeStarting(): readonly StartingAttempt[] {
    const starting = this.#starting
    this.#starting = []
    return starting
  }

  /** How often each operation has come. */
  occurrences(): ReadonlyMap<string, number> {
    return this.#operations.occurrences()
  }

  hasBegun(runId: string): void {
    this.#world.runId = runId
  }

  endsSo(ending: RunEnding): void {
    this.#world.ending = ending
  }

  /** Whether something is still to go wrong in this life. */
  get isTroubled(): boolean {
    const { diskFault, portFault, interference } = this.#options
    if (diskFault?.sticky === true) return true
    return !this.#wasStruck && (diskFault ?? portFault ?? interference) !== undefined
  }

  get gateIsSilent(): boolean {
    return this.#options.portFault?.fault === 'never-answers'
  }

  /** Whether the planned fault of a call strikes at this one. */
  strikeAt(name: string): boolean {
    const { portFault } = this.#options
    if (portFault?.at !== name || this.#wasStruck) return false
    this.disturb()
    this.#world.faults = [...this.#world.faults, { ...portFault.record, key: name }]
    return true
  }

  /** Each time new ones, on the same world. */
  ports(): LifeWorld {
    const { seed, driver, digest, realWaitMs, outside, knownFiles } = this.#workflow
    const virtualClock = createVirtualClock(this.#world.now)
    const { from, scheduler } = this.#options
    return {
      driver: from === undefined ? driver : { ...driver, incarnate: from.fork },
      files: this.#files(),
      simulatedFiles: true,
      projectFolder: undefined,
      clock: this.#clock(virtualClock),
      virtualClock,
      turn,
      digest,
      ids: createSeededIds(`${seed}/${this.#incarnation}`),
      ownerOf: (life) => createInventedOwner(`sweep-${life}`),
      agents: this.#agents(),
      gates: this.#gates(),
      faults: this.#faults(),
      world: {
        record: (effect) => {
          const ledger = new Ledger(this.#world.effects)
          ledger.record(effect)
          this.#world.effects = ledger.effects()
        },
        effects: () => this.#world.effects,
      },
      observer: {
        event: (event) => {
          if (event.kind === 'step_start') {
            const name = `${event.step}#${event.visit}`
            this.#starting.push({ name, place: `${name}@${event.attempt}` })
          }
          if (event.kind === 'workflow_end') this.#hasEnded = true
          if (event.kind !== 'step_finish') return
          this.#isUndisturbed = this.#during === 'run' && !this.isTroubled
          this.#noteBlindGate(event)
          const { step, visit, seq } = event
          this.#world.completedSteps = [...this.#world.completedSteps, { step, visit, seq }]
        },
        log: ({ level, message }) => {
          if (level === 'warn') this.#world.warnings = [...this.#world.warnings, message]
        },
      },
      realWaitMs,
      storage: {},
      outside,
      knownFiles,
      compression,
      ...(scheduler === undefined ? {} : { scheduler }),
    }
  }

  /** A gate that is to wait for ever is one that somebody outside would answer. */
  #gates(): GateControllers {
    const { gates } = this.#workflow
    const { step = '' } = this.#options.portFault ?? {}
    const controllers = createGateControllers(this.gateIsSilent ? { ...gates, [step]: 'external' } : gates)
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
  #faults(): FaultRecorder | undefined {
    const { portFault, onCall } = this.#options
    if (portFault === undefined && onCall === undefined) return undefined
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
        this.strikeAt(name)
        return recorder.fire(point, kinds)
      },
    }
  }

  /** A gate that is about scores has let the worst ones pass. */
  #noteBlindGate({ step, visit, attempt, output }: EventOf<'step_finish'>): void {
    const { portFault } = this.#options
    if (portFault === undefined || !this.#wasStruck) return
    const isHere = portFault.at.startsWith(`${this.#incarnation}/${step}#${visit}@${attempt}:`)
    if (!isHere || !isAboutScores(portFault) || !hasScores(output)) return
    this.object(
      `The gate of step '${step}' passes whatever the scores are: it passed with all of them at -1.`,
    )
  }

  /** An agent that has failed by itself, or was cut off, has given no answer that could be replaced or kept back. */
  #takeBackFault(of: Execution): void {
    const { portFault } = this.#options
    if (portFault === undefined || !strikesAnswers(portFault)) return
    const stem = `${of.incarnation}/${of.step}#${of.visit}@${of.attempt}:`
    if (!portFault.at.startsWith(stem)) return
    this.#world.faults = this.#world.faults.filter(({ key }) => key !== portFault.at)
  }

  /** Names every write-like operation if somebody is to know, shows the world before it, and makes the planned one go wrong. */
  #files(): FilesPort {
    const { disk } = this.#world
    const { onWrite, diskFault } = this.#options
    const perform: FilesPort['perform'] = (operation) => {
      if (operation.op === 'append') this.#openFiles.add(operation.path)
      else if (operation.op === 'close') this.#openFiles.delete(operation.path)
      return disk.perform(operation)
    }
    if (onWrite === undefined && diskFault === undefined) return { perform }
    return faultyFiles(
      { perform },
      (operation) => (isWriteLike(operation) ? this.#faultOf(operation) : undefined),
      (path) => disk.dropUnsynced(path),
    )
  }

  /** What goes wrong with a write-like operation. */
  #faultOf(operation: FileOperation): FileFault | undefined {
    const { onWrite, diskFault } = this.#options
    const name = this.#operations.nameOf(operation)
    if (onWrite !== undefined) {
      const point = { name, operation: operation.op, during: this.#during }
      onWrite('data' in operation ? { ...point, data: operation.data } : point, () => copyOf(this.#world))
    }
    if (diskFault === undefined || !(name === diskFault.at || (this.#wasStruck && diskFault.sticky)))
      return undefined
    if (!this.#wasStruck) this.#strike(name, operation.path, diskFault)
    this.disturb()
    return name === diskFault.at ? diskFault.fault : stickyForm(diskFault.fault)
  }

  #strike(key: string, path: string, { fault, sticky }: Pick<DiskFault, 'fault' | 'sticky'>): void {
    const cause = 'error' in fault ? { cause: shownAs(fault.error) } : {}
    // The daily log is kept as well as may be: a run does without a line of it, and does not fail for it.
    const isSpare = !sticky && (path === dailyLogs || path.startsWith(`${dailyLogs}/`))
    const faultClass = isSpare ? 'survivable' : 'reportable'
    const record = { fault: `disk ${fault.mode}`, key, class: faultClass, ...cause } as const
    this.#world.faults = [...this.#world.faults, record]
  }

  #clock(clock: ClockPort): ClockPort {
    return {
      now: () => {
        const now = clock.now()
        this.#world.now = now
        return now
      },
      schedule: (at, wake) => {
        const timer = this.#timersMade++
        this.#timers.set(timer, at)
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
        const world = this.#world
        if (call.context.undoing) world.undos = [...world.undos, execution]
        else world.executions = [...world.executions, execution]
        this.#calls.add(name)
        const settle = (thrown?: unknown): void => {
          this.#calls.delete(name)
          if (this.#hasEnded || !call.aborted()) return
          if (thrown !== undefined && thrown === call.context.signal.reason) return
          world.executions = world.executions.map((other) =>
            other === execution ? { ...execution, late: true } : other,
          )
        }
        try {
          const output = await agents.invoke(call)
          settle()
          const hasNoneToReplace = !hasScores(output) && isAboutScores(this.#options.portFault)
          if (call.aborted() || hasNoneToReplace) this.#takeBackFault(execution)
          return output
        } catch (error) {
          settle(error)
          this.#takeBackFault(execution)
          throw error
        }
      },
    }
  }
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

/** How an error reads: the system has no name for a full quota, only its number. */
function shownAs(code: FileErrorCode): string {
  return code === 'EDQUOT' ? 'error -122' : code
}

/** An error that stays fails every later operation before it has done anything. */
function stickyForm(fault: FileFault): FileFault {
  return 'error' in fault ? { mode: 'before', error: fault.error } : fault
}

const unfinished: RunEnding = { status: 'unfinished' }

const turn = createTurn()
const compression = createCompression()
