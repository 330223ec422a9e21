import fc from 'fast-check'
import { faultPlanVersion } from '../definition/index.ts'
import type { Fault, FaultPlan, FaultSelector } from '../definition/index.ts'
import type { AgentWorkflow } from '../engine/index.ts'

export interface FaultPlansOptions {
  /** Default 3. */
  readonly maxFaults?: number
}

/**
 * Plans whose every fault fires, if the run is resumed until it has completed: at most one for the agent and one for the gate of a
 * step, the first time or the first times that they are called. Shrinks to fewer faults that fire once.
 *
 * @example workflows().chain((workflow) => fc.tuple(fc.constant(workflow), faultPlans(workflow)))
 */
export function faultPlans(
  workflow: AgentWorkflow,
  options: FaultPlansOptions = {},
): fc.Arbitrary<FaultPlan> {
  const steps = fc.constantFrom(...workflow.steps.map(({ id }) => id))
  const gated = workflow.steps.flatMap(({ id, gate }) => (gate === undefined ? [] : [id]))
  const faults = fc.oneof(
    agentErrors(steps),
    timeouts(steps),
    ...(gated.length === 0 ? [] : [gateFailures(fc.constantFrom(...gated))]),
  )
  return fc
    .uniqueArray(faults, { maxLength: options.maxFaults ?? 3, selector: portOf })
    .map((chosen) => ({ version: faultPlanVersion, faults: chosen }))
}

type When = Omit<FaultSelector, 'step'>

/** The first time or times, of which `first` names the first. */
function whenever(first: When): fc.Arbitrary<When> {
  return fc.oneof(
    fc.constant({}),
    fc.constant(first),
    fc.integer({ min: 2, max: 3 }).map((count) => ({ times: count })),
    fc.constant({ times: 'until-failed' as const }),
  )
}

const agentCalls = whenever({ visit: 1, attempt: 1 })
/** The attempt that comes to the gate may be a later one. */
const gateCalls = whenever({ visit: 1 })

function agentErrors(steps: fc.Arbitrary<string>): fc.Arbitrary<Fault> {
  return fc
    .record({ step: steps, when: agentCalls, moment: fc.constantFrom('before' as const, 'after' as const) })
    .map(({ step, when, moment }) => ({ fault: 'agent-error', at: { step, ...when }, params: { moment } }))
}

function timeouts(steps: fc.Arbitrary<string>): fc.Arbitrary<Fault> {
  return fc
    .record({ step: steps, when: agentCalls })
    .map(({ step, when }) => ({ fault: 'step-timeout', at: { step, ...when } }))
}

function gateFailures(steps: fc.Arbitrary<string>): fc.Arbitrary<Fault> {
  return fc
    .record({ step: steps, when: gateCalls, mode: fc.constantFrom('fail' as const, 'throw' as const) })
    .map(({ step, when, mode }) => ({ fault: 'gate-failure', at: { step, ...when }, params: { mode } }))
}

/** What a fault acts on: of two at the same call only one can fire. */
function portOf({ fault, at }: Fault): string {
  return `${fault === 'gate-failure' ? 'gate' : 'agent'} ${typeof at === 'string' ? at : at.step}`
}
