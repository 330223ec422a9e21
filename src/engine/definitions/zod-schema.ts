import type { z } from 'zod'
import type { JsonObject } from '../../core/index.ts'
import { messageOf } from '../../core/index.ts'

type Zod = typeof z

/** A schema of Zod 4, of whichever copy of it. */
export function isZodSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value
}

/** Parts that change values or run code, which no JSON Schema can say. */
const unsayableTypes: readonly string[] = ['transform', 'pipe', 'default', 'prefault', 'catch', 'custom']
const unsayableChecks: readonly string[] = ['custom', 'overwrite']

/**
 * The JSON Schema that says the same, so that a definition stays plain data however it was written.
 *
 * @returns What is wrong with it, as the end of a sentence, when there is none.
 */
export function zodAsJsonSchema(zod: Zod, schema: z.ZodType): JsonObject | string {
  let unsayable: string | undefined
  try {
    const json = zod.toJSONSchema(schema, {
      io: 'input',
      override: ({ zodSchema }) => {
        const { type, checks = [] } = zodSchema._zod.def
        const check = checks.map((each) => each._zod.def.check).find((each) => unsayableChecks.includes(each))
        if (unsayableTypes.includes(type)) unsayable ??= type
        else if (check !== undefined) unsayable ??= check === 'custom' ? 'refine' : 'overwrite'
      },
    })
    return unsayable === undefined
      ? (JSON.parse(JSON.stringify(json)) as JsonObject)
      : `a Zod schema with '${unsayable}', which JSON Schema cannot say`
  } catch (error) {
    return `a Zod schema that JSON Schema cannot say: ${messageOf(error)}`
  }
}
