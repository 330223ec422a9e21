import type { HttpClient, HttpPort, HttpRequest } from '../../ports/index.ts'
import type { Attempt } from './attempt.ts'

/** Requests of one attempt: under its name, and under its signal. */
export function httpClient(attempt: Attempt, http: HttpPort, assertOpen: () => void): HttpClient {
  return {
    async request(request) {
      assertOpen()
      const { target = targetOf(request) } = request
      return http.request({ ...request, target, by: attempt.key, signal: attempt.signal })
    },
  }
}

/** Without what may be secret: user, password and query. */
function targetOf({ method, url }: HttpRequest): string {
  const [place = ''] = url.split(/[?#]/)
  return `${method} ${place.replace(/(?<=\/\/)[^/@]*@/, '')}`
}
