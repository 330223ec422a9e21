import { isJsonObject } from '../core/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import { StepFailure } from '../ports/index.ts'
import type { AgentContext } from '../ports/index.ts'
import { anySuccess, expectStatus, jsonOf } from './answers.ts'
import type { Expectation } from './answers.ts'
import { ParameterReader } from './parameters.ts'
import type { ServiceAnswer, ServiceRequest, Services } from './services.ts'

const known = [
  'method',
  'url',
  'headers',
  'body',
  'expect',
  'parse',
  'findings',
  'maxBodyBytes',
  'maxRedirects',
]

/** Headers that say something about the answer; others change from one run to the next, or are secret. */
const shownHeaders = ['content-type', 'etag', 'last-modified', 'link', 'location', 'retry-after']

/** Asks a service, and takes what it answers for its output: `{ status, headers, body }`. */
export async function httpStep(context: AgentContext, services: Services): Promise<JsonObject> {
  const { request, expected, parse, findings } = readHttpStep(context.step, context.parameters)
  const answer = await services.ask(context, request)
  expectStatus(answer, expected)
  const parsed = bodyOf(answer, parse)
  return {
    status: answer.status,
    headers: Object.fromEntries(
      shownHeaders.flatMap((name) => {
        const value = answer.headers[name]
        return value === undefined ? [] : [[name, value]]
      }),
    ),
    body: parsed,
    ...(findings === undefined ? {} : { failures: findingsIn(parsed, findings, answer.target) }),
  }
}

interface HttpStep {
  readonly request: ServiceRequest
  readonly expected: Expectation
  readonly parse: Parse
  readonly findings: string | undefined
}

/** @throws StepFailure of kind `validation` */
export function readHttpStep(step: string, written: JsonObject): HttpStep {
  const parameters = new ParameterReader(step, written, known)
  const headers = parameters.textMap('headers')
  const body = parameters.value('body')
  const maxBodyBytes = parameters.wholeNumber('maxBodyBytes')
  const maxRedirects = parameters.wholeNumber('maxRedirects')
  return {
    request: {
      method: methodOf(parameters),
      url: parameters.requiredText('url'),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
      ...(maxRedirects === undefined ? {} : { maxRedirects }),
    },
    expected: expectationOf(parameters),
    parse: parseOf(parameters),
    findings: parameters.text('findings'),
  }
}

function methodOf(parameters: ParameterReader): string {
  const method = (parameters.text('method') ?? 'GET').toUpperCase()
  if (/^[A-Z]+$/.test(method)) return method
  throw parameters.invalid('method', 'a word such as GET')
}

function expectationOf(parameters: ParameterReader): Expectation {
  const written = parameters.value('expect')
  if (written === undefined) return anySuccess
  const list = Array.isArray(written) ? (written as readonly JsonValue[]) : [written]
  const statuses = list.filter((one): one is number | string =>
    typeof one === 'number' ? one >= 100 && one <= 599 : typeof one === 'string' && /^[1-5]xx$/.test(one),
  )
  if (statuses.length === list.length && list.length > 0) return statuses
  throw parameters.invalid('expect', `a status such as 200 or '2xx', or a list of them,`)
}

type Parse = 'auto' | 'json' | 'text'

function parseOf(parameters: ParameterReader): Parse {
  const parse = parameters.text('parse') ?? 'auto'
  if (parse === 'auto' || parse === 'json' || parse === 'text') return parse
  throw parameters.invalid('parse', `'auto', 'json' or 'text'`)
}

/** By itself a body is JSON when the service says so. */
function bodyOf(answer: ServiceAnswer, parse: Parse): JsonValue {
  if (parse === 'json') return jsonOf(answer)
  if (parse === 'text') return answer.text
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(answer.headers['content-type'] ?? '')
  return isJson && answer.status !== 204 ? jsonOf(answer) : answer.text
}

/** The list under a key of an answer: what the service found, which is no failure of the step. */
export function findingsIn(body: JsonValue, key: string, target: string): readonly JsonValue[] {
  const found = isJsonObject(body) ? body[key] : undefined
  if (Array.isArray(found)) return found as readonly JsonValue[]
  throw new StepFailure(`${target}: the answer has no list '${key}'.`, {
    kind: 'response',
    category: 'permanent',
    code: 'BODY_UNEXPECTED',
  })
}
