import { deferred } from '../core/index.ts'
import type { Deferred, JsonObject, JsonValue, StepKey } from '../core/index.ts'
import type {
  AgentCall,
  AgentClock,
  AgentContext,
  AgentOutput,
  AgentPort,
  ArtifactsContext,
  GatePort,
  HttpClient,
  HttpPort,
  ProcessPort,
  ProcessRunner,
} from '../ports/index.ts'
import type { Bell } from './bell.ts'
import type { Fence } from './fence.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { taskNames } from './schedule/task.ts'
import type { World } from './world.ts'

/** One agent or gate that has been called and has not answered, with what it is seen to wait for. */
export interface Activity extends StepKey {
  readonly kind: 'agent' | 'gate'
  readonly agent: string
  /** Port calls that have not been answered, and the last one that was. */
  readonly calls: string[]
  lastCall: string | undefined
  /** Paths that it has staged: they appear in the project with its answer. */
  readonly written: Set<string>
  /** Sleeps on the run's clock. */
  clockWaits: number
  /** Calls held at the turnstile or answered by a simulated port. */
  simulatedWaits: number
  /** Calls that a real adapter is working on. */
  realCalls: number
  /** When its attempt is out of time. */
  readonly deadline: number
  /** Whether its attempt has ended without it: nobody waits for it any more. */
  readonly abandoned: () => boolean
}

/** Follows everything in flight and holds port calls back between two moves of a session. */
export interface Activities {
  all(): readonly Activity[]
  /** Lets port calls through. */
  open(): void
  /** Holds every further port call until `open`. */
  hold(): void
  agents(inner: AgentPort): AgentPort
  gates(inner: GatePort): GatePort
  http(inner: HttpPort): HttpPort
  processes(inner: ProcessPort): ProcessPort
}

export interface ActivitiesOptions {
  readonly bell: Bell
  readonly fence: Fence
  readonly world: World
  /** Which calls a simulated adapter answers. */
  readonly simulated: { readonly files: boolean; readonly http: boolean; readonly processes: boolean }
  /** Lets tasks of a life go on one at a time; absent: as they come. */
  readonly scheduler: Scheduler | undefined
  readonly incarnation: number
}

