import { formatDuration, isJsonObject } from '../core/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import { isStepFailure, StepFailure } from '../ports/index.ts'
import type { AgentContext, AgentService, HttpResponse } from '../ports/index.ts'
import { CircuitBreaker, circuitDefaults } from './circuit-breaker.ts'
import type { CircuitSettings } from './circuit-breaker.ts'
import { filledFrom } from './environment.ts'
import type { Environment } from './environment.ts'
import { invalidStep, textMap } from './parameters.ts'
import { withoutSecrets } from './secrets.ts'

/** What a step asks of the service that it names. */
export interface ServiceRequest {
  readonly method: string
  /** Below the service's own address, or a whole address. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: JsonValue
  readonly maxBodyBytes?: number
  readonly maxRedirects?: number
}

export interface ServiceAnswer {
  readonly status: number
  readonly headers: HttpResponse['headers']
  readonly text: string
  /** `GET api:/runs`: begins every message about the answer. */
  readonly target: string
}

/** Services of one engine life. */
export interface Services {
  /** @throws StepFailure of kind `connection` when the service is not reached, or is taken to be down. */
  ask(context: AgentContext, request: ServiceRequest): Promise<ServiceAnswer>
}

const longestExcerpt = 300

export function createServices(environment: Environment): Services {
  const breakers = new Map<string, CircuitBreaker>()
  return {
    async ask(context, request) {
      const { service } = context
      const place = resolve(context, request, environment)
      const settings = service === undefined ? undefined : circuitSettings(context.step, service)
      if (service === undefined || settings === undefined) return asked(context, request, place)
      const breaker = breakers.get(service.name) ?? new CircuitBreaker(settings)
      breakers.set(service.name, breaker)
      return guarded(context, service.name, breaker, place.target, () => asked(context, request, place))
    },
  }
}

/** Where a request goes, and with what. */
interface Place {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly target: string
  /** Values from the environment: never to be shown. */
  readonly secrets: ReadonlySet<string>
}

function resolve(context: AgentContext, request: ServiceRequest, environment: Environment): Place {
  const { step, service } = context
  const secrets = new Set<string>()
  const filled = (text: string): string =>
    filledFrom(environment, text, {
      found: (value) => secrets.add(value),
      missing: (name) =>
        invalidStep(
          step,
          `needs the environment variable ${name}, which service '${service?.name}' asks for`,
        ),
    })
  const isWhole = /^https?:\/\//i.test(request.url)
  const path = request.url.startsWith('/') ? request.url : `/${request.url}`
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(service === undefined ? {} : serviceHeaders(step, service)))
    headers[name.toLowerCase()] = filled(value)
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value
  return {
    url: isWhole ? request.url : filled(addressOf(step, service)).replace(/\/+$/, '') + path,
    headers,
    target: `${request.method} ${isWhole ? withoutQuery(request.url) : `${service?.name}:${withoutQuery(path)}`}`,
    secrets,
  }
}

function addressOf(step: string, service: AgentService | undefined): string {
  if (service === undefined)
    throw invalidStep(step, `asks for a path, and names no service: give a whole url`)
  const { url, base_url: baseUrl } = service.settings
  const address = url ?? baseUrl
  if (typeof address === 'string' && address !== '') return address
  throw invalidStep(step, `asks service '${service.name}', which has no url`)
}

function serviceHeaders(step: string, { name, settings }: AgentService): Readonly<Record<string, string>> {
  const { headers } = settings
  if (headers === undefined) return {}
  const texts = textMap(headers)
  if (texts !== undefined) return texts
  throw invalidStep(step, `asks service '${name}', whose headers must be a map of texts`)
}

function withoutQuery(url: string): string {
  return (url.split(/[?#]/)[0] ?? '').replace(/(?<=\/\/)[^/@]*@/, '')
}

async function asked(context: AgentContext, request: ServiceRequest, place: Place): Promise<ServiceAnswer> {
  const { method, body, headers: _, url: __, ...limits } = request
  const { target, secrets } = place
  const clean = (text: string): string => withoutSecrets(text, secrets)
  const response = await context.http
    .request({
      ...limits,
      method,
      url: place.url,
      target,
      headers: { ...usualHeaders(context, method, body), ...place.headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    .catch((error: unknown) => {
      throw isStepFailure(error) ? error.withMessage(clean(error.message)) : error
    })
  const { status } = response
  const shownHeaders = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, clean(value)]),
  )
  return { status, headers: shownHeaders, text: clean(new TextDecoder().decode(response.body)), target }
}

/** A service that deduplicates by the key does its work once, however often a crash makes us ask. */
function usualHeaders(
  { idempotencyKey }: AgentContext,
  method: string,
  body: JsonValue | undefined,
): Readonly<Record<string, string>> {
  return {
    accept: 'application/json, text/*;q=0.9, */*;q=0.1',
    ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}),
    ...(method === 'GET' || method === 'HEAD' ? {} : { 'idempotency-key': idempotencyKey }),
  }
}

async function guarded(
  { clock, log }: AgentContext,
  service: string,
  breaker: CircuitBreaker,
  target: string,
  call: () => Promise<ServiceAnswer>,
): Promise<ServiceAnswer> {
  const waitMs = breaker.refusedFor(clock.now())
  if (waitMs !== undefined) {
    const when =
      waitMs === 0 ? 'it is being tried right now' : `it is tried again in ${formatDuration(waitMs)}`
    throw new StepFailure(`${target}: service '${service}' is taken to be down and was not asked: ${when}.`, {
      kind: 'connection',
      category: 'transient',
      code: 'CIRCUIT_OPEN',
    })
  }
  const failed = (): void => {
    const before = breaker.state(clock.now())
    breaker.failed(clock.now())
    if (before !== 'open' && breaker.state(clock.now()) === 'open')
      log(`The circuit of service '${service}' has opened.`)
  }
  try {
    const answer = await call()
    if (answer.status >= 500) failed()
    else breaker.succeeded()
    return answer
  } catch (error) {
    failed()
    throw error
  }
}

function circuitSettings(step: string, { name, settings }: AgentService): CircuitSettings | undefined {
  const written = settings['circuit_breaker'] ?? settings['circuitBreaker']
  if (written === undefined || written === null || written === false) return undefined
  if (written === true) return circuitDefaults
  const given: JsonObject = isJsonObject(written) ? written : { circuit_breaker: written }
  const { failures = circuitDefaults.failures, ...rest } = given
  const seconds = rest['reset_after'] ?? rest['resetAfter'] ?? circuitDefaults.resetAfterMs / 1_000
  const unknown = Object.keys(rest).find((key) => key !== 'reset_after' && key !== 'resetAfter')
  if (unknown === undefined && isCount(failures) && typeof seconds === 'number' && seconds > 0)
    return { failures, resetAfterMs: seconds * 1_000 }
  throw invalidStep(
    step,
    `asks service '${name}', whose circuit_breaker must be true or { failures: 3, reset_after: 300 }`,
  )
}

function isCount(value: JsonValue): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

/** The beginning of a text, on one line, for a message. */
export function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= longestExcerpt ? line : `${line.slice(0, longestExcerpt)}...`
}
