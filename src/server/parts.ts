import type { Hono } from 'hono'
import { FaultlineError, suggestion } from '../core/index.ts'
import type { ReadWorkflow, RunHistory } from '../engine/index.ts'
import type { HealthBoard } from './health-board.ts'
import { invalidRequest } from './problem.ts'
import type { RunRequest } from './run-request.ts'

/** What the service serves. */
export interface ServiceParts {
  /** By id. */
  readonly workflows: ReadonlyMap<string, ReadWorkflow>
  readonly services: HealthBoard
  readonly runs: RunHistory
  /** Resolves once the beginning of the run is durable. */
  readonly start: (workflow: ReadWorkflow, request: RunRequest) => Promise<{ readonly runId: string }>
  /** Takes secrets out of whatever is sent. */
  readonly redact: <T>(value: T) => T
}

/** @throws FaultlineError `WORKFLOW_NOT_FOUND` */
export function workflowNamed({ workflows }: Pick<ServiceParts, 'workflows'>, name: string): ReadWorkflow {
  const workflow = workflows.get(name)
  if (workflow !== undefined) return workflow
  throw new FaultlineError(
    'WORKFLOW_NOT_FOUND',
    `There is no workflow '${name}'. ${suggestion(name, workflows.keys())}`,
    { details: { workflow: name } },
  )
}

/** Registered behind the handlers of a path: whatever else is asked of it is refused. */
export function refuseOtherMethods(app: Hono, path: string, allowed: string): void {
  app.all(path, (context) => {
    context.header('Allow', allowed)
    throw invalidRequest(`${context.req.path} answers ${allowed} alone, not ${context.req.method}.`, {
      status: 405,
    })
  })
}
