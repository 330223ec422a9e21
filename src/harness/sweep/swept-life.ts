import { createCompression, createTurn } from '../../adapters/node/index.ts'
import { createInventedOwner, createSeededIds, createVirtualClock } from '../../adapters/virtual/index.ts'
import { isFaultlineError, messageOf } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { FileErrorCode, FileFault, WorkflowDefinition } from '../../definition/index.ts'
import { createFaultRecorder, faultPlan, faultyFiles } from '../../fault-injection/index.ts'
import { isWriteLike } from '../../ports/index.ts'
import type {
  AgentPort,
  ClockPort,
  DigestPort,
  FileOperation,
  FilesPort,
  ForkedLife,
  TickPolicy,
  WorkflowDriver,
} from '../../ports/index.ts'
import type { GateController } from '../contract.ts'
import { bornLife } from '../engine-life.ts'
import type { EngineLife } from '../engine-life.ts'
import { createGateControllers } from '../gate-controllers.ts'
import type { Execution, Leftovers, RunEnding, SeenError } from '../invariants/index.ts'
import type { Outside } from '../outside.ts'
import type { Scheduler } from '../schedule/scheduler.ts'
import { createWorld } from '../world.ts'
import { FileOperationNames } from './fault-points.ts'
import type { DiskFault } from './report.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

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
}

/** One write-like file operation of a life. */
export interface WritePoint {
  readonly name: string
  readonly operation: FileOperation['op']
  /** Whether the life was still taking the run over. */
  readonly during: 'run' | 'recovery'
}

/** The same with the world as a crash just before it would leave it. */
export interface FaultPoint extends WritePoint {
  readonly world: SweptWorld
}

/** Where a life can be forked: nobody is in flight, and all that it has done is durable. */
export interface Boundary {
  /** The attempts that start now, without their numbers. */
  readonly name: string
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
}

