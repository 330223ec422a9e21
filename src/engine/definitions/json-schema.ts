import type { Ajv2020, ErrorObject } from 'ajv/dist/2020.js'
import { FaultlineError, isJsonObject, messageOf } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { formatPath } from './source-tree.ts'

/** A JSON Schema (2020-12) that has been checked and compiled. */
export interface CompiledSchema {
  /** What is wrong with a value, the first few of it; nothing for a value that conforms. Never changes the value. */
  violations(value: JsonValue): readonly SchemaViolation[]
}

export interface SchemaViolation {
  /** `items[0].id`; empty for the value as a whole. */
  readonly path: string
  /** Continues a sentence that begins with the path. */
  readonly message: string
}

/** `items[0].id must be string; must have required property 'name'`. */
export function describeViolations(violations: readonly SchemaViolation[]): string {
  return violations.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ')
}

/** @throws FaultlineError `DEFINITION_INVALID` when it is no JSON Schema, or one that says what is not checked. */
export async function compileSchema(schema: JsonObject): Promise<CompiledSchema> {
  const parsed = await parseSchema(schema)
  if (parsed.ok) return parsed.schema
  throw new FaultlineError('DEFINITION_INVALID', `The schema ${parsed.problem}`)
}

export type ParsedSchema =
  | { readonly ok: true; readonly schema: CompiledSchema }
  /** `problem` continues a sentence that begins with the schema's path. */
  | { readonly ok: false; readonly problem: string }

const mostSchemaValues = 5_000
const shownViolations = 5
/** One value of each kind: a schema that refers to itself without end shows it with one of them. */
const probes: readonly JsonValue[] = [null, true, 0, '', [], {}]

export async function parseSchema(schema: JsonObject): Promise<ParsedSchema> {
  if (countValues(schema) > mostSchemaValues)
    return { ok: false, problem: `holds more than ${mostSchemaValues} values` }
  const hasIds = JSON.stringify(schema).includes('"$id"')
  // What has an id is known to its checker from then on, and could be taken for the same id in another definition.
  const checker = await (hasIds ? createChecker() : sharedChecker())
  try {
    const conforms = checker.compile(schema)
    if ('$async' in conforms) return { ok: false, problem: `holds '$async', which is no JSON Schema` }
    for (const probe of probes) conforms(probe)
    return {
      ok: true,
      schema: {
        violations: (value) => (conforms(value) ? [] : violationsOf(conforms.errors ?? [])),
      },
    }
  } catch (error) {
    const reason = error instanceof RangeError ? 'it refers to itself without end' : messageOf(error)
    return { ok: false, problem: `is not a JSON Schema that can be checked: ${reason}` }
  } finally {
    // The checker would keep every schema that it has ever seen.
    if (!hasIds) checker.removeSchema(schema)
  }
}

let shared: Promise<Ajv2020> | undefined

function sharedChecker(): Promise<Ajv2020> {
  shared ??= createChecker()
  return shared
}

/** Strict: a keyword or format that is not known is an error, since a constraint that nobody checks is worse than none. */
async function createChecker(): Promise<Ajv2020> {
  const [{ Ajv2020 }, { z }] = await Promise.all([import('ajv/dist/2020.js'), import('zod')])
  const created = new Ajv2020({
    strict: true,
    strictRequired: false,
    strictTuples: false,
    allowUnionTypes: true,
    allErrors: true,
    logger: false,
  })
  const formats = {
    'date-time': z.iso.datetime({ offset: true }),
    date: z.iso.date(),
    time: z.iso.time(),
    email: z.email(),
    uri: z.url(),
    uuid: z.guid(),
    ipv4: z.ipv4(),
    ipv6: z.ipv6(),
  }
  for (const [name, format] of Object.entries(formats))
    created.addFormat(name, (text: string) => format.safeParse(text).success)
  return created
}

function violationsOf(errors: readonly ErrorObject[]): readonly SchemaViolation[] {
  return errors.slice(0, shownViolations).map(({ instancePath, message = 'is wrong', params }) => {
    const extra: unknown = params['additionalProperty'] ?? params['unevaluatedProperty']
    const allowed: unknown = params['allowedValues'] ?? params['allowedValue']
    const detail = extra ?? (allowed === undefined ? undefined : JSON.stringify(allowed))
    return {
      path: formatPath(instancePath.split('/').slice(1).map(pathKey)),
      message: typeof detail === 'string' ? `${message}: ${detail}` : message,
    }
  })
}

function pathKey(part: string): string | number {
  const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
  return /^\d+$/.test(key) ? Number(key) : key
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const member of isJsonObject(value) ? Object.values(value) : (value as readonly unknown[]))
    count += countValues(member)
  return count
}
