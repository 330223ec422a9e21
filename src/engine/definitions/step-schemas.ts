import type { StepDefinition } from '../../definition/index.ts'
import { parseSchema } from './json-schema.ts'
import type { Reporter } from './reporter.ts'
import type { WorkflowShape } from './workflow-shape.ts'

/** Every schema is one that values can be checked against. */
export async function checkSchemas(
  { inputSchema }: WorkflowShape,
  steps: readonly StepDefinition[],
  reporter: Reporter,
): Promise<void> {
  const schemas = [
    { schema: inputSchema, path: ['inputSchema'] },
    ...steps.flatMap((step, index) =>
      (['inputSchema', 'outputSchema'] as const).map((key) => ({
        schema: step[key],
        path: ['steps', index, key],
      })),
    ),
  ]
  for (const { schema, path } of schemas) {
    if (schema === undefined) continue
    const parsed = await parseSchema(schema)
    if (!parsed.ok) reporter.add(path, parsed.problem)
  }
}
