import type { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { limitOf } from './limit-parameter.ts'
import { refuseOtherMethods, workflowNamed } from './parts.ts'
import type { ServiceParts } from './parts.ts'
import { invalidRequest } from './problem.ts'
import { mostBodyBytes, readRunRequest } from './run-request.ts'
import { workflowView } from './workflow-view.ts'

/** The workflows, one of them, its history, and a new run of it. */
export function addWorkflowRoutes(app: Hono, parts: ServiceParts): void {
  const { workflows, runs, redact } = parts

  app.get('/api/workflows', (context) =>
    context.json(redact({ workflows: [...workflows.values()].map(workflowView) })),
  )

  app.get('/api/workflows/:name', (context) =>
    context.json(redact(workflowView(workflowNamed(parts, context.req.param('name'))))),
  )

  app.get('/api/workflows/:name/history', async (context) => {
    const workflowId = workflowNamed(parts, context.req.param('name')).definition.id
    const limit = limitOf(context.req.queries('limit'))
    const history = await runs.records({ workflowId, limit })
    return context.json(redact({ workflow: workflowId, order: 'newest first', limit, ...history }))
  })

  const limited = bodyLimit({
    maxSize: mostBodyBytes,
    onError() {
      throw invalidRequest(`The body of a request has no more than ${mostBodyBytes} bytes.`, { status: 413 })
    },
  })
  app.post('/api/workflows/:name/runs', limited, async (context) => {
    const workflow = workflowNamed(parts, context.req.param('name'))
    const [type = ''] = (context.req.header('content-type') ?? '').split(';')
    if (type.trim().toLowerCase() !== 'application/json')
      throw invalidRequest(`Send the request as application/json, not as '${type}'.`, { status: 415 })
    const { runId } = await parts.start(workflow, readRunRequest(await context.req.text()))
    const url = `/api/runs/${runId}`
    context.header('Location', url)
    return context.json({ runId, workflow: workflow.definition.id, status: 'running', url }, 202)
  })

  refuseOtherMethods(app, '/api/workflows', 'GET')
  refuseOtherMethods(app, '/api/workflows/:name', 'GET')
  refuseOtherMethods(app, '/api/workflows/:name/history', 'GET')
  refuseOtherMethods(app, '/api/workflows/:name/runs', 'POST')
}
