import { FaultlineError } from '../core/index.ts'
import type { Fault } from '../definition/index.ts'

/**
 * Reads `kind:step[,key=value...]`, such as `agent-error:review,attempt=2,message=overloaded`. Without `times` the fault fires
 * until the step has failed for good. The names are checked against the workflow later, with the rest of the plan.
 */
export function parseFaultOption(text: string): Fault {
  const colon = text.indexOf(':')
  const [step = '', ...pairs] = text.slice(colon + 1).split(',')
  if (colon < 1 || step === '') throw malformed(text)
  const at: Record<string, unknown> = { step, times: 'until-failed' }
  const params: Record<string, unknown> = {}
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals < 1) throw malformed(text)
    const [key, value] = [pair.slice(0, equals).trim(), pair.slice(equals + 1)]
    if (['visit', 'attempt', 'times'].includes(key)) at[key] = /^\d+$/.test(value) ? Number(value) : value
    else params[key] = value
  }
  const fault = { fault: text.slice(0, colon), at, ...(Object.keys(params).length === 0 ? {} : { params }) }
  return fault as unknown as Fault
}

function malformed(text: string): FaultlineError {
  return new FaultlineError(
    'FAULT_PLAN_INVALID',
    `'${text}' is not a fault: write <kind>:<step>, such as agent-error:review, with more after commas: ` +
      `agent-error:review,attempt=2,message=overloaded.`,
  )
}
