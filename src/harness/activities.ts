import { deferred } from '../core/index.ts'
import type { Deferred, StepKey } from '../core/index.ts'
import type {
  AgentCall,
  AgentContext,
  AgentOutput,
  AgentPort,
  GatePort,
  HttpPort,
  HttpRequest,
  ProcessCommand,
  ProcessPort,
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
  readonly list: readonly Activity[]
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
  let closed: Deferred<void> | undefined = deferred<void>()

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

  /** A port call of an agent: held while the session stands still, and never answered after a crash. */
  const portCall = async <T>(
    activity: Activity,
    operation: string,
    target: string,
    counter: Counter,
    work: () => Promise<T>,
  ): Promise<T> => {
    const name = target === '' ? operation : `${operation}:${target}`
    await fence.pass(name)
    activity.calls.push(name)
    try {
      while (closed !== undefined) {
        const { promise } = closed
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

  const contextOf = (activity: Activity, context: AgentContext): AgentContext => {
    const files = counterOf('files')
    const { artifacts, clock } = context
    return Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(context),
        outputs: { get: () => context.outputs, enumerable: true },
        signal: { get: () => context.signal, enumerable: true },
        random: { get: () => context.random, enumerable: true },
        idempotencyKey: { get: () => context.idempotencyKey, enumerable: true },
        artifacts: constant({
          write: (path: string, data: string | Uint8Array) => {
            activity.written.add(path)
            return portCall(activity, 'files.write', path, files, () => artifacts.write(path, data))
          },
          read: (path: string) => portCall(activity, 'files.read', path, files, () => artifacts.read(path)),
          readText: (path: string) =>
            portCall(activity, 'files.read', path, files, () => artifacts.readText(path)),
          adopt: (path: string) =>
            portCall(activity, 'files.adopt', path, files, () => artifacts.adopt(path)),
          list: (folder?: string) =>
            portCall(activity, 'files.list', folder ?? '', files, () => artifacts.list(folder)),
        }),
        service: { get: () => context.service, enumerable: true },
        http: constant({
          request: (request: HttpRequest) =>
            portCall(activity, 'http.request', request.target ?? request.url, 'simulatedWaits', () =>
              context.http.request(request),
            ),
        }),
        processes: constant({
          run: (command: ProcessCommand) =>
            portCall(activity, 'processes.run', command.command[0] ?? '', 'simulatedWaits', () =>
              context.processes.run(command),
            ),
        }),
        clock: constant({
          now: () => clock.now(),
          sleep: (ms: number) => portCall(activity, 'clock.sleep', '', 'clockWaits', () => clock.sleep(ms)),
        }),
        effect: constant(
          async <T>(name: string, run: (idempotencyKey: string) => Promise<T> | T): Promise<T> => {
            await portCall(activity, 'effect.run', name, 'simulatedWaits', async () => {})
            const result = await context.effect(name, run)
            world.record({ idempotencyKey: context.idempotencyKey, name, step: context.step })
            return result
          },
        ),
        log: constant((message: string) => {
          if (!fence.dead) context.log(message)
        }),
      },
    ) as AgentContext
  }

  return {
    get list() {
      return [...list]
    },
    open() {
      closed?.resolve()
      closed = undefined
    },
    hold() {
      closed ??= deferred<void>()
    },
    agents: (inner) => ({
      has: (name) => inner.has(name),
      names: inner.names,
      invoke(call: AgentCall): Promise<AgentOutput> {
        const { context } = call
        const { agent } = context
        const deadline = Math.min(call.attemptDeadline, call.workflowDeadline ?? Infinity)
        const activity = newActivity('agent', context, agent, deadline, () => context.signal.aborted)
        const scheduled = { ...call, context: contextOf(activity, context) }
        return follow(activity, () => inTurn(activity, 'agent.invoke', agent, () => inner.invoke(scheduled)))
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

function constant(value: unknown): PropertyDescriptor {
  return { value, enumerable: true }
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
