import { FaultlineError } from '../core/index.ts'
import type { VirtualClock } from '../adapters/virtual/index.ts'
import { withBuiltInSteps } from '../built-in-steps/index.ts'
import { injectFaults } from '../fault-injection/index.ts'
import type { FaultRecorder, FaultyPorts } from '../fault-injection/index.ts'
import type {
  AgentPort,
  ClockPort,
  CompressionPort,
  DigestPort,
  FilesPort,
  IdsPort,
  Incarnation,
  ObserverPort,
  OwnerPort,
  RunReader,
  StorageOptions,
  TickPolicy,
  TickReport,
  TurnPort,
  WorkflowDriver,
} from '../ports/index.ts'
import type { KnownFiles } from '../trace/index.ts'
import { createActivities } from './activities.ts'
import type { Activity } from './activities.ts'
import { Bell } from './bell.ts'
import { Fence } from './fence.ts'
import type { GateControllers } from './gate-controllers.ts'
import type { Outside } from './outside.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { clockTask } from './schedule/task.ts'
import type { World } from './world.ts'

/** What a life is lived in. */
export interface LifeWorld {
  readonly driver: WorkflowDriver
  readonly files: FilesPort
  readonly simulatedFiles: boolean
  readonly projectFolder: string | undefined
  readonly clock: ClockPort
  /** The same clock when it is virtual and may be moved. */
  readonly virtualClock: VirtualClock | undefined
  readonly turn: TurnPort
  readonly digest: DigestPort
  readonly compression: CompressionPort
  readonly ids: IdsPort
  /** Who holds the run in a given life. */
  readonly ownerOf: (life: number) => OwnerPort
  readonly agents: AgentPort
  readonly gates: GateControllers
  /** Undefined when nothing is to go wrong with any call. */
  readonly faults: FaultRecorder | undefined
  readonly world: World
  readonly observer: ObserverPort
  readonly realWaitMs: number
  readonly storage: StorageOptions
  readonly outside: Outside
  /** Puts agents and gates in order; absent: they go on as they come. Needs the virtual clock. */
  readonly scheduler?: Scheduler
  readonly knownFiles?: KnownFiles | undefined
}

/** What all lives of one session share. */
export interface SessionWorld extends LifeWorld {
  readonly faults: FaultRecorder
}

/** One life of the engine between two crashes or failures, with everything that dies with it. */
export interface EngineLife {
  readonly incarnation: Incarnation
  /** Made when somebody wants to read. */
  reader(): RunReader
  readonly fence: Fence
  /** Has a move that waits look again. */
  wake(): void
  /**
   * Ticks until `settled` finds an outcome in a report. Between two ticks it waits for whatever is in flight and moves the
   * virtual clock when nothing but time can help.
   */
  move<T>(
    policy: TickPolicy,
    settled: (report: TickReport, idle: boolean) => Promise<T | undefined>,
    beforeTick?: () => void,
  ): Promise<T>
  /** Holds no port call back any more: once the incarnation is closed it refuses them all. */
  letGo(): void
}

