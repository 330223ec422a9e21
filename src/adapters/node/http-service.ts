import { request as requestHttp } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { messageOf } from '../../core/index.ts'
import { httpDefaults, StepFailure } from '../../ports/index.ts'
import type { HttpCall, HttpPort, HttpResponse } from '../../ports/index.ts'

/** What the network says, in words. */
const connectionErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection: nothing listens there',
  ECONNRESET: 'closed the connection before the answer was complete',
  EPIPE: 'closed the connection before the request was complete',
  ENOTFOUND: 'has a name that cannot be found',
  EAI_AGAIN: 'has a name that cannot be looked up at present',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: there is no network',
  ETIMEDOUT: 'did not accept the connection in time',
}

/** The redirects after which the method stays what it was. */
const keepsMethod = new Set([307, 308])
const redirects = new Set([301, 302, 303, ...keepsMethod])

/** Headers that are meant for one service and must not be carried to another. */
const forOneService = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * The network. Node's own client and not `fetch`: that has limits of its own (ten seconds to connect, five minutes for an
 * answer) which nobody can pass down, and here the caller's signal is the only one. Every request has a connection of its own.
 */
export function createHttpService(): HttpPort {
  return { request: follow }
}

async function follow(first: HttpCall): Promise<HttpResponse> {
  const { maxRedirects = httpDefaults.maxRedirects } = first
  let call = first
  for (let redirected = 0; ; redirected++) {
    const { signal } = call
    signal.throwIfAborted()
    const response = await ask(call)
    const { location } = response.headers
    if (!redirects.has(response.status) || location === undefined || maxRedirects === 0) return response
    if (redirected === maxRedirects)
      throw badAnswer(call, 'TOO_MANY_REDIRECTS', `redirected more than ${maxRedirects} times`)
    call = redirect(call, response.status, location)
  }
}

function redirect(call: HttpCall, status: number, location: string): HttpCall {
  const url = parsed(call, new URL(call.url), location)
  const keep = keepsMethod.has(status) || call.method === 'GET' || call.method === 'HEAD'
  const sameOrigin = url.origin === new URL(call.url).origin
  const headers = Object.entries(call.headers ?? {}).filter(([name]) => {
    const lower = name.toLowerCase()
    return (sameOrigin || !forOneService.has(lower)) && (keep || !lower.startsWith('content-'))
  })
  const { body, ...rest } = call
  return {
    ...rest,
    url: url.href,
    headers: Object.fromEntries(headers),
    ...(keep ? (body === undefined ? {} : { body }) : { method: 'GET' }),
  }
}

function parsed(call: HttpCall, base: URL | undefined, text: string): URL {
  if (URL.canParse(text, base?.href)) {
    const url = new URL(text, base)
    if (url.protocol === 'http:' || url.protocol === 'https:') return url
  }
  throw badAnswer(call, 'BAD_URL', `leads to what is no address of a service`)
}

function ask(call: HttpCall): Promise<HttpResponse> {
  const { body, signal } = call
  const url = parsed(call, undefined, call.url)
  const request = begun(call, url)
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error)
      request.destroy()
    }
    const settle = (): void => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort, { once: true })
    request.once('error', (error: NodeJS.ErrnoException) => {
      settle()
      reject(connectionError(call, error))
    })
    request.once('response', (answer) => {
      const whole = read(call, answer, url).finally(settle)
      whole.catch(() => request.destroy())
      resolve(whole)
    })
    request.end(body)
  })
}

function begun(call: HttpCall, url: URL): ClientRequest {
  const { method, headers = {}, target } = call
  const begin = url.protocol === 'https:' ? requestHttps : requestHttp
  try {
    return begin(url, { method, agent: false, headers: { 'accept-encoding': 'identity', ...headers } })
  } catch (cause) {
    throw new StepFailure(`${target}: the request cannot be made: ${messageOf(cause)}.`, {
      kind: 'validation',
      category: 'permanent',
      code: 'BAD_REQUEST',
      cause,
    })
  }
}

async function read(call: HttpCall, answer: IncomingMessage, url: URL): Promise<HttpResponse> {
  const { maxBodyBytes = httpDefaults.maxBodyBytes } = call
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > maxBodyBytes)
        throw badAnswer(call, 'BODY_TOO_LARGE', `answered with more than ${maxBodyBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof StepFailure ? error : connectionError(call, error as NodeJS.ErrnoException)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks), url: url.href }
}

function connectionError({ target }: HttpCall, error: NodeJS.ErrnoException): StepFailure {
  const code = error.code ?? 'CONNECTION'
  const why = connectionErrors[code] ?? `could not be asked (${error.message || code})`
  return new StepFailure(`${target}: the service ${why}.`, {
    kind: 'connection',
    category: 'transient',
    code,
    cause: error,
  })
}

function badAnswer({ target }: HttpCall, code: string, what: string): StepFailure {
  return new StepFailure(`${target}: the service ${what}.`, { kind: 'response', category: 'permanent', code })
}
