import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { FaultlineError, messageOf } from '../core/index.ts'
import { createApp } from './app.ts'
import type { ServiceParts } from './parts.ts'
import type { LoopbackHost } from './same-origin.ts'

export interface ServiceOptions extends ServiceParts {
  /** Where to listen. Default `127.0.0.1`. */
  readonly host?: LoopbackHost
  /** 0: any that is free. */
  readonly port: number
  /** Told of errors that are the service's own. */
  readonly failed: (error: unknown) => void
}

export interface RunningService {
  /** `http://127.0.0.1:8484` */
  readonly url: string
  /** Takes no more requests, and resolves when those that were there are answered, or cut off after two seconds. */
  close(): Promise<void>
}

const longestAnswerMs = 2_000

/** @throws FaultlineError `CONFIGURATION_INVALID` where the port is taken or not to be had. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { host = '127.0.0.1' } = options
  const app = createApp({ ...options, port: () => addressOf(server).port })
  // A whole HTTP server, as long as it is asked for nothing else.
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server
  await listening(server, options.port, host)
  return {
    url: `http://${host === '::1' ? '[::1]' : host}:${addressOf(server).port}`,
    close: () => closed(server),
  }
}

function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo
}

function listening(server: Server, port: number, host: LoopbackHost): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : messageOf(error)
      reject(
        new FaultlineError(
          'CONFIGURATION_INVALID',
          `Port ${port} of ${host} cannot be used: ${why}. Name another with --port.`,
          {
            details: { port, host },
            cause: error,
          },
        ),
      )
    }
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}

async function closed(server: Server): Promise<void> {
  const end = new Promise<void>((resolve) => void server.close(() => resolve()))
  server.closeIdleConnections()
  const cutOff = setTimeout(() => server.closeAllConnections(), longestAnswerMs)
  await end
  clearTimeout(cutOff)
}
