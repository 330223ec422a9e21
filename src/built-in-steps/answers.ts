import type { JsonValue } from '../core/index.ts'
import { StepFailure } from '../ports/index.ts'
import type { AgentContext } from '../ports/index.ts'
import { excerpt } from './services.ts'
import type { ServiceAnswer, Services } from './services.ts'

/** Statuses that may be another on the next attempt; all from 500 on are too. */
const passingStatuses = new Set([408, 425, 429])

/** Which statuses are as they should be: `2xx`, `404`. */
export type Expectation = readonly (number | string)[]

export const anySuccess: Expectation = ['2xx']

/** @throws StepFailure of kind `response`, which tells what came instead. */
export function expectStatus({ target, status, text }: ServiceAnswer, expected: Expectation): void {
  if (expected.some((one) => matches(status, one))) return
  const said = excerpt(text)
  throw new StepFailure(
    `${target}: the service answered ${status}, and not ${expected.join(' or ')}${said === '' ? '.' : `: ${said}`}`,
    {
      kind: 'response',
      category: status >= 500 || passingStatuses.has(status) ? 'transient' : 'permanent',
      code: `HTTP_${status}`,
    },
  )
}

function matches(status: number, expected: number | string): boolean {
  return typeof expected === 'number'
    ? status === expected
    : Math.floor(status / 100) === Number(expected.slice(0, 1))
}

/** @throws StepFailure of kind `response`; what was cut short on its way may come whole the next time. */
export function jsonOf({ target, text }: ServiceAnswer): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    const said = text === '' ? 'nothing' : excerpt(text)
    throw new StepFailure(`${target}: the service answered with a body that is not JSON: ${said}`, {
      kind: 'response',
      category: 'transient',
      code: 'BODY_BROKEN',
      cause,
    })
  }
}

/** Asks the step's service for a path, and expects success and JSON. */
export async function getJson(services: Services, context: AgentContext, path: string): Promise<JsonValue> {
  const answer = await services.ask(context, { method: 'GET', url: path })
  expectStatus(answer, anySuccess)
  return jsonOf(answer)
}

/** Sends JSON to a path of the step's service, and expects success and JSON. */
export async function postJson(
  services: Services,
  context: AgentContext,
  path: string,
  body: JsonValue,
): Promise<JsonValue> {
  const answer = await services.ask(context, { method: 'POST', url: path, body })
  expectStatus(answer, anySuccess)
  return jsonOf(answer)
}
