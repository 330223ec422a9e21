import type { JsonValue } from '../../core/index.ts'
import { createProblemList } from './problems.ts'
import type { ProblemList } from './problems.ts'
import { sourceLimits } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import { isZodSchema, zodAsJsonSchema } from './zod-schema.ts'

/** Reads an authored value: plain JSON and schemas of Zod only, refused by path otherwise. */
export async function readValue(value: unknown): Promise<SourceTree> {
  const { z } = await import('zod')
  const source = { label: labelOf(value), file: undefined, position: () => undefined }
  const problems = createProblemList(source)
  const reader: Reader = { problems, values: 0, zod: z }
  const copy = read(reader, value, [])
  problems.throwIfAny()
  return { ...source, value: copy, writtenNumber: () => undefined }
}

interface Reader {
  readonly problems: ProblemList
  values: number
  readonly zod: typeof import('zod').z
}

function read(reader: Reader, value: unknown, path: SourcePath): JsonValue {
  if (++reader.values > sourceLimits.values) {
    if (reader.values === sourceLimits.values + 1)
      reader.problems.add([], `holds more than ${sourceLimits.values} values`)
    return null
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (isZodSchema(value)) {
    const schema = zodAsJsonSchema(reader.zod, value)
    return typeof schema === 'string' ? refused(reader, path, schema) : schema
  }
  if (typeof value !== 'object') return refused(reader, path, describe(value))
  if (path.length > sourceLimits.nesting) {
    reader.problems.add(path.slice(0, 3), `is nested deeper than ${sourceLimits.nesting} levels`)
    return null
  }
  if (Array.isArray(value)) return value.map((item, index) => read(reader, item, [...path, index]))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    return refused(reader, path, 'an instance of a class')
  return readObject(reader, value, path)
}

function readObject(reader: Reader, value: object, path: SourcePath): JsonValue {
  const copy: Record<string, JsonValue> = {}
  for (const [key, member] of Object.entries(value) as [string, unknown][]) {
    if (member === undefined) continue
    if (key === '__proto__') reader.problems.add([...path, key], 'is not allowed as a key')
    else copy[key] = read(reader, member, [...path, key])
  }
  return copy
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a ${typeof value}`
}

function refused(reader: Reader, path: SourcePath, what: string): null {
  reader.problems.add(path, `must be plain JSON, not ${what}`)
  return null
}

function labelOf(value: unknown): string {
  const id: unknown = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
  return typeof id === 'string' ? `workflow '${id}'` : 'the workflow'
}
