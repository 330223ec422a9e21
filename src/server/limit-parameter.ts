import { historyLimits } from '../engine/index.ts'
import { invalidRequest } from './problem.ts'

/** @throws FaultlineError `REQUEST_INVALID` */
export function limitOf(given: readonly string[] | undefined): number {
  if (given === undefined || given.length === 0) return historyLimits.usual
  const [text = ''] = given
  const limit = Number(text)
  if (given.length === 1 && /^\d{1,9}$/.test(text) && limit >= 1 && limit <= historyLimits.most) return limit
  const message = `must be a whole number from 1 to ${historyLimits.most}`
  throw invalidRequest(`The limit ${message}, not '${given.join("', '")}'.`, {
    problems: [{ path: 'limit', message }],
  })
}
