import { deferred, formatStepKey } from '../core/index.ts'
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
import type { World } from './world.ts'

/** One agent or gate that has been called and has not answered, with what it is seen to wait for. */
export interface Activity {
  readonly kind: 'agent' | 'gate'
  readonly step: string
  readonly agent: string
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
}

export function createActivities(options: ActivitiesOptions): Activities {
  const { bell, fence, world } = options
  const list = new Set<Activity>()
  let closed: Deferred<void> | undefined = deferred<void>()

  const counterOf = (port: keyof ActivitiesOptions['simulated']): Counter =>
    options.simulated[port] ? 'simulatedWaits' : 'realCalls'
  /** By the attempt that they perform. */
  const agents = new Map<string, Activity>()

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
    name: string,
    counter: Counter,
    work: () => Promise<T>,
  ): Promise<T> => {
    await fence.pass(name)
    while (closed !== undefined) {
      const { promise } = closed
      await waiting(activity, 'simulatedWaits', () => promise)
    }
    return waiting(activity, counter, work)
  }

  /** A call of another adapter on behalf of an attempt. */
  const outsideCall = <T>(port: 'http' | 'processes', by: StepKey, work: () => Promise<T>): Promise<T> => {
    const activity = agents.get(formatStepKey(by))
    return activity === undefined ? work() : waiting(activity, counterOf(port), work)
  }

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
          write: (path: string, data: string | Uint8Array) =>
            portCall(activity, `files.write:${path}`, files, () => artifacts.write(path, data)),
          read: (path: string) => portCall(activity, `files.read:${path}`, files, () => artifacts.read(path)),
          readText: (path: string) =>
            portCall(activity, `files.read:${path}`, files, () => artifacts.readText(path)),
          adopt: (path: string) =>
            portCall(activity, `files.adopt:${path}`, files, () => artifacts.adopt(path)),
          list: (folder?: string) =>
            portCall(activity, `files.list:${folder ?? ''}`, files, () => artifacts.list(folder)),
        }),
        service: { get: () => context.service, enumerable: true },
        http: constant({
          request: (request: HttpRequest) =>
            portCall(activity, `http.request:${request.target ?? request.url}`, 'simulatedWaits', () =>
              context.http.request(request),
            ),
        }),
        processes: constant({
          run: (command: ProcessCommand) =>
            portCall(activity, `processes.run:${command.command[0]}`, 'simulatedWaits', () =>
              context.processes.run(command),
            ),
        }),
        clock: constant({
          now: () => clock.now(),
          sleep: (ms: number) => portCall(activity, 'clock.sleep', 'clockWaits', () => clock.sleep(ms)),
        }),
        effect: constant(
          async <T>(name: string, run: (idempotencyKey: string) => Promise<T> | T): Promise<T> => {
            await portCall(activity, `effect:${name}`, 'simulatedWaits', async () => {})
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
        const { step, agent } = context
        const deadline = Math.min(call.attemptDeadline, call.workflowDeadline ?? Infinity)
        const activity = newActivity('agent', step, agent, deadline, () => context.signal.aborted)
        const key = formatStepKey(context)
        agents.set(key, activity)
        const work = (): Promise<AgentOutput> =>
          inner.invoke({ ...call, context: contextOf(activity, context) })
        return follow(activity, work).finally(() => agents.delete(key))
      },
    }),
    gates: (inner) => ({
      decide(request) {
        const { step } = request
        const activity = newActivity('gate', step, '', Infinity, () => false)
        return follow(activity, () => inner.decide(request))
      },
    }),
    http: (inner) => ({ request: (call) => outsideCall('http', call.by, () => inner.request(call)) }),
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
  step: string,
  agent: string,
  deadline: number,
  abandoned: () => boolean,
): Activity {
  return { kind, step, agent, deadline, clockWaits: 0, simulatedWaits: 0, realCalls: 0, abandoned }
}