export function createActivities(options: ActivitiesOptions): Activities {
  const { bell, fence, world, scheduler } = options
  const taskOf = scheduler === undefined ? undefined : taskNames(options.incarnation)
  const list = new Set<Activity>()
  let isClosed = true
  let opening: Deferred<void> | undefined

  const counterOf = (port: keyof ActivitiesOptions['simulated']): Counter =>
    options.simulated[port] ? 'simulatedWaits' : 'realCalls'

  const waiting = async <T>(activity: Activity, counter: Counter, work: () => Promise<T>): Promise<T> => {
    activity[counter]++
    bell.ring()
    try {
      return await work()
    } finally {
      activity[counter]--
      bell.ring()
    }
  }

  const portCall: PortCall = async (activity, operation, target, counter, work) => {
    const name = target === '' ? operation : `${operation}:${target}`
    await fence.pass(name)
    activity.calls.push(name)
    try {
      while (isClosed) {
        opening ??= deferred<void>()
        const { promise } = opening
        await waiting(activity, 'simulatedWaits', () => promise)
      }
      await itsTurn(activity, operation, target)
      return await waiting(activity, counter, work)
    } finally {
      activity.calls.splice(activity.calls.indexOf(name), 1)
      activity.lastCall = name
    }
  }

  const itsTurn = async (
    activity: Activity,
    operation: string,
    target: string,
    publishes?: readonly string[],
  ): Promise<void> => {
    if (scheduler === undefined || taskOf === undefined) return
    const task = taskOf(activity, operation, target, publishes)
    await waiting(activity, 'simulatedWaits', () => scheduler.turnOf(task))
  }

  /** Puts where an activity begins and where it answers in the order of the schedule. */
  const inTurn = async <T>(
    activity: Activity,
    begins: string,
    target: string,
    work: () => Promise<T>,
  ): Promise<T> => {
    if (scheduler === undefined) return work()
    await itsTurn(activity, begins, target)
    try {
      return await work()
    } finally {
      await itsTurn(activity, `${activity.kind}.answer`, target, [...activity.written])
    }
  }

  /** A call of another adapter on behalf of an attempt. */
  const outsideCall = <T>(port: 'http' | 'processes', by: StepKey, work: () => Promise<T>): Promise<T> => {
    const activity = performerOf(by)
    return activity === undefined ? work() : waiting(activity, counterOf(port), work)
  }

  const performerOf = (by: StepKey): Activity | undefined =>
    [...list].find(
      ({ kind, step, visit, attempt }) =>
        kind === 'agent' && step === by.step && visit === by.visit && attempt === by.attempt,
    )

  const follow = async <T>(activity: Activity, work: () => Promise<T>): Promise<T> => {
    list.add(activity)
    try {
      return await work()
    } finally {
      list.delete(activity)
      bell.ring()
    }
  }

  const ports: ContextPorts = { portCall, fence, world, files: counterOf('files') }

  return {
    all: () => [...list],
    open() {
      isClosed = false
      opening?.resolve()
      opening = undefined
    },
    hold() {
      isClosed = true
    },
    agents: (inner) => ({
      has: (name) => inner.has(name),
      names: inner.names,
      invoke(call: AgentCall): Promise<AgentOutput> {
        const { context } = call
        const { agent } = context
        const deadline = Math.min(call.attemptDeadline, call.workflowDeadline ?? Infinity)
        const activity = newActivity('agent', context, agent, deadline, call.aborted)
        const watched = { ...call, context: new WatchedContext(context, activity, ports) }
        return follow(activity, () => inTurn(activity, 'agent.invoke', agent, () => inner.invoke(watched)))
      },
    }),
    gates: (inner) => ({
      decide(request) {
        const activity = newActivity('gate', request, '', Infinity, () => false)
        return follow(activity, () =>
          inTurn(activity, 'gate.decide', request.step, () => inner.decide(request)),
        )
      },
    }),
    http: (inner) => ({
      async request(call) {
        const performer = scheduler === undefined ? undefined : performerOf(call.by)
        if (performer !== undefined) await itsTurn(performer, 'http.request', call.target)
        return outsideCall('http', call.by, () => inner.request(call))
      },
    }),
    processes: (inner) => ({
      async start(call) {
        const process = await outsideCall('processes', call.by, () => inner.start(call))
        const release = deferred<void>()
        return {
          group: process.group,
          end: () => process.end(),
          abandon: () => process.abandon(),
          release() {
            process.release()
            release.resolve()
          },
          // Until it is let go it waits for the engine, and not for the machine.
          result: Promise.race([
            process.result,
            release.promise.then(() => outsideCall('processes', call.by, () => process.result)),
          ]),
        }
      },
      endGroup: (group) => inner.endGroup(group),
    }),
  }
}

type Counter = 'clockWaits' | 'simulatedWaits' | 'realCalls'

/** A port call of an agent: held while the session stands still, and never answered after a crash. */
type PortCall = <T>(
  activity: Activity,
  operation: string,
  target: string,
  counter: Counter,
  work: () => Promise<T>,
) => Promise<T>

interface ContextPorts {
  readonly portCall: PortCall
  readonly fence: Fence
  readonly world: World
  readonly files: Counter
}

interface Watched {
  readonly context: AgentContext
  readonly activity: Activity
  readonly ports: ContextPorts
  artifacts: ArtifactsContext | undefined
  clock: AgentClock | undefined
}

/** The context of an attempt, with every call that leaves the agent seen. One is made for every attempt. */
class WatchedContext implements AgentContext {
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
  readonly step: string
  readonly agent: string
  readonly action: string | undefined
  readonly visit: number
  readonly attempt: number
  readonly undoing: boolean
  readonly input: JsonValue
  readonly parameters: JsonObject
  readonly requires: readonly string[]
  readonly creates: readonly string[]
  readonly thresholds: Readonly<Record<string, number>>
  readonly seed: number | string
  readonly project: AgentContext['project']
  // Not hidden from what is made of it with Object.create.
  private readonly watched: Watched

