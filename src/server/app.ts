import { Hono } from 'hono'
import { packageVersion } from '../adapters/node/index.ts'
import { isFaultlineError } from '../core/index.ts'
import { servicePage } from '../viewer/index.ts'
import { refuseOtherMethods } from './parts.ts'
import type { ServiceParts } from './parts.ts'
import { invalidRequest, problemOf, problemType } from './problem.ts'
import { addRunRoutes } from './run-routes.ts'
import { assertSameOrigin } from './same-origin.ts'
import { addWorkflowRoutes } from './workflow-routes.ts'

export interface AppOptions extends ServiceParts {
  /** Where it listens. */
  readonly port: () => number
  /** Told of what nobody expected. */
  readonly failed: (error: unknown) => void
}

const headersOfAll: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; frame-ancestors 'none'`,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** All that the service answers; errors are problem objects throughout. */
export function createApp(options: AppOptions): Hono {
  const { workflows, services, redact, port, failed } = options
  const app = new Hono()

  app.use(async ({ req, header }, next) => {
    for (const [name, value] of Object.entries(headersOfAll)) header(name, value)
    const isPage = req.path === '/' && (req.method === 'GET' || req.method === 'HEAD')
    const [host, origin, site] = ['host', 'origin', 'sec-fetch-site'].map((name) => req.header(name))
    assertSameOrigin({ host, origin, site, isPage }, port())
    await next()
  })

  app.get('/', (context) => {
    const { html, contentSecurityPolicy } = servicePage()
    context.header('Content-Security-Policy', contentSecurityPolicy)
    return context.html(html)
  })
  app.get('/api/health', (context) =>
    context.json({ status: 'ok', version: packageVersion(), workflows: workflows.size }),
  )
  app.get('/api/services', async (context) => context.json(redact({ services: await services.list() })))
  addWorkflowRoutes(app, options)
  addRunRoutes(app, options)
  for (const path of ['/', '/api/health', '/api/services']) refuseOtherMethods(app, path, 'GET')

  app.notFound(({ req }) => {
    throw invalidRequest(`There is nothing at ${req.path}.`, { status: 404 })
  })
  app.onError((error, context) => {
    if (!isFaultlineError(error) || problemOf(error).status >= 500) failed(error)
    const problem = redact(problemOf(error))
    return context.body(JSON.stringify(problem), problem.status as 400, { 'Content-Type': problemType })
  })
  return app
}