export function bornLife(world: LifeWorld, number: number): EngineLife {
  const fence = new Fence()
  const bell = new Bell()
  const activities = createActivities({
    bell,
    fence,
    world: world.world,
    simulated: { files: world.simulatedFiles, ...world.outside.simulated },
    scheduler: world.scheduler,
    incarnation: number,
  })
  world.scheduler?.begin()
  const { environment, http, processes } = world.outside
  const files = fence.files(world.files)
  const sound: FaultyPorts = {
    agents: withBuiltInSteps(world.agents, { environment }),
    gates: world.gates,
    clock: fence.clock(world.clock),
    http: activities.http(fence.http(http)),
  }
  const faulty = world.faults === undefined ? sound : injectFaults(sound, world.faults, number)
  const owner = world.ownerOf(number)
  let reader: RunReader | undefined
  const incarnation = world.driver.incarnate({
    ...world.storage,
    compression: world.compression,
    files,
    clock: faulty.clock,
    agents: activities.agents(faulty.agents),
    gates: activities.gates(faulty.gates),
    http: faulty.http,
    processes: activities.processes(fence.processes(processes(files))),
    ids: world.ids,
    digest: world.digest,
    owner,
    observer: world.observer,
    wake: () => bell.ring(),
    projectFolder: world.projectFolder,
    knownFiles: world.knownFiles,
  })
  return {
    incarnation,
    fence,
    reader: () =>
      (reader ??= world.driver.reader({
        compression: world.compression,
        files: world.files,
        digest: world.digest,
        ...world.storage,
        owner: { self: owner.self, liveness: (other) => (fence.dead ? 'dead' : owner.liveness(other)) },
      })),
    wake: () => bell.ring(),
    async move(policy, settled, beforeTick) {
      activities.open()
      try {
        for (;;) {
          bell.clear()
          beforeTick?.()
          const report = await incarnation.tick(policy)
          const outcome = await settled(report, false)
          if (outcome !== undefined) return outcome
          if (report.backlog > 0) continue
          const alarm =
            report.nextAt === undefined ? undefined : faulty.clock.schedule(report.nextAt, () => bell.ring())
          try {
            if (await untilSomethingHappens(report)) continue
          } finally {
            alarm?.cancel()
          }
          const idleOutcome = await settled(report, true)
          if (idleOutcome !== undefined) return idleOutcome
          throw deadlock(report, activities.all())
        }
      } finally {
        activities.hold()
      }
    },
    letGo() {
      activities.open()
    },
  }

  /** True when a further tick may find something; false when nothing can ever move again. */
  async function untilSomethingHappens(report: TickReport): Promise<boolean> {
    for (;;) {
      await world.turn.next()
      if (bell.rung) return true
      if (world.virtualClock === undefined) {
        if (report.inFlight.length === 0 && report.nextAt === undefined) return false
        if (world.gates.waiting().length > 0 && waitedFor().every(isWaitingGate)) return false
        await bell.wait()
        return true
      }
      const unseen = activities.all().filter(isUnseen)
      if (unseen.length > 0 && unseen.every(({ realCalls }) => realCalls > 0)) {
        if (await untilAnswered(unseen, world.virtualClock)) return true
        continue
      }
      if (unseen.length > 0) {
        if (await world.turn.waitFor(bell.wait(), world.realWaitMs)) return true
        throw notOnClock(unseen, world.realWaitMs)
      }
      const at = world.virtualClock.next()
      if (world.scheduler !== undefined) {
        const task = world.scheduler.release(sleeperIsDue(at, report))
        if (task !== undefined && task !== clockTask) continue
      }
      if (at === undefined || at === Infinity) return false
      if (waitedFor().length > 0 && waitedFor().every(isWaitingGate) && report.nextAt === undefined)
        return false
      world.virtualClock.advanceTo(at)
      if (bell.rung) return true
    }
  }

  /**
   * What runs on the real machine holds the virtual clock, for as long in real time as its attempt has left: then the clock goes on
   * to the limit, which strikes as it would have.
   */
  async function untilAnswered(busy: readonly Activity[], clock: VirtualClock): Promise<boolean> {
    const deadline = Math.min(...busy.map((activity) => activity.deadline))
    const leftMs = Math.max(0, deadline - faulty.clock.now())
    if (await world.turn.waitFor(bell.wait(), leftMs)) return true
    clock.advanceTo(clock.now() + leftMs)
    return bell.rung
  }

  /** Whether the next thing that time brings is the end of an agent's sleep, and not of a limit. */
  function sleeperIsDue(at: number | undefined, { nextAt = Infinity }: TickReport): boolean {
    if (at === undefined || !waitedFor().some(({ clockWaits }) => clockWaits > 0)) return false
    const jumpedMs = faulty.clock.now() - world.clock.now()
    return at + jumpedMs < nextAt
  }

  function waitedFor(): readonly Activity[] {
    return activities.all().filter((activity) => !activity.abandoned())
  }

  function isWaitingGate(activity: Activity): boolean {
    return activity.kind === 'gate' && world.gates.waiting().includes(activity.step)
  }

  /** In flight without a sign of what it waits for: it may go on by itself at any moment. */
  function isUnseen(activity: Activity): boolean {
    if (activity.abandoned()) return false
    if (activity.realCalls > 0) return true
    return activity.clockWaits === 0 && activity.simulatedWaits === 0 && !isWaitingGate(activity)
  }
}

function notOnClock(unseen: readonly Activity[], realWaitMs: number): FaultlineError {
  const who = unseen.map(
    (activity) =>
      nameOf(activity) + (activity.lastCall === undefined ? '' : ` (after its call ${activity.lastCall})`),
  )
  const eachOther = unseen.length > 1 ? ', perhaps for each other' : ''
  return new FaultlineError(
    'AGENT_NOT_ON_CLOCK',
    `For ${realWaitMs} ms of real time ${who.join(' and ')} waited for something that the virtual clock cannot see${eachOther}. Wait with ` +
      `context.clock.sleep instead, or run the session with clock: 'real'.`,
    { details: { steps: unseen.map(({ step }) => step) } },
  )
}

function deadlock(report: TickReport, activities: readonly Activity[]): FaultlineError {
  const waits = activities.map((activity) => {
    const [call] = activity.calls
    return `${nameOf(activity)} ${call === undefined ? 'never answers' : `waits for ${call}, which never ends`}`
  })
  const held = report.held.map((step) => `step '${step}' is held back`)
  return new FaultlineError(
    'DEADLOCK',
    `Nothing can move: ${[...waits, ...held].join(', ') || 'no step is ready'}.`,
    { details: { inFlight: report.inFlight, held: report.held } },
  )
}

function nameOf({ kind, step, agent }: Activity): string {
  return kind === 'gate' ? `the gate of step '${step}'` : `agent '${agent}' of step '${step}'`
}
