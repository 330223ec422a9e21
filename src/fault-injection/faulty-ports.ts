import { isJsonObject } from '../core/index.ts'
import type { AgentDelayFault, FaultKind } from '../definition/index.ts'
import type {
  AgentCall,
  AgentContext,
  AgentOutput,
  AgentPort,
  ClockPort,
  GatePort,
  HttpPort,
} from '../ports/index.ts'
import { faultyHttp } from './faulty-http.ts'
import type { FaultRecorder } from './fault-recorder.ts'

export interface FaultyPorts {
  readonly agents: AgentPort
  readonly gates: GatePort
  readonly clock: ClockPort
  readonly http: HttpPort
}

/**
 * Wraps the ports of one incarnation so that they misbehave as planned. Nobody behind the ports can tell an injected fault
 * from a real one.
 */
export function injectFaults(ports: FaultyPorts, recorder: FaultRecorder, incarnation: number): FaultyPorts {
  const clock = jumpingClock(ports.clock)
  return {
    clock,
    agents: faultyAgents(ports.agents, recorder, incarnation, clock),
    gates: faultyGates(ports.gates, recorder, incarnation),
    http: faultyHttp(ports.http, recorder, incarnation),
  }
}

function faultyAgents(
  agents: AgentPort,
  recorder: FaultRecorder,
  incarnation: number,
  clock: JumpingClock,
): AgentPort {
  return {
    has: (name) => agents.has(name),
    names: agents.names,
    async invoke(call) {
      const { step, visit, attempt, agent, clock: agentClock, undoing } = call.context
      // Faults are planned for what steps do, not for taking it back.
      if (undoing) return agents.invoke(call)
      const point = { incarnation, step, visit, attempt, operation: 'agent.invoke', target: agent }
      const fault = recorder.fire(point, agentFaults)
      switch (fault?.fault) {
        case 'agent-error': {
          const { moment = 'before', message = `injected failure of agent '${agent}'` } = fault.params ?? {}
          if (moment === 'partial') await untilFirstWrite(agents, call, message)
          if (moment === 'after') await agents.invoke(call)
          throw new InjectedAgentError(message)
        }
        case 'agent-answer':
          return wrongAnswers[fault.params?.form ?? 'malformed'](await agents.invoke(call)) as AgentOutput
        case 'agent-delay':
          return answerAround(call, await agents.invoke(call), fault.params?.until ?? 'after-limit')
        case 'clock-jump':
          clock.jump(jumps[fault.params?.by ?? 'hour'])
          return agents.invoke(call)
        case 'workflow-timeout':
          clock.jump(Math.max(0, (call.workflowDeadline ?? call.attemptDeadline) - clock.now()))
          return agentClock.sleep(Infinity)
        case 'step-timeout':
          return agentClock.sleep(Infinity)
        default:
          return agents.invoke(call)
      }
    },
  }
}

const agentFaults = [
  'agent-error',
  'agent-answer',
  'agent-delay',
  'clock-jump',
  'step-timeout',
  'workflow-timeout',
] as const satisfies readonly FaultKind[]

const [second, hour, year] = [1_000, 3_600_000, 365 * 86_400_000]

const jumps = {
  second,
  hour,
  year,
  'back-second': -second,
  'back-hour': -hour,
  'back-year': -year,
}

/** Beyond what an event holds itself. */
const oversizeCharacters = 100_000

const wrongAnswers: Readonly<
  Record<'malformed' | 'empty' | 'oversize' | 'worst-scores', (output: AgentOutput) => unknown>
> = {
  malformed: () => ({ total: 1n }),
  empty: () => undefined,
  oversize: () => 'x'.repeat(oversizeCharacters),
  'worst-scores': (output) =>
    isJsonObject(output) && isJsonObject(output['scores'])
      ? {
          ...output,
          scores: Object.fromEntries(Object.keys(output['scores']).map((name) => [name, worstScore])),
        }
      : output,
}

const worstScore = -1

/** Calls the agent; every artifact that it writes is staged, and the writing fails all the same. */
async function untilFirstWrite(agents: AgentPort, call: AgentCall, message: string): Promise<void> {
  const { artifacts } = call.context
  const write: typeof artifacts.write = async (path, data) => {
    await artifacts.write(path, data)
    throw new InjectedAgentError(message)
  }
  const context = Object.create(call.context, {
    artifacts: { value: { ...artifacts, write }, enumerable: true },
  }) as AgentContext
  await agents.invoke({ ...call, context })
}

/** Keeps an answer back. An attempt that has ended meanwhile aborts the sleep, and the answer comes too late. */
async function answerAround(
  { context, attemptDeadline }: AgentCall,
  output: AgentOutput,
  until: NonNullable<NonNullable<AgentDelayFault['params']>['until']>,
): Promise<AgentOutput> {
  const offsetMs = { 'before-limit': -1, 'at-limit': 0, 'after-limit': 1 }[until]
  try {
    await context.clock.sleep(Math.max(0, attemptDeadline + offsetMs - context.clock.now()))
  } catch {
    // Its limit has ended the attempt; it answers all the same.
  }
  return output
}

function faultyGates(gates: GatePort, recorder: FaultRecorder, incarnation: number): GatePort {
  return {
    async decide(request) {
      const { step, visit, attempt } = request
      const point = { incarnation, step, visit, attempt, operation: 'gate.decide', target: step }
      const fault = recorder.fire(point, ['gate-failure'])
      if (fault?.fault !== 'gate-failure') return gates.decide(request)
      const reason = fault.params?.reason ?? 'injected gate failure'
      if (fault.params?.mode === 'throw') throw new InjectedGateError(reason)
      return { passed: false, reason }
    },
  }
}

/** What an injected agent exception looks like to the engine. */
export class InjectedAgentError extends Error {
  override readonly name = 'InjectedAgentError'
}

/** What a gate that cannot be judged looks like to the engine. */
export class InjectedGateError extends Error {
  override readonly name = 'InjectedGateError'
}

interface JumpingClock extends ClockPort {
  /**
   * Moves the time that is shown. Forward: wakes fire when the clock behind gets there, or at once when they are now in the past.
   * Back: those that were scheduled before come when they would have.
   */
  jump(byMs: number): void
}

function jumpingClock(clock: ClockPort): JumpingClock {
  let offsetMs = 0
  const pending = new Set<{ at: number; rearm: () => void }>()
  return {
    now: () => clock.now() + offsetMs,
    schedule(at, wake) {
      let inner = { cancel() {} }
      const entry = {
        at,
        rearm() {
          inner.cancel()
          inner = clock.schedule(at - offsetMs, () => {
            pending.delete(entry)
            wake()
          })
        },
      }
      pending.add(entry)
      entry.rearm()
      return {
        cancel() {
          pending.delete(entry)
          inner.cancel()
        },
      }
    },
    jump(byMs) {
      offsetMs += byMs
      if (byMs > 0) for (const entry of Array.from(pending)) entry.rearm()
    },
  }
}
