import type { Fault, FaultKind, StepDefinition, WorkflowDefinition } from '../definition/index.ts'

/** Every single fault that a plan can hold for a workflow, at the first call that it fits: each fires if its step runs. */
export function everyFault(definition: WorkflowDefinition): readonly Fault[] {
  return definition.steps.flatMap((step) =>
    Object.values(faultsOfKind).flatMap((faultsAt) => faultsAt(step, definition)),
  )
}

/** Without what a workflow may be right to answer in its own way: odd answers, and those at the very limit. */
const faultsOfKind: Readonly<
  Partial<Record<FaultKind, (step: StepDefinition, definition: WorkflowDefinition) => readonly Fault[]>>
> = {
  'agent-error': ({ id: step }) => [
    { fault: 'agent-error', at: { step } },
    { fault: 'agent-error', at: { step }, params: { moment: 'after' } },
  ],
  'step-timeout': ({ id: step }) => [{ fault: 'step-timeout', at: { step } }],
  'workflow-timeout': ({ id: step }, { limits }) =>
    limits.timeoutMs === undefined ? [] : [{ fault: 'workflow-timeout', at: { step } }],
  'gate-failure': ({ id: step, gate }) =>
    gate === undefined
      ? []
      : [
          { fault: 'gate-failure', at: { step } },
          { fault: 'gate-failure', at: { step }, params: { mode: 'throw' } },
        ],
  // Only a run tells which steps ask a service.
  'http-failure': () => [],
}