/** A life that has come to its end, and the world that it has left. */
export interface EndedLifeOf {
  readonly world: SweptWorld
  readonly leftovers: Leftovers
  /** Why it would not take the run over, if so. */
  readonly refusal: SeenError | undefined
  /** The boundary at which it was left. */
  readonly leftAt: string | undefined
}

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
  #world: SweptWorld
  #during: 'run' | 'recovery'
  #timersMade = 0
  readonly #operations: FileOperationNames
  #starting: string[] = []
  /** Whether a step has finished since something went wrong last. */
  #isUndisturbed = false
  #struck = false
  #leftAt: string | undefined

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
      if (isTakenOver && this.#options.endsOnceRecovered?.(this.#world) === true) {
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
    await this.#life.fence.drop()
    const leftovers = {
      openFiles: [...this.#openFiles],
      timers: [...this.#timers].map((at) => `a wake at ${at}`),
      calls: [...this.#calls],
    }
    return { world: this.#world, leftovers, refusal, leftAt: this.#leftAt }
  }

  async #begin(): Promise<void> {
    const { definition, input, seed } = this.#workflow
    const { incarnation } = this.#life
    const { runId } = this.#world
    if (this.#options.from !== undefined) return
    if (runId !== undefined) return void (await incarnation.recover({ runId }))
    const started = await incarnation.start({ definition, input, seed, correlationId: 'sweep', launch: {} })
    this.#note({ runId: started })
  }

  async #moved(): Promise<RunEnding> {
    const status = await this.#life.move(this.#policy(), async (report) => {
      if (this.#leftAt !== undefined) return 'left'
      return report.status === 'running' ? undefined : report.status
    })
    if (status === 'left') return { status }
    const { error } = this.#life.incarnation.state()
    if (status !== 'failed' || error === null) return { status }
    const { step, message, kind } = error
    const seen: SeenError = { message, kind }
    this.#note({ errors: [...this.#world.errors, seen] })
    return { status, ...(step === null ? {} : { step }), error: seen }
  }

  #policy(): TickPolicy {
    const { onBoundary, endsAt } = this.#options
    const beforeCalls = (): boolean => {
      const name = this.#starting.sort().join()
      this.#starting = []
      if (name === '' || this.#calls.size > 0) return true
      if (endsAt !== undefined && this.#isUndisturbed && endsAt(name, this.#world)) {
        this.#leftAt = name
        return false
      }
      const fork = onBoundary === undefined ? undefined : this.#life.incarnation.fork?.()
      if (fork !== undefined) {
        const world = { ...this.#world, disk: this.#world.disk.fork() }
        onBoundary?.({ name, world, fork, occurrences: this.#operations.copy() })
      }
      return true
    }
    return { holds: new Set(), stopsAfter: () => false, maxResults: Infinity, beforeCalls }
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
    const { seed, driver, digest, gates, realWaitMs, outside } = this.#workflow
    const virtualClock = createVirtualClock(before.now)
    const ledger = createWorld(before.effects)
    const { from, scheduler } = this.#options
    return bornLife(
      {
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
        gates: createGateControllers(gates),
        faults: createFaultRecorder(faultPlan([])),
        world: {
          record: (effect) => {
            ledger.record(effect)
            this.#note({ effects: ledger.effects })
          },
          get effects() {
            return ledger.effects
          },
        },
        observer: {
          event: (event) => {
            if (event.kind === 'step_start') this.#starting.push(`${event.step}#${event.visit}`)
            if (event.kind !== 'step_finish') return
            this.#isUndisturbed = this.#during === 'run' && !this.#isTroubled
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
        compression: createCompression(),
        ...(scheduler === undefined ? {} : { scheduler }),
      },
      this.#incarnation,
    )
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
        onWrite?.({ name, operation: operation.op, during: this.#during }, () => copyOf(this.#world))
        if (diskFault === undefined || !(name === diskFault.at || (this.#struck && diskFault.sticky)))
          return undefined
        if (!this.#struck) this.#strike(name, diskFault.fault)
        this.#struck = true
        this.#isUndisturbed = false
        return name === diskFault.at ? diskFault.fault : stickyForm(diskFault.fault)
      },
      (path) => disk.dropUnsynced(path),
    )
  }

  /** Whether something is still to go wrong in this life. */
  get #isTroubled(): boolean {
    const { diskFault } = this.#options
    return diskFault !== undefined && (!this.#struck || diskFault.sticky)
  }

  #strike(key: string, fault: FileFault): void {
    const cause = 'error' in fault ? { cause: shownAs(fault.error) } : {}
    this.#note({
      faults: [...this.#world.faults, { fault: `disk ${fault.mode}`, key, class: 'reportable', ...cause }],
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
        const { step, visit, attempt, signal } = call.context
        const name = `agent of ${step}#${visit}@${attempt}`
        const execution: Execution = { step, visit, attempt, incarnation: this.#incarnation }
        if (call.context.undoing) this.#note({ undos: [...this.#world.undos, execution] })
        else this.#note({ executions: [...this.#world.executions, execution] })
        this.#calls.add(name)
        const settle = (thrown?: unknown): void => {
          this.#calls.delete(name)
          if (!signal.aborted || (thrown !== undefined && thrown === signal.reason)) return
          const executions = this.#world.executions.map((other) =>
            other === execution ? { ...execution, late: true } : other,
          )
          this.#note({ executions })
        }
        try {
          const output = await agents.invoke(call)
          settle()
          return output
        } catch (error) {
          settle(error)
          throw error
        }
      },
    }
  }

  #note(change: Partial<SweptWorld>): void {
    this.#world = { ...this.#world, ...change }
  }
}

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
  let ended = await liveOn(workflow, world, options)
  const { endsAt, endsOnceRecovered } = options
  const later = endsAt && endsOnceRecovered ? { endsAt, endsOnceRecovered } : {}
  for (let life = 1; !isOver(ended) && ended.refusal === undefined && life < livesAllowed; life++) {
    ended = await liveOn(workflow, afterEnding(ended), later)
  }
  return ended
}

const over: ReadonlySet<string> = new Set(['completed', 'cancelled', 'left'])

export function isOver({ world }: EndedLifeOf): boolean {
  return over.has(world.ending.status)
}

/** The world after a life that nobody killed: it let go by itself. */
export function afterEnding({ world, refusal }: EndedLifeOf): SweptWorld {
  return afterLife(world, 'run', world.disk, refusal)
}
