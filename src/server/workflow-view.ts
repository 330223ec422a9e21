import type { ReadWorkflow } from '../engine/index.ts'
import type { ShownWorkflow } from '../viewer/index.ts'

export function workflowView({ definition, dialect, file }: ReadWorkflow): ShownWorkflow {
  const { id, name, services = {}, steps, edges, ...rest } = definition
  const before = steps.map((step) => edges.flatMap(({ from, to }) => (to === step.id ? [from] : [])))
  const waitsFor = before.map((ids) => ids.join(' '))
  return {
    ...rest,
    name: id,
    title: name,
    file: file ?? null,
    dialect,
    services: Object.keys(services),
    steps: steps.map((step, index) => ({
      ...step,
      condition: step.condition ?? null,
      dependsOn: before[index] ?? [],
      parallel: waitsFor.some((ids, other) => other !== index && ids === waitsFor[index]),
    })),
    edges,
  }
}
