import { createDigest, createTurn } from '../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../src/adapters/virtual/index.ts'
import { isFaultlineError, messageOf } from '../../src/core/index.ts'
import { createReferenceDriver } from '../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../src/harness/index.ts'
import type {
  ResumeOptions,
  RunOutcome,
  WorkflowInput,
  WorkflowSession,
  WorkflowSessionOptions,
} from '../../src/harness/index.ts'
import type {
  EndedLife,
  Evidence,
  Execution,
  FiredFaultRecord,
  Leftovers,
  RunEnding,
  SeenError,
  Told,
} from '../../src/harness/invariants/index.ts'
import type { AgentPort, ClockPort, DriverPorts, FilesPort, WorkflowDriver } from '../../src/ports/index.ts'

/** What becomes of the disk between a crash and the next life. */
export interface CrashOptions {
  /** Default `kill`: everything written is there. */
  readonly disk?: 'kill' | 'power-min'
  /** Changes what the next life finds, such as a torn line. */
  readonly damage?: (files: VirtualFiles) => void
}

export interface WatchedRun {
  readonly session: WorkflowSession
  /** A moving call; its error, if it has one, counts as seen. */
  move(call: (session: WorkflowSession) => Promise<RunOutcome>): Promise<void>
  crash(options?: CrashOptions): Promise<void>
  /** Goes on to the end, and dies at the given write, counted from 1; false when the run has fewer. */
  crashAtWrite(write: number, options?: CrashOptions): Promise<boolean>
  /** Takes the run over after a crash or a failure; a refusal is kept as evidence. */
  resume(options?: ResumeOptions): Promise<void>
  /** Takes the run over, and dies at the given write of the recovery; false when it has fewer. */
  crashInResume(write: number, options?: CrashOptions): Promise<boolean>
  /** Has the session take the run over by a call of its own, and dies at the given write of that; false when it has fewer. */
  takeUp(
    call: (session: WorkflowSession) => Promise<unknown>,
    write?: number,
    options?: CrashOptions,
  ): Promise<boolean>
  /** Ends the session and hands over what it has left. */
  evidence(more?: Partial<Evidence>): Promise<Evidence>
}

const writing: ReadonlySet<string> = new Set([
  'write',
  'writeNew',
  'append',
  'fsync',
  'fsyncFolder',
  'rename',
  'remove',
  'removeFolder',
])

/** A real session on a simulated disk, watched at its ports: what went through them is the evidence. */
export async function watchedRun(
  workflow: WorkflowInput,
  options: WorkflowSessionOptions = {},
): Promise<WatchedRun> {
  const watch = new PortWatch()
  const project = await createProject({ storage: 'memory' })
  const session = await runWorkflowStepByStep(workflow, {
    checkpointEvery: 0,
    ...options,
    project,
    driver: watch.driver,
  })
  const errors: SeenError[] = []
  const lives: EndedLife[] = []
  let ending: RunEnding = { status: 'unfinished' }
  let told: Told = { completedSteps: [] }

  const see = (outcome: RunOutcome): void => {
    const { error, status } = outcome
    const seen = error === undefined ? undefined : { message: error.message, kind: error.kind }
    if (seen !== undefined) errors.push(seen)
    if (status === 'crashed' || status === 'stopped') return
    const step = outcome.step === undefined ? {} : { step: outcome.step }
    ending = { status, ...step, ...(seen === undefined ? {} : { error: seen }) }
  }
  const tell = (): void => {
    const finished = session.events().filter((event) => event.kind === 'step_finish')
    const { status } = session.state()
    told = {
      completedSteps: finished.map(({ step, visit, seq }) => ({ step, visit, seq })),
      ...(status === 'completed' || status === 'failed' || status === 'cancelled' ? { status } : {}),
    }
  }
  const seeThrown = (thrown: unknown): SeenError => {
    const seen = seenError(thrown)
    errors.push(seen)
    return seen
  }
  const endLife = (during: EndedLife['during'], how: CrashOptions): void => {
    const logPath = `.workflow/runs/${session.runId}/events.jsonl`
    const durableLog = watch.disk.afterCrash('power-min').snapshotFiles().get(logPath) ?? new Uint8Array()
    watch.disk = watch.disk.afterCrash(how.disk ?? 'kill')
    watch.nextLife()
    how.damage?.(watch.disk)
    const disk = watch.disk.snapshotFiles()
    const incarnation = watch.life
    lives.push({ incarnation, during, durableLog, disk, told })
  }
  const crash = async (during: EndedLife['during'], how: CrashOptions = {}): Promise<void> => {
    await session.crash()
    endLife(during, how)
  }
  const resume = async (how?: ResumeOptions): Promise<void> => {
    if (lives.length < watch.life) endLife('run', {})
    try {
      await session.resume(how)
    } catch (error) {
      const refusal = seeThrown(error)
      const last = lives.at(-1) as EndedLife
      lives[lives.length - 1] = { ...last, refusal }
      ending = isFaultlineError(error, 'RUN_NOT_RESUMABLE')
        ? { status: error.details['status'] as 'completed' | 'cancelled' }
        : { status: 'refused', error: refusal }
    }
  }

  return {
    session,
    async move(call) {
      try {
        see(await call(session))
        tell()
      } catch (error) {
        seeThrown(error)
      }
    },
    crash: (how) => crash('run', how),
    async crashAtWrite(write, how = {}) {
      watch.dieAt(write)
      const outcome = await session.runToEnd().catch(() => undefined)
      watch.dieAt(Infinity)
      if (outcome !== undefined) {
        see(outcome)
        tell()
        return false
      }
      await crash('run', how)
      return true
    },
    resume,
    async crashInResume(write, how = {}) {
      watch.dieAt(write)
      const resumed = await session.resume().catch(() => undefined)
      watch.dieAt(Infinity)
      if (resumed !== undefined) return false
      await crash('recovery', how)
      return true
    },
    async takeUp(call, write = Infinity, how = {}) {
      if (lives.length < watch.life) endLife('run', {})
      watch.dieAt(write)
      try {
        await call(session)
      } catch (error) {
        watch.dieAt(Infinity)
        if (write === Infinity) throw error
        await crash('recovery', how)
        return true
      }
      watch.dieAt(Infinity)
      return false
    },
    async evidence(more = {}) {
      const files = watch.disk.snapshotFiles()
      // Whoever was told to end has ended when all that could go on has.
      await createTurn().next()
      const executions = watch.executions.slice()
      const undos = watch.undos.slice()
      const leftovers = watch.leftovers()
      watch.disk = watch.disk.fork()
      await session.resume().catch(() => {})
      const secondResume = {
        files: watch.disk.snapshotFiles(),
        executions: watch.executions.slice(executions.length),
      }
      await session.close().catch(() => {})
      return {
        runId: session.runId,
        digest: createDigest(),
        clock: 'virtual',
        initialFiles: new Map(),
        files,
        earlierLives: lives,
        ending,
        executions,
        undos,
        effects: session.world,
        faults: firedFaults(session),
        errors,
        warnings: session.logs.filter(({ level }) => level === 'warn').map(({ message }) => message),
        leftovers,
        secondResume,
        unhandledRejections: [],
        ...more,
      }
    },
  }
}

