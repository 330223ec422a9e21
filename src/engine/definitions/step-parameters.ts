import type { StepDefinition } from '../../definition/index.ts'
import type { DataUse } from './data-uses.ts'
import { readParameters } from './parameters.ts'
import type { Reporter } from './reporter.ts'

/** Every reference in parameters can be read and names the input or a step. */
export function checkParameters(steps: readonly StepDefinition[], reporter: Reporter): readonly DataUse[] {
  const ids = new Set(steps.map((step) => step.id))
  return steps.flatMap((step, index) => {
    const { compiled, flaws } = readParameters(step.parameters, ids)
    const path = ['steps', index, 'parameters']
    for (const { place, problem } of flaws) reporter.add([...path, ...place], problem)
    return compiled.references.flatMap(({ step: of, place }) =>
      of === undefined ? [] : [{ of, by: step.id, place: [...path, ...place] }],
    )
  })
}
