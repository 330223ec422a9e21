import { createCompression, createTurn } from '../../adapters/node/index.ts'
import { createInventedOwner, createSeededIds, createVirtualClock } from '../../adapters/virtual/index.ts'
import { isJsonObject } from '../../core/index.ts'
import type { Fault, FileErrorCode, FileFault } from '../../definition/index.ts'
import { storeLayout } from '../../engine/index.ts'
import { createFaultRecorder, faultPlan, faultyFiles, pointKeyStem } from '../../fault-injection/index.ts'
import type { FaultRecorder } from '../../fault-injection/index.ts'
import { isWriteLike } from '../../ports/index.ts'
import type { AgentPort, ClockPort, FilesPort } from '../../ports/index.ts'
import type { EventOf } from '../../trace/index.ts'
import type { SessionWorld } from '../engine-life.ts'
import { createGateControllers } from '../gate-controllers.ts'
import type { GateControllers } from '../gate-controllers.ts'
import type { Execution, Leftovers, SeenError } from '../invariants/index.ts'
import { Ledger } from '../world.ts'
import { FileOperationNames } from './fault-points.ts'
import type { LifeOptions, StrikingPortFault } from './life-options.ts'
import type { DiskFault } from './report.ts'
import { copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'
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
  readonly #world: { -readonly [Part in keyof SweptWorld]: SweptWorld[Part] }
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
    this.#world = { ...before, ending: { status: 'unfinished' } }
    this.#incarnation = before.lives.length + 1
    this.#operations = options.from?.occurrences.copy() ?? new FileOperationNames(this.#incarnation)
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
    this.note({ errors: [...this.#world.errors, error] })
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

  /** Names of further operations go on from here. */
  occurrences(): FileOperationNames {
    return this.#operations.copy()
  }

  note(change: Partial<SweptWorld>): void {
    Object.assign(this.#world, change)
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
    this.note({ faults: [...this.#world.faults, { ...portFault.record, key: name }] })
    return true
  }

  /** Each time new ones, on the same world. */
  ports(): SessionWorld {
    const { seed, driver, digest, realWaitMs, outside, knownFiles } = this.#workflow
    const virtualClock = createVirtualClock(this.#world.now)
    const ledger = new Ledger(this.#world.effects)
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
          this.note({ effects: ledger.effects() })
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
          this.#isUndisturbed = this.#during === 'run' && !this.isTroubled
          this.#noteBlindGate(event)
          const { step, visit, seq } = event
          this.note({ completedSteps: [...this.#world.completedSteps, { step, visit, seq }] })
        },
        log: ({ level, message }) => {
          if (level === 'warn') this.note({ warnings: [...this.#world.warnings, message] })
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
    this.note({ faults: this.#world.faults.filter(({ key }) => key !== portFault.at) })
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
        if (diskFault === undefined || !(name === diskFault.at || (this.#wasStruck && diskFault.sticky)))
          return undefined
        if (!this.#wasStruck) this.#strike(name, operation.path, diskFault)
        this.disturb()
        return name === diskFault.at ? diskFault.fault : stickyForm(diskFault.fault)
      },
      (path) => disk.dropUnsynced(path),
    )
  }

  #strike(key: string, path: string, { fault, sticky }: Pick<DiskFault, 'fault' | 'sticky'>): void {
    const cause = 'error' in fault ? { cause: shownAs(fault.error) } : {}
    // The daily log is kept as well as may be: a run does without a line of it, and does not fail for it.
    const isSpare = !sticky && (path === dailyLogs || path.startsWith(`${dailyLogs}/`))
    const faultClass = isSpare ? 'survivable' : 'reportable'
    this.note({
      faults: [...this.#world.faults, { fault: `disk ${fault.mode}`, key, class: faultClass, ...cause }],
    })
  }

  #clock(clock: ClockPort): ClockPort {
    return {
      now: () => {
        const now = clock.now()
        if (now !== this.#world.now) this.note({ now })
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
        if (call.context.undoing) this.note({ undos: [...this.#world.undos, execution] })
        else this.note({ executions: [...this.#world.executions, execution] })
        this.#calls.add(name)
        const settle = (thrown?: unknown): void => {
          this.#calls.delete(name)
          if (this.#hasEnded || !call.aborted()) return
          if (thrown !== undefined && thrown === call.context.signal.reason) return
          const executions = this.#world.executions.map((other) =>
            other === execution ? { ...execution, late: true } : other,
          )
          this.note({ executions })
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

const noFaults = createFaultRecorder(faultPlan([]))
