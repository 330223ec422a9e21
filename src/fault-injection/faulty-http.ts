import { StepFailure } from '../ports/index.ts'
import type { HttpCall, HttpPort, HttpResponse } from '../ports/index.ts'
import type { FaultRecorder } from './fault-recorder.ts'

/** Makes requests fail as planned; a service cannot be told from one that really does. */
export function faultyHttp(http: HttpPort, recorder: FaultRecorder, incarnation: number): HttpPort {
  return {
    async request(call) {
      const point = { incarnation, ...call.by, operation: 'http.request', target: call.target }
      const fault = recorder.fire(point, ['http-failure'])
      if (fault?.fault !== 'http-failure') return http.request(call)
      const { mode = 'refused', status = 503 } = fault.params ?? {}
      switch (mode) {
        case 'refused':
          throw connectionFailure(call, 'ECONNREFUSED', 'refused the connection: nothing listens there')
        case 'reset':
          // It has done what it was asked for, and nobody hears of it.
          await http.request(call)
          throw connectionFailure(call, 'ECONNRESET', 'closed the connection before the answer was complete')
        case 'stall':
          return stalled(call)
        case 'status':
          return { status, headers: {}, body: new Uint8Array(), url: call.url }
        case 'broken-body':
          return cutShort(await http.request(call))
      }
    },
  }
}

function connectionFailure({ target }: HttpCall, code: string, why: string): StepFailure {
  return new StepFailure(`${target}: the service ${why}.`, {
    kind: 'connection',
    category: 'transient',
    code,
  })
}

/** No answer ever: the caller's limit ends it. */
function stalled({ signal }: HttpCall): Promise<HttpResponse> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

function cutShort(response: HttpResponse): HttpResponse {
  return { ...response, body: response.body.slice(0, Math.floor(response.body.length / 2)) }
}
