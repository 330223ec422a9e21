import type { AgentService, HttpClient, HttpPort } from '../../ports/index.ts'
import type { Attempt } from './attempt.ts'

/** Requests of one attempt: under its name, and under its signal. */
export function httpClient(
  attempt: Attempt,
  http: HttpPort,
  service: AgentService | undefined,
  assertOpen: () => void,
): HttpClient {
  return {
    async request(request) {
      assertOpen()
      return http.request({
        ...request,
        by: attempt.key,
        target: `${request.method} ${targetOf(request.url, service)}`,
        signal: attempt.signal,
      })
    },
  }
}

/** Where the service is left out: the same workflow asks the same, wherever the service happens to live. */
function targetOf(url: string, service: AgentService | undefined): string {
  const [place = ''] = url.split(/[?#]/)
  const base = service?.settings['url']
  if (service !== undefined && typeof base === 'string' && place.startsWith(base)) {
    const path = place.slice(base.length)
    return `${service.name}:${path.startsWith('/') ? path : `/${path}`}`
  }
  return place.replace(/(?<=\/\/)[^/@]*@/, '')
}
