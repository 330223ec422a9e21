import { encodeUtf8 } from '../../core/index.ts'
import type { JsonValue, MaybePromise } from '../../core/index.ts'
import type { HttpPort, HttpRequest } from '../../ports/index.ts'

/** Answers requests in place of the network. */
export type HttpHandler = (request: HttpRequest) => MaybePromise<HttpAnswer>

export interface HttpAnswer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text and bytes as they are, anything else as JSON. */
  readonly body?: JsonValue | Uint8Array
}

export function createSimulatedHttp(handler: HttpHandler): HttpPort {
  return {
    async request(call) {
      const { status = 200, headers = {}, body = '' } = await handler(call)
      const isJson = typeof body !== 'string' && !isBytes(body)
      return {
        status,
        headers: {
          ...(isJson ? { 'content-type': 'application/json' } : {}),
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        },
        body: isBytes(body) ? body : encodeUtf8(typeof body === 'string' ? body : JSON.stringify(body)),
        url: call.url,
      }
    },
  }
}

function isBytes(body: JsonValue | Uint8Array): body is Uint8Array {
  return ArrayBuffer.isView(body)
}
