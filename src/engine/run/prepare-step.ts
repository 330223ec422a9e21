import type { JsonObject } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import type { StepError } from '../../trace/index.ts'
import { describeViolations, MissingInputError } from '../definitions/index.ts'
import type { ReferenceScope } from '../definitions/index.ts'
import type { RunState } from './run-state.ts'

export type Prepared =
  { readonly ok: true; readonly parameters: JsonObject } | { readonly ok: false; readonly error: StepError }

/** What the agent of a step is to be handed, checked, or why it cannot be called. */
export function prepareStep(state: RunState, index: number): Prepared {
  const step = state.workflow.steps[index] as StepDefinition
  const preparation = state.workflow.preparations.get(index)
  if (preparation === undefined) return { ok: true, parameters: step.parameters }
  let { parameters } = step
  try {
    parameters = preparation.parameters?.resolve(scopeOf(state)) ?? parameters
  } catch (error) {
    if (!(error instanceof MissingInputError)) throw error
    const { missingVar, message } = error
    return {
      ok: false,
      error: { kind: 'missing-input', message: `Step '${step.id}': ${message}`, missingVar },
    }
  }
  const violations = preparation.inputSchema?.violations(parameters) ?? []
  if (violations.length === 0) return { ok: true, parameters }
  const message = `The parameters of step '${step.id}' do not fit its inputSchema: ${describeViolations(violations)}.`
  return { ok: false, error: { kind: 'validation', message } }
}

function scopeOf({ input, workflow, steps }: RunState): ReferenceScope {
  return {
    input,
    outputOf(id) {
      const step = steps.get(workflow.indexOf.get(id) as number)
      return step.status === 'completed' ? step.output : undefined
    },
  }
}
