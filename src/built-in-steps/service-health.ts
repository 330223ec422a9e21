import { messageOf } from '../core/index.ts'
import type { AgentService, HttpPort } from '../ports/index.ts'
import { filledFrom } from './environment.ts'
import type { Environment } from './environment.ts'
import { textMap } from './parameters.ts'
import { withoutSecrets } from './secrets.ts'

export interface ServiceHealth {
  /** `unknown`: it could not be asked, for a reason that lies with its settings. */
  readonly status: 'up' | 'down' | 'unknown'
  /** For people. */
  readonly detail: string
}

export interface HealthPorts {
  readonly http: HttpPort
  readonly environment: Environment
  /** Ends the question. */
  readonly signal: AbortSignal
}

class NotAskable extends Error {}

/**
 * Asks a service how it is: by the path `health` of its settings, which has to answer with a status of 200 to 299; without one by its
 * own address, where any answer below 500 will do.
 */
export async function askHealth(service: AgentService, ports: HealthPorts): Promise<ServiceHealth> {
  const secrets = new Set<string>()
  const clean = (error: unknown): string => withoutSecrets(messageOf(error), secrets)
  try {
    const { health } = service.settings
    const { status } = await ports.http.request({
      method: 'GET',
      ...placeOf(service, ports.environment, secrets),
      target: service.name,
      maxRedirects: 0,
      signal: ports.signal,
      by: { step: 'health', visit: 1, attempt: 1 },
    })
    const isUp = health === undefined ? status < 500 : status >= 200 && status < 300
    return { status: isUp ? 'up' : 'down', detail: `answered with status ${status}` }
  } catch (error) {
    if (error instanceof NotAskable) return { status: 'unknown', detail: clean(error) }
    return { status: 'down', detail: ports.signal.aborted ? 'gave no answer in time' : clean(error) }
  }
}

function placeOf(
  { settings }: AgentService,
  environment: Environment,
  secrets: Set<string>,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const filled = (text: string): string =>
    filledFrom(environment, text, {
      found: (value) => secrets.add(value),
      missing: (name) => new NotAskable(`needs the environment variable ${name}`),
    })
  const { url, base_url: baseUrl, health = '', headers = {} } = settings
  const address = url ?? baseUrl
  if (typeof address !== 'string' || address === '') throw new NotAskable('has no url')
  if (typeof health !== 'string') throw new NotAskable(`has a 'health' that is no path`)
  const texts = textMap(headers)
  if (texts === undefined) throw new NotAskable('has headers that are no map of texts')
  const path = health === '' || health.startsWith('/') ? health : `/${health}`
  return {
    url: filled(address).replace(/\/+$/, '') + path,
    headers: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, filled(text)])),
  }
}
