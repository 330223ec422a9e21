import { FaultlineError } from '../core/index.ts'
import { faultPlanVersion } from '../definition/index.ts'
import type { Fault, FaultKind, FaultPlan } from '../definition/index.ts'

/** One call through a port at which a fault may fire. */
export interface FaultPoint {
  readonly incarnation: number
  readonly step: string
  readonly visit: number
  readonly attempt: number
  /** For example `agent.invoke`. */
  readonly operation: string
  readonly target: string
}

/** A planned fault with what became of it. */
export interface FaultUse {
  readonly fault: Fault
  /** Keys of the points at which it fired, in order. */
  readonly keys: readonly string[]
}

/** Matches fault points with the plan and keeps count, over all incarnations of a session. */
export interface FaultRecorder {
  /** The fault that fires at a point, if any; firing is counted. At most one fires. */
  fire(point: FaultPoint, kinds: readonly FaultKind[]): Fault | undefined
  readonly uses: readonly FaultUse[]
  /** The plan with exact keys only. */
  resolved(): FaultPlan
  /** @throws FaultlineError `FAULT_UNFIRED` when a fault fired less often than planned. */
  judge(): void
}

export function createFaultRecorder(plan: FaultPlan): FaultRecorder {
  const uses = plan.faults.map((fault) => ({ fault, keys: [] as string[], incarnation: 0 }))
  const occurrences = new Map<string, number>()
  return {
    fire(point, kinds) {
      const stem = pointKeyStem(point)
      const counted = `${kinds.join()}|${stem}`
      const occurrence = (occurrences.get(counted) ?? 0) + 1
      occurrences.set(counted, occurrence)
      const key = `${stem}#${occurrence}`
      for (const use of uses) {
        if (!kinds.includes(use.fault.fault) || !matches(use, point, key)) continue
        use.keys.push(key)
        use.incarnation = point.incarnation
        return use.fault
      }
      return undefined
    },
    uses,
    resolved: () => ({
      version: faultPlanVersion,
      ...(plan.seed === undefined ? {} : { seed: plan.seed }),
      ...(plan.schedule === undefined ? {} : { schedule: plan.schedule }),
      faults: uses.flatMap(({ fault, keys }) => keys.map((key) => ({ ...fault, at: key }))),
    }),
    judge() {
      const short = uses.filter(({ fault, keys }) => keys.length < expectedTimes(fault))
      if (short.length > 0) throw unfired(short)
    },
  }
}

/** `<incarnation>/<step>#<visit>@<attempt>:<port>.<operation>:<target>`, without the occurrence. */
export function pointKeyStem(point: FaultPoint): string {
  return `${point.incarnation}/${point.step}#${point.visit}@${point.attempt}:${point.operation}:${point.target}`
}

function matches(
  use: { readonly fault: Fault; readonly keys: readonly string[]; readonly incarnation: number },
  point: FaultPoint,
  key: string,
): boolean {
  const { at } = use.fault
  if (typeof at === 'string') return at === key && use.keys.length === 0
  if (at.step !== point.step) return false
  if (at.visit !== undefined && at.visit !== point.visit) return false
  if (at.attempt !== undefined && at.attempt !== point.attempt) return false
  if (at.times === 'until-failed') return use.keys.length === 0 || use.incarnation === point.incarnation
  return use.keys.length < (at.times ?? 1)
}

function expectedTimes(fault: Fault): number {
  if (typeof fault.at === 'string' || fault.at.times === 'until-failed') return 1
  return fault.at.times ?? 1
}

function unfired(short: readonly FaultUse[]): FaultlineError {
  const list = short.map(({ fault, keys }) => {
    const at = typeof fault.at === 'string' ? fault.at : describeSelector(fault)
    return `${fault.fault} at ${at} fired ${keys.length} of ${expectedTimes(fault)} time${expectedTimes(fault) === 1 ? '' : 's'}`
  })
  return new FaultlineError(
    'FAULT_UNFIRED',
    `The fault plan was not carried out: ${list.join('; ')}. The run never came to that point as often as planned: check ` +
      `step, visit and attempt, or resume and run on.`,
    { details: { faults: short.map(({ fault }) => fault) } },
  )
}

function describeSelector(fault: Fault): string {
  if (typeof fault.at === 'string') return fault.at
  const { step, visit, attempt } = fault.at
  return `'${step}'${visit === undefined ? '' : `, visit ${visit}`}${attempt === undefined ? '' : `, attempt ${attempt}`}`
}
