import { FaultlineError, isJsonObject, suggestion } from '../core/index.ts'
import { faultPlanVersion } from '../definition/index.ts'
import type {
  Fault,
  FaultKind,
  FaultPlan,
  ScheduleDeviation,
  WorkflowDefinition,
} from '../definition/index.ts'

/** The families of faults with the port that each acts on. */
export const faultKinds = {
  'agent-error': 'agent.invoke',
  'agent-answer': 'agent.invoke',
  'agent-delay': 'agent.invoke',
  'clock-jump': 'agent.invoke',
  'step-timeout': 'agent.invoke',
  'workflow-timeout': 'agent.invoke',
  'gate-failure': 'gate.decide',
  'http-failure': 'http.request',
} as const satisfies Record<FaultKind, string>

/** Names each kind's parameters may have, with the values that are allowed where they are few. */
const parameters: Record<FaultKind, Readonly<Record<string, readonly string[] | 'text' | 'status'>>> = {
  'agent-error': { message: 'text', moment: ['before', 'partial', 'after'] },
  'agent-answer': { form: ['malformed', 'empty', 'oversize', 'worst-scores'] },
  'agent-delay': { until: ['before-limit', 'at-limit', 'after-limit'] },
  'clock-jump': { by: ['second', 'hour', 'year', 'back-second', 'back-hour', 'back-year'] },
  'step-timeout': {},
  'workflow-timeout': {},
  'gate-failure': { reason: 'text', mode: ['fail', 'throw'] },
  'http-failure': { mode: ['refused', 'reset', 'stall', 'status', 'broken-body'], status: 'status' },
}

/** A plan from what a caller gave: a list of faults, a whole plan, or nothing. */
export function faultPlan(faults: readonly Fault[] | FaultPlan | undefined): FaultPlan {
  if (faults === undefined) return { version: faultPlanVersion, faults: [] }
  return isPlan(faults) ? faults : { version: faultPlanVersion, faults }
}

/**
 * Checks a plan against the workflow it is for, before anything runs.
 *
 * @throws FaultlineError `FAULT_PLAN_INVALID` or `UNKNOWN_STEP`, with the place in the plan and a suggestion.
 */
export function checkFaultPlan(plan: FaultPlan, definition: WorkflowDefinition): void {
  if (plan.version !== faultPlanVersion) {
    throw invalid(
      'version',
      `must be ${String(faultPlanVersion)}, and it is ${JSON.stringify(plan['version'])}`,
    )
  }
  rejectUnknown('', plan, ['version', 'seed', 'faults', 'schedule'])
  if (!Array.isArray(plan.faults)) throw invalid('faults', 'must be a list')
  plan.faults.forEach((fault, index) => checkFault(fault, `faults[${index}]`, definition))
  if (plan.schedule !== undefined) checkSchedule(plan.schedule)
}

function checkSchedule(schedule: NonNullable<FaultPlan['schedule']>): void {
  if (!Array.isArray(schedule)) throw invalid('schedule', 'must be a list')
  const decisions = new Set<number>()
  for (const [index, deviation] of schedule.entries()) {
    const path = `schedule[${index}]`
    if (!isJsonObject(deviation)) throw invalid(path, 'must be an object')
    rejectUnknown(path, deviation, ['decision', 'pick'])
    const { decision, pick } = deviation as unknown as ScheduleDeviation
    if (decision === undefined) throw invalid(`${path}.decision`, 'is missing')
    checkCount(decision, `${path}.decision`)
    if (typeof pick !== 'string') throw invalid(`${path}.pick`, 'must be the key of a task')
    if (decisions.has(decision)) throw invalid(`${path}.decision`, `is there twice: ${decision}`)
    decisions.add(decision)
  }
}

