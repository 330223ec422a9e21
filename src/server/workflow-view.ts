import type { ReadWorkflow } from '../engine/index.ts'
import type { ShownWorkflow } from '../viewer/index.ts'

export function workflowView({ definition, dialect, file }: ReadWorkflow): ShownWorkflow {
  const { id, name, services = {}, steps, edges, ...rest } = definition
  return {
    ...rest,
    name: id,
    title: name,
    file: file ?? null,
    dialect,
    services: Object.keys(services),
    steps: steps.map((step) => ({
      ...step,
      condition: step.condition ?? null,
      dependsOn: edges.flatMap(({ from, to }) => (to === step.id ? [from] : [])),
    })),
    edges,
  }
}
