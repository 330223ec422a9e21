import type { Hono } from 'hono'
import { limitOf } from './limit-parameter.ts'
import { refuseOtherMethods } from './parts.ts'
import type { ServiceParts } from './parts.ts'

/** The newest runs of all workflows, in short, and one run as a whole. */
export function addRunRoutes(app: Hono, { runs, redact }: ServiceParts): void {
  app.get('/api/runs', async (context) => {
    const limit = limitOf(context.req.queries('limit'))
    return context.json(redact({ order: 'newest first', limit, ...(await runs.list({ limit })) }))
  })

  app.get('/api/runs/:id', async (context) =>
    context.json(redact(await runs.record(context.req.param('id')))),
  )

  refuseOtherMethods(app, '/api/runs', 'GET')
  refuseOtherMethods(app, '/api/runs/:id', 'GET')
}
