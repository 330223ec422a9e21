import type { JsonObject } from '../../core/index.ts'
import type { Reporter } from './reporter.ts'
import { createWorkflowShape } from './workflow-shape.ts'
import type { WorkflowShape } from './workflow-shape.ts'

let shape: Promise<ReturnType<typeof createWorkflowShape>> | undefined

/** @returns undefined when the shape is wrong, which is then reported. */
export async function checkShape(
  workflow: JsonObject,
  reporter: Reporter,
): Promise<WorkflowShape | undefined> {
  shape ??= import('zod').then(({ z }) => createWorkflowShape(z))
  const result = (await shape).safeParse(workflow)
  if (result.success) return result.data
  for (const issue of result.error.issues) reporter.add(issue.path as (string | number)[], issue.message)
  return undefined
}
