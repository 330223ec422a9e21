import { FaultlineError } from '../core/index.ts'

export const loopbackHosts = ['127.0.0.1', 'localhost', '::1'] as const
export type LoopbackHost = (typeof loopbackHosts)[number]

/** What a browser says of a request. */
export interface RequestOrigin {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site` */
  readonly site: string | undefined
  /** Whether the answer is the page, to which a link of another page may lead: it can neither read nor frame it. */
  readonly isPage: boolean
}

/**
 * Lets in what is meant for this service on this machine and comes from its own page, or from no page at all. The host tells a name
 * of somebody else's that leads here (DNS rebinding), the origin a page of somebody else's.
 *
 * @throws FaultlineError `REQUEST_REFUSED`
 */
export function assertSameOrigin({ host, origin, site, isPage }: RequestOrigin, port: number): void {
  const hosts = hostsOf(port)
  if (host === undefined || !hosts.includes(host.toLowerCase()))
    throw refused(`This service answers to ${hosts[0]} alone, and was asked as '${host ?? ''}'.`)
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    throw refused(`This service answers its own page alone, and was asked by one of '${origin}'.`)
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isPage)
    throw refused(`This service answers its own page alone, and was asked by another (${site}).`)
}

function hostsOf(port: number): readonly string[] {
  const names = loopbackHosts.map((host) => (host.includes(':') ? `[${host}]` : host))
  return [...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])]
}

function refused(message: string): FaultlineError {
  return new FaultlineError('REQUEST_REFUSED', message)
}
