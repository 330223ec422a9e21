import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import type { FiredFaultRecord } from '../invariants/index.ts'
import type { GateMisuse, PortFault } from './report.ts'
import type { StrikingPortFault } from './life-options.ts'

export type PortFamily = PortFault['family']

/** One way in which a call can go wrong. */
interface Misbehaviour extends Pick<PortFault, 'fault' | 'params'> {
  /** How a run that has met it is judged. */
  readonly judgedAs: (step: StepDefinition) => Omit<FiredFaultRecord, 'key' | 'fault'>
  /** Default: to a call, and not to an answer of the operator. */
  readonly befalls?: 'gate.answer'
  /** Where it can happen. Default everywhere. */
  readonly fits?: (definition: WorkflowDefinition, step: StepDefinition | undefined) => boolean
  /** Whether the run must come to the end of the run without faults. Default always. */
  readonly isComparable?: (step: StepDefinition) => boolean
}

const survivable = () => ({ class: 'survivable' }) as const

/** A failure that a retry makes good, or that is tolerated, reaches nobody; any other one must say why. */
const retriedOr =
  (cause: string): Misbehaviour['judgedAs'] =>
  ({ retries, continueOnError }) =>
    retries > 0 || continueOnError === true ? { class: 'survivable' } : { class: 'reportable', cause }

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
  // Its gate must send it back or fail the step; a step that completes with it is told apart.
  {
    fault: 'agent-answer',
    params: { form: 'worst-scores' },
    judgedAs: (step) => (step.gate?.onFail === undefined ? { class: 'reportable' } : { class: 'survivable' }),
    isComparable: ({ gate }) => gate?.onFail === undefined,
    fits: (_definition, step) => step?.gate?.condition?.includes('scor') === true,
  },
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
  { fault: 'answers-otherwise-later', judgedAs: survivable },
  { fault: 'answers-twice', judgedAs: survivable, befalls: 'gate.answer' },
  { fault: 'answers-otherwise-later', judgedAs: survivable, befalls: 'gate.answer' },
  { fault: 'answers-after-cancel', judgedAs: survivable, befalls: 'gate.answer', isComparable: never },
]

const ofTime: readonly Misbehaviour[] = [
  ...(['before-limit', 'at-limit'] as const).map((until) => ({
    fault: 'agent-delay' as const,
    params: { until },
    judgedAs: survivable,
  })),
  { fault: 'agent-delay', params: { until: 'after-limit' }, judgedAs: retriedOr(limitExceeded) },
  ...(['second', 'hour', 'year', 'back-second', 'back-hour', 'back-year'] as const).map((by) => ({
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

/** Whether an agent puts up with it or fails is its own affair; in the end the service is there, and all is as it was. */
const ofNetwork: readonly Misbehaviour[] = (
  ['refused', 'reset', 'stall', 'status', 'broken-body'] as const
).map((mode) => ({ fault: 'http-failure', params: { mode }, judgedAs: survivable }))

/** By family, in the order in which they are tried. */
const misbehaviours: Readonly<Record<PortFamily, readonly Misbehaviour[]>> = {
  agent: ofAgents,
  gate: ofGates,
  time: ofTime,
  network: ofNetwork,
}

/** Every fault of a family at one call. */
export function portFaultsAt(
  family: PortFamily,
  at: string,
  definition: WorkflowDefinition,
): readonly PortFault[] {
  const step = stepAt(at, definition)
  return misbehaviours[family]
    .filter(({ befalls }) => (befalls !== undefined) === at.includes(':gate.answer:'))
    .filter(({ fits }) => fits?.(definition, step) ?? true)
    .map(({ fault, params }) => ({ family, at, fault, ...(params === undefined ? {} : { params }) }))
}

/** How a fault strikes, and whether a run that it strikes must come to the end of the run without faults. */
export function strikingFault(
  { family, at, fault, params }: PortFault,
  definition: WorkflowDefinition,
): { readonly portFault: StrikingPortFault; readonly isComparable: boolean } | undefined {
  const step = stepAt(at, definition)
  const known = misbehaviours[family].find(
    (other) => other.fault === fault && JSON.stringify(other.params) === JSON.stringify(params),
  )
  if (step === undefined || known === undefined) return undefined
  return {
    portFault: {
      at,
      step: step.id,
      fault: isOfNoPlan(fault) ? fault : { fault, at, ...(params && { params }) },
      record: { fault, ...known.judgedAs(step) },
    },
    isComparable: !toleratesFailures(definition) && (known.isComparable?.(step) ?? true),
  }
}

function stepAt(at: string, { steps }: WorkflowDefinition): StepDefinition | undefined {
  const [, id] = /^\d+\/([^#]+)#/.exec(at) ?? []
  return steps.find((step) => step.id === id)
}

/** Whether a fault is what people do with a gate, and not what a plan can do to a call. */
export function isOfNoPlan(fault: PortFault['fault']): fault is GateMisuse {
  return fault === 'never-answers' || fault.startsWith('answers-')
}

/** Whether a step that fails leads the run elsewhere, as its author wants it. */
function toleratesFailures({ onStepFailure, steps, edges }: WorkflowDefinition): boolean {
  return (
    onStepFailure === 'continue' ||
    steps.some(({ continueOnError, condition }) => continueOnError === true || condition !== undefined) ||
    edges.some(({ condition }) => condition !== undefined && condition !== 'on_success')
  )
}
