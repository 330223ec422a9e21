import { FaultlineError, suggestion } from '../core/index.ts'
import type { Fault, FaultKind, FaultSelector } from '../definition/index.ts'

/** What `--fault` accepts besides the selector, by kind. */
const parameterNames = {
  'agent-error': ['message', 'moment'],
  'agent-answer': ['form'],
  'agent-delay': ['until'],
  'clock-jump': ['by'],
  'gate-failure': ['reason', 'mode'],
  'http-failure': ['mode', 'status'],
  'step-timeout': [],
  'workflow-timeout': [],
} as const satisfies Record<FaultKind, readonly string[]>

const httpFailureModes = ['refused', 'reset', 'stall', 'status', 'broken-body'] as const

const selectorNames = ['visit', 'attempt', 'times'] as const

export const faultOptionForm = '<kind>:<step>[,key=value...]'

/**
 * Reads one `--fault`: `agent-error:review` or `agent-error:review,attempt=2,times=1,message=boom`. Without `times` the
 * fault lasts until the step has failed for good. Whether the step exists is judged later, with the workflow at hand.
 *
 * @throws FaultlineError `FAULT_PLAN_INVALID` with the nearest kind or key.
 */
export function parseFaultOption(text: string): Fault {
  // A comma inside a value is kept: only one that begins the next `key=` separates.
  const [head = '', ...settings] = text.split(/,(?=\s*[A-Za-z-]+=)/)
  const colon = head.indexOf(':')
  const kind = (colon < 0 ? head : head.slice(0, colon)).trim()
  const step = colon < 0 ? '' : head.slice(colon + 1).trim()
  if (!isFaultKind(kind)) {
    throw invalid(text, `'${kind}' is not a kind of fault. ${suggestion(kind, Object.keys(parameterNames))}`)
  }
  if (step === '')
    throw invalid(text, `it names no step. Write ${faultOptionForm}, for example ${kind}:review.`)

  const values = settingsOf(text, kind, settings)
  const at: FaultSelector = {
    step,
    ...positive(text, 'visit', values.get('visit')),
    ...positive(text, 'attempt', values.get('attempt')),
    times: timesOf(text, values.get('times')),
  }
  switch (kind) {
    case 'agent-error': {
      const message = values.get('message')
      const moment = oneOf(text, 'moment', values.get('moment'), ['before', 'partial', 'after'] as const)
      return {
        fault: kind,
        at,
        ...paramsOf({
          ...(message === undefined ? {} : { message }),
          ...(moment === undefined ? {} : { moment }),
        }),
      }
    }
    case 'agent-answer': {
      const form = oneOf(text, 'form', values.get('form'), [
        'malformed',
        'empty',
        'oversize',
        'worst-scores',
      ] as const)
      return { fault: kind, at, ...(form === undefined ? {} : { params: { form } }) }
    }
    case 'agent-delay': {
      const until = oneOf(text, 'until', values.get('until'), [
        'before-limit',
        'at-limit',
        'after-limit',
      ] as const)
      return { fault: kind, at, ...(until === undefined ? {} : { params: { until } }) }
    }
    case 'clock-jump': {
      const by = oneOf(text, 'by', values.get('by'), [
        'second',
        'hour',
        'year',
        'back-second',
        'back-hour',
        'back-year',
      ] as const)
      return { fault: kind, at, ...(by === undefined ? {} : { params: { by } }) }
    }
    case 'gate-failure': {
      const reason = values.get('reason')
      const mode = oneOf(text, 'mode', values.get('mode'), ['fail', 'throw'] as const)
      return {
        fault: kind,
        at,
        ...paramsOf({ ...(reason === undefined ? {} : { reason }), ...(mode === undefined ? {} : { mode }) }),
      }
    }
    case 'http-failure': {
      const mode = oneOf(text, 'mode', values.get('mode'), httpFailureModes)
      const status = values.get('status')
      return {
        fault: kind,
        at,
        ...paramsOf({
          ...(mode === undefined ? {} : { mode }),
          ...(status === undefined ? {} : { status: wholeNumber(text, 'status', status) }),
        }),
      }
    }
    case 'step-timeout':
    case 'workflow-timeout':
      return { fault: kind, at }
  }
}

function settingsOf(text: string, kind: FaultKind, settings: readonly string[]): ReadonlyMap<string, string> {
  const known: readonly string[] = [...selectorNames, ...parameterNames[kind]]
  const values = new Map<string, string>()
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    const name = setting.slice(0, equals).trim()
    if (!known.includes(name))
      throw invalid(text, `${kind} has no setting '${name}'. ${suggestion(name, known)}`)
    if (values.has(name)) throw invalid(text, `'${name}' is given twice.`)
    values.set(name, setting.slice(equals + 1))
  }
  return values
}

function positive<Name extends 'visit' | 'attempt'>(
  text: string,
  name: Name,
  value: string | undefined,
): { readonly [key in Name]?: number } {
  if (value === undefined) return {}
  return { [name]: wholeNumber(text, name, value) } as { [key in Name]: number }
}

function timesOf(text: string, value: string | undefined): number | 'until-failed' {
  if (value === undefined || value === 'until-failed') return 'until-failed'
  return wholeNumber(text, 'times', value)
}

function wholeNumber(text: string, name: string, value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  const also = name === 'times' ? ` or 'until-failed'` : ''
  throw invalid(text, `'${name}' must be a whole number from 1${also}, not '${value}'.`)
}

function oneOf<Choice extends string>(
  text: string,
  name: string,
  value: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined) return undefined
  const choice = choices.find((each) => each === value)
  if (choice !== undefined) return choice
  throw invalid(text, `'${name}' must be ${choices.map((each) => `'${each}'`).join(' or ')}, not '${value}'.`)
}

function paramsOf<Params extends object>(params: Params): { readonly params?: Params } {
  return Object.keys(params).length === 0 ? {} : { params }
}

function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(parameterNames, text)
}

function invalid(text: string, why: string): FaultlineError {
  return new FaultlineError('FAULT_PLAN_INVALID', `--fault ${text}: ${why}`, { details: { option: text } })
}
