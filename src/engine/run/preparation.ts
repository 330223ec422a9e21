import type { MaybePromise } from '../../core/index.ts'
import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import { compileParameters, compileSchema } from '../definitions/index.ts'
import type { CompiledSchema, Parameters } from '../definitions/index.ts'

/** What the parameters of a step have to go through before its agent is called, and what its output is held against. */
export interface Preparation {
  readonly parameters: Parameters | undefined
  readonly inputSchema: CompiledSchema | undefined
  readonly outputSchema: CompiledSchema | undefined
}

/** By index of the step; only for those that need it. */
export function compilePreparations(
  definition: WorkflowDefinition,
): MaybePromise<ReadonlyMap<number, Preparation>> {
  const needed = [...definition.steps.entries()].filter(([, step]) => needsPreparation(step))
  if (needed.length === 0) return new Map()
  const ids = new Set(definition.steps.map(({ id }) => id))
  return Promise.all(
    needed.map(async ([index, step]) => [index, await preparationOf(step, ids)] as const),
  ).then((entries) => new Map(entries))
}

function needsPreparation({ parameters, inputSchema, outputSchema }: StepDefinition): boolean {
  return inputSchema !== undefined || outputSchema !== undefined || holdsReference(parameters)
}

async function preparationOf(
  { parameters, inputSchema, outputSchema }: StepDefinition,
  ids: ReadonlySet<string>,
): Promise<Preparation> {
  return {
    parameters: holdsReference(parameters) ? compileParameters(parameters, ids) : undefined,
    inputSchema: inputSchema === undefined ? undefined : await compileSchema(inputSchema),
    outputSchema: outputSchema === undefined ? undefined : await compileSchema(outputSchema),
  }
}

function holdsReference(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${')
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsReference)
}