  constructor(context: AgentContext, activity: Activity, ports: ContextPorts) {
    this.watched = { context, activity, ports, artifacts: undefined, clock: undefined }
    this.workflowId = context.workflowId
    this.runId = context.runId
    this.correlationId = context.correlationId
    this.step = context.step
    this.agent = context.agent
    this.action = context.action
    this.visit = context.visit
    this.attempt = context.attempt
    this.undoing = context.undoing
    this.input = context.input
    this.parameters = context.parameters
    this.requires = context.requires
    this.creates = context.creates
    this.thresholds = context.thresholds
    this.seed = context.seed
    this.project = context.project
  }

  get outputs(): AgentContext['outputs'] {
    return this.watched.context.outputs
  }

  get signal(): AbortSignal {
    return this.watched.context.signal
  }

  get random(): AgentContext['random'] {
    return this.watched.context.random
  }

  get idempotencyKey(): string {
    return this.watched.context.idempotencyKey
  }

  get service(): AgentContext['service'] {
    return this.watched.context.service
  }

  get artifacts(): ArtifactsContext {
    return (this.watched.artifacts ??= this.watchedArtifacts())
  }

  get clock(): AgentClock {
    return (this.watched.clock ??= this.watchedClock())
  }

  get http(): HttpClient {
    const { http } = this.watched.context
    return {
      request: (request) =>
        this.call('http.request', request.target ?? request.url, 'simulatedWaits', () =>
          http.request(request),
        ),
    }
  }

  get processes(): ProcessRunner {
    const { processes } = this.watched.context
    return {
      run: (command) =>
        this.call('processes.run', command.command[0] ?? '', 'simulatedWaits', () => processes.run(command)),
    }
  }

  get effect(): AgentContext['effect'] {
    return async (name, run) => {
      await this.call('effect.run', name, 'simulatedWaits', async () => {})
      const { effect, idempotencyKey } = this.watched.context
      const result = await effect(name, run)
      this.watched.ports.world.record({ idempotencyKey, name, step: this.step })
      return result
    }
  }

  get log(): AgentContext['log'] {
    const { log } = this.watched.context
    return (message) => {
      if (!this.watched.ports.fence.dead) log(message)
    }
  }

  private call<T>(operation: string, target: string, counter: Counter, work: () => Promise<T>): Promise<T> {
    return this.watched.ports.portCall(this.watched.activity, operation, target, counter, work)
  }

  private watchedArtifacts(): ArtifactsContext {
    const { artifacts } = this.watched.context
    const { files } = this.watched.ports
    return {
      write: (path, data) => {
        this.watched.activity.written.add(path)
        return this.call('files.write', path, files, () => artifacts.write(path, data))
      },
      read: (path) => this.call('files.read', path, files, () => artifacts.read(path)),
      readText: (path) => this.call('files.read', path, files, () => artifacts.readText(path)),
      adopt: (path) => this.call('files.adopt', path, files, () => artifacts.adopt(path)),
      list: (folder) => this.call('files.list', folder ?? '', files, () => artifacts.list(folder)),
    }
  }

  private watchedClock(): AgentClock {
    const { clock } = this.watched.context
    return {
      now: () => clock.now(),
      sleep: (ms) => this.call('clock.sleep', '', 'clockWaits', () => clock.sleep(ms)),
    }
  }
}

function newActivity(
  kind: Activity['kind'],
  { step, visit, attempt }: StepKey,
  agent: string,
  deadline: number,
  abandoned: () => boolean,
): Activity {
  return {
    kind,
    step,
    visit,
    attempt,
    agent,
    deadline,
    calls: [],
    lastCall: undefined,
    written: new Set(),
    clockWaits: 0,
    simulatedWaits: 0,
    realCalls: 0,
    abandoned,
  }
}
