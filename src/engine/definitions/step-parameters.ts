import type { JsonObject } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import type { DataUse } from './data-uses.ts'
import { readParameters } from './parameters.ts'
import type { Reporter } from './reporter.ts'
import type { SourcePath } from './source-tree.ts'

/** Every reference in parameters can be read and names the input or a step. */
export function checkParameters(steps: readonly StepDefinition[], reporter: Reporter): readonly DataUse[] {
  const ids = new Set(steps.map((step) => step.id))
  return steps.flatMap((step, index) => {
    const uses = usesOf(step.id, step.parameters, ['steps', index, 'parameters'], ids, reporter)
    if (step.undo === undefined) return uses
    const path = ['steps', index, 'undo', 'parameters']
    // By the time it is undone, the step itself has run.
    const ofUndo = usesOf(step.id, step.undo.parameters, path, ids, reporter).filter(
      ({ of }) => of !== step.id,
    )
    return [...uses, ...ofUndo]
  })
}

function usesOf(
  by: string,
  parameters: JsonObject,
  path: SourcePath,
  ids: ReadonlySet<string>,
  reporter: Reporter,
): readonly DataUse[] {
  const { compiled, flaws } = readParameters(parameters, ids)
  for (const { place, problem } of flaws) reporter.add([...path, ...place], problem)
  return compiled.references.flatMap(({ step: of, place }) =>
    of === undefined ? [] : [{ of, by, place: [...path, ...place] }],
  )
}