class PortWatch {
  disk = createVirtualFiles()
  life = 0
  readonly executions: Execution[] = []
  readonly undos: Execution[] = []
  readonly #openFiles = new Set<string>()
  readonly #timers = new Set<string>()
  readonly #calls = new Set<string>()
  #writesLeft = Infinity
  /** Raised when a life dies: what it still does reaches nothing. */
  #generation = 0

  nextLife(): void {
    this.#generation++
    this.#writesLeft = Infinity
    for (const held of [this.#openFiles, this.#timers, this.#calls]) held.clear()
  }

  dieAt(write: number): void {
    this.#writesLeft = write
  }

  leftovers(): Leftovers {
    return { openFiles: [...this.#openFiles], timers: [...this.#timers], calls: [...this.#calls] }
  }

  get driver(): WorkflowDriver {
    const inner = createReferenceDriver()
    return {
      ...inner,
      incarnate: (ports) => {
        this.life++
        return inner.incarnate({
          ...ports,
          files: this.#files(this.#generation),
          clock: this.#clock(ports.clock),
          agents: this.#agents(ports.agents),
        })
      },
      reader: (ports: Pick<DriverPorts, 'files' | 'digest' | 'owner'>) => {
        const files: FilesPort = { perform: (operation) => this.disk.perform(operation) }
        return inner.reader({ ...ports, files })
      },
    }
  }

  #files(generation: number): FilesPort {
    return {
      perform: (operation) => {
        if (generation !== this.#generation) return undefined as never
        if (writing.has(operation.op) && --this.#writesLeft < 0) throw new Error('This life has ended.')
        if (operation.op === 'append') this.#openFiles.add(operation.path)
        if (operation.op === 'close') this.#openFiles.delete(operation.path)
        return this.disk.perform(operation)
      },
    }
  }

  #clock(inner: ClockPort): ClockPort {
    return {
      now: () => inner.now(),
      schedule: (at, wake) => {
        const name = `wake at ${at}`
        this.#timers.add(name)
        const scheduled = inner.schedule(at, () => {
          this.#timers.delete(name)
          wake()
        })
        return {
          cancel: () => {
            this.#timers.delete(name)
            scheduled.cancel()
          },
        }
      },
    }
  }

  #agents(inner: AgentPort): AgentPort {
    return {
      has: (name) => inner.has(name),
      names: inner.names,
      invoke: async (call) => {
        const { step, visit, attempt, signal, undoing } = call.context
        const name = `${undoing ? 'undo ' : ''}${step}#${visit}@${attempt}`
        const calls = undoing ? this.undos : this.executions
        const index = calls.push({ step, visit, attempt, incarnation: this.life }) - 1
        const settle = (thrown?: unknown): void => {
          this.#calls.delete(name)
          if (!signal.aborted || (thrown !== undefined && thrown === signal.reason)) return
          calls[index] = { ...(calls[index] as Execution), late: true }
        }
        this.#calls.add(name)
        try {
          const output = await inner.invoke(call)
          settle()
          return output
        } catch (error) {
          settle(error)
          throw error
        }
      },
    }
  }
}

/** Faults of the injectors can be survived by a retry, a loop or a resume; what they say is what they were told to say. */
function firedFaults(session: WorkflowSession): readonly FiredFaultRecord[] {
  return session.faults.fired.flatMap(({ fault, keys }) =>
    keys.map((key) => ({
      fault: fault.fault,
      key,
      class: 'survivable' as const,
      movesClock: fault.fault === 'workflow-timeout',
    })),
  )
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
