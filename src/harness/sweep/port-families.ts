import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import type { FiredFaultRecord } from '../invariants/index.ts'
import type { FaultFamily, PortFault } from './report.ts'
import { chosenPoints } from './smoke-tier.ts'
import type { Sweep } from './sweep.ts'
import { afterEnding, isOver, toCompletion } from './swept-life.ts'
import type { StrikingPortFault } from './swept-life.ts'

/** One way in which a call can go wrong. */
interface Misbehaviour extends Pick<PortFault, 'fault' | 'params'> {
  /** How a run that has met it is judged. */
  readonly judgedAs: (step: StepDefinition) => Omit<FiredFaultRecord, 'key' | 'fault'>
  /** Where it can happen. Default everywhere. */
  readonly fits?: (definition: WorkflowDefinition) => boolean
  /** Whether the run must come to the end of the run without faults. Default always. */
  readonly isComparable?: (step: StepDefinition) => boolean
}

const survivable = () => ({ class: 'survivable' }) as const

/** A failure that a retry makes good reaches nobody; any other one must say why. */
const retriedOr =
  (cause: string): Misbehaviour['judgedAs'] =>
  ({ retries }) =>
    retries > 0 ? { class: 'survivable' } : { class: 'reportable', cause }

const never = (): boolean => false
const limitExceeded = 'exceeded its limit'
const injected = 'injected by the sweep'

const ofAgents: readonly Misbehaviour[] = [
  ...(['before', 'partial', 'after'] as const).map((moment) => ({
    fault: 'agent-error' as const,
    params: { moment, message: injected },
    judgedAs: retriedOr(injected),
  })),
  {
    fault: 'agent-answer',
    params: { form: 'malformed' },
    judgedAs: () => ({ class: 'reportable', cause: 'not JSON' }),
  },
  // Whether a workflow takes such an answer is its own affair; the engine must get along with either.
  ...(['empty', 'oversize'] as const).map((form) => ({
    fault: 'agent-answer' as const,
    params: { form },
    judgedAs: survivable,
    isComparable: never,
  })),
  { fault: 'step-timeout', judgedAs: retriedOr(limitExceeded) },
]

const ofGates: readonly Misbehaviour[] = [
  {
    fault: 'gate-failure',
    params: { mode: 'fail', reason: injected },
    judgedAs: ({ gate }) =>
      gate?.onFail === undefined ? { class: 'reportable', cause: injected } : { class: 'survivable' },
    // Work that was sent back once more may come to something else.
    isComparable: ({ gate }) => gate?.onFail === undefined,
  },
  {
    fault: 'gate-failure',
    params: { mode: 'throw', reason: injected },
    judgedAs: () => ({ class: 'reportable', cause: injected }),
  },
  { fault: 'never-answers', judgedAs: survivable },
]

const ofTime: readonly Misbehaviour[] = [
  ...(['before-limit', 'at-limit'] as const).map((until) => ({
    fault: 'agent-delay' as const,
    params: { until },
    judgedAs: survivable,
  })),
  { fault: 'agent-delay', params: { until: 'after-limit' }, judgedAs: retriedOr(limitExceeded) },
  ...(['second', 'hour', 'year'] as const).map((by) => ({
    fault: 'clock-jump' as const,
    params: { by },
    judgedAs: () => ({ class: 'survivable', movesClock: true }) as const,
  })),
  {
    fault: 'workflow-timeout',
    judgedAs: () => ({ class: 'reportable', cause: limitExceeded, movesClock: true }),
    fits: ({ limits }) => limits.timeoutMs !== undefined,
  },
]

/** Calls of agents that fail, or answer what they should not. */
export async function sweepAgents(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'agent', ofAgents)
}

/** Gates that say no, cannot be judged, or never answer. */
export async function sweepGates(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'gate', ofGates)
}

/** Answers just before, at and after the limit, and a clock that is set while an agent works. */
export async function sweepTime(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'time', ofTime)
}

async function sweepCalls(
  sweep: Sweep,
  family: Extract<FaultFamily, 'agent' | 'gate' | 'time'>,
  misbehaviours: readonly Misbehaviour[],
): Promise<void> {
  const { discovery, workflow, tier } = sweep
  const { definition } = workflow
  const isOfGates = family === 'gate'
  const calls = discovery.calls.filter(({ operation }) => (operation === 'gate.decide') === isOfGates)
  const { gates, agents } = discovery.countedCalls
  sweep.begin(calls.length, isOfGates ? gates : agents)
  for (const call of chosenPoints(tier, calls)) {
    const step = definition.steps.find(({ id }) => id === call.step) as StepDefinition
    for (const misbehaviour of misbehaviours) {
      if (sweep.hasFoundEnough) return
      if (misbehaviour.fits?.(definition) === false) continue
      const { fault, params } = misbehaviour
      const planned: PortFault = { family, at: call.name, fault, ...(params === undefined ? {} : { params }) }
      const portFault = strikingFault(planned, step, misbehaviour)
      const isComparable = !toleratesFailures(definition) && (misbehaviour.isComparable?.(step) ?? true)
      await sweep.try(
        [planned],
        async (shortcuts) => {
          const struck = await sweep.liveFrom(call.writesBefore, { ...shortcuts, portFault })
          return isOver(struck) ? struck : toCompletion(workflow, afterEnding(struck), shortcuts)
        },
        isComparable,
      )
    }
    sweep.pointDone()
  }
}

function strikingFault(
  { at, fault, params }: PortFault,
  step: StepDefinition,
  { judgedAs }: Misbehaviour,
): StrikingPortFault {
  return {
    at,
    step: step.id,
    fault: fault === 'never-answers' ? undefined : { fault, at, ...(params && { params }) },
    record: { fault, ...judgedAs(step) },
  }
}

/** Whether a step that fails leads the run elsewhere, as its author wants it. */
function toleratesFailures({ onStepFailure, steps, edges }: WorkflowDefinition): boolean {
  return (
    onStepFailure === 'continue' ||
    steps.some(({ continueOnError, condition }) => continueOnError === true || condition !== undefined) ||
    edges.some(({ condition }) => condition !== undefined && condition !== 'on_success')
  )
}