function checkFault(fault: Fault, path: string, definition: WorkflowDefinition): void {
  if (!isJsonObject(fault)) throw invalid(path, 'must be an object')
  if (!Object.hasOwn(faultKinds, fault.fault)) {
    throw invalid(
      `${path}.fault`,
      `names no fault: '${String(fault.fault)}'. ${suggestion(String(fault.fault), Object.keys(faultKinds))}`,
    )
  }
  rejectUnknown(path, fault, ['fault', 'at', 'params'])
  checkParameters(fault, `${path}.params`)
  const step =
    typeof fault.at === 'string' ? parsePointKey(fault.at, `${path}.at`).step : checkSelector(fault, path)
  const target = definition.steps.find(({ id }) => id === step)
  if (target === undefined) {
    throw new FaultlineError(
      'UNKNOWN_STEP',
      `${path}.at names no step of workflow '${definition.id}': '${step}'. ${suggestion(
        step,
        definition.steps.map(({ id }) => id),
      )}`,
      { details: { path, step } },
    )
  }
  if (fault.fault === 'gate-failure' && target.gate === undefined) {
    throw invalid(path, `is for a gate, and step '${step}' has none`)
  }
  if (fault.fault === 'workflow-timeout' && definition.limits.timeoutMs === undefined) {
    throw invalid(path, `needs a workflow limit, and workflow '${definition.id}' has none (settings.timeout)`)
  }
}

function checkSelector(fault: Fault, path: string): string {
  if (typeof fault.at === 'string' || !isJsonObject(fault.at) || typeof fault.at.step !== 'string') {
    throw invalid(`${path}.at`, 'must be { step, visit?, attempt?, times? } or the key of a fault point')
  }
  rejectUnknown(`${path}.at`, fault.at, ['step', 'visit', 'attempt', 'times'])
  for (const name of ['visit', 'attempt'] as const) checkCount(fault.at[name], `${path}.at.${name}`)
  if (fault.at.times !== 'until-failed') checkCount(fault.at.times, `${path}.at.times`, ` or 'until-failed'`)
  return fault.at.step
}

function checkCount(value: unknown, path: string, otherwise = ''): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) return
  throw invalid(path, `must be a whole number from 1${otherwise}, and it is ${JSON.stringify(value)}`)
}

function checkParameters(fault: Fault, path: string): void {
  const allowed = parameters[fault.fault]
  const given = (fault as { readonly params?: Readonly<Record<string, unknown>> }).params ?? {}
  rejectUnknown(path, given, Object.keys(allowed))
  for (const [name, value] of Object.entries(given)) {
    const form = allowed[name] ?? []
    if (!fits(value, form)) {
      const expected =
        form === 'text'
          ? 'a text'
          : form === 'status'
            ? 'a status from 400 to 599'
            : `one of ${form.map((word) => `'${word}'`).join(', ')}`
      throw invalid(`${path}.${name}`, `must be ${expected}, and it is ${JSON.stringify(value)}`)
    }
  }
}

function fits(value: unknown, form: readonly string[] | 'text' | 'status'): boolean {
  if (form === 'text') return typeof value === 'string'
  if (form === 'status') return Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599
  return form.includes(String(value))
}

/** The step part of `<incarnation>/<step>#<visit>@<attempt>:<port>.<operation>:<target>#<occurrence>`. */
function parsePointKey(key: string, path: string): { readonly step: string } {
  const match = /^\d+\/([^/#@:]+)#\d+@\d+:[a-z]+\.[a-z]+:.*#\d+$/i.exec(key)
  if (match?.[1] !== undefined) return { step: match[1] }
  throw invalid(
    path,
    `is not the key of a fault point: '${key}'. A key looks like '1/build#1@1:agent.invoke:builder#1'`,
  )
}

function rejectUnknown(path: string, value: object, allowed: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !allowed.includes(key))
  if (unknown === undefined) return
  const prefix = path === '' ? '' : `${path}.`
  throw invalid(`${prefix}${unknown}`, `is not known here. ${suggestion(unknown, allowed)}`)
}

function invalid(path: string, why: string): FaultlineError {
  return new FaultlineError(
    'FAULT_PLAN_INVALID',
    `The fault plan is not valid: ${path} ${why}.`.replace(/(?<=[.?])\.$/, ''),
    {
      details: { path },
    },
  )
}

function isPlan(faults: readonly Fault[] | FaultPlan): faults is FaultPlan {
  return !Array.isArray(faults)
}
