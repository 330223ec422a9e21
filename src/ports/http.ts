import type { StepKey } from '../core/index.ts'

/** What a step asks of a service. */
export interface HttpRequest {
  readonly method: string
  /** Absolute. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** What is asked for, in words that stay the same when a service moves: `GET api:/runs`. Default: method and address. */
  readonly target?: string
  /** A longer answer is refused. Default 1,048,576. */
  readonly maxBodyBytes?: number
  /** Default 5; 0 takes a redirect as the answer. */
  readonly maxRedirects?: number
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case; several of one name are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Where the answer came from, after redirects. */
  readonly url: string
}

/** A request with the attempt that makes it. */
export interface HttpCall extends HttpRequest {
  readonly by: StepKey
  readonly target: string
  /** The only limit there is: aborts the request, also while its answer arrives. */
  readonly signal: AbortSignal
}

/** Other services, by HTTP. */
export interface HttpPort {
  /** @throws (rejects with) `StepFailure` of kind `connection` or `response`, or the signal's reason. */
  request(call: HttpCall): Promise<HttpResponse>
}

export const httpDefaults = { maxBodyBytes: 1_048_576, maxRedirects: 5 } as const
