import { FaultlineError } from '../../core/index.ts'
import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'

/**
 * What the canonical form can say and the engine does not do yet, each with the path of its first use. Nothing that is read
 * is passed over in silence: a run of such a definition is refused at its start. The one list; what learns to run leaves it.
 */
export function notExecuted(definition: WorkflowDefinition): readonly string[] {
  const found: string[] = []
  for (const [what, isUsed] of stepFeatures) {
    const step = definition.steps.find(isUsed)
    if (step !== undefined) found.push(`${what} (step '${step.id}')`)
  }
  return found
}

/** @throws FaultlineError `NOT_EXECUTED` */
export function assertExecutable(definition: WorkflowDefinition): void {
  const features = notExecuted(definition)
  if (features.length === 0) return
  throw new FaultlineError(
    'NOT_EXECUTED',
    `Workflow '${definition.id}' cannot be run: not executed by this version: ${features.join(', ')}.`,
    { details: { workflowId: definition.id, features } },
  )
}

const stepFeatures: readonly (readonly [string, (step: StepDefinition) => boolean])[] = [
  ['services', ({ service }) => service !== undefined],
]
