import type { AgentPort, ClockPort, GatePort, HttpPort } from '../ports/index.ts'
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
      const fault = recorder.fire(point, ['agent-error', 'step-timeout', 'workflow-timeout'])
      switch (fault?.fault) {
        case 'agent-error':
          if (fault.params?.moment === 'after') await agents.invoke(call)
          throw new InjectedAgentError(fault.params?.message ?? `injected failure of agent '${agent}'`)
        case 'workflow-timeout':
          clock.jumpTo(call.workflowDeadline ?? call.attemptDeadline)
          return agentClock.sleep(Infinity)
        case 'step-timeout':
          return agentClock.sleep(Infinity)
        default:
          return agents.invoke(call)
      }
    },
  }
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
  /** Moves the time that is shown; wakes fire when the clock behind gets there, or at once when they are now in the past. */
  jumpTo(at: number): void
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
    jumpTo(at) {
      offsetMs += Math.max(0, at - (clock.now() + offsetMs))
      for (const entry of Array.from(pending)) entry.rearm()
    },
  }
}
