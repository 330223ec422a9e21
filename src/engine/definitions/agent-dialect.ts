import { editDistance, isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import type { Problem, SourcePath } from './problems.ts'

/** An object of the source with the keys that faultline knows, in camelCase, apart from the rest. */
export interface ReadObject {
  readonly known: Readonly<Record<string, unknown>>
  /** How each known key is written in the source. */
  readonly written: Readonly<Record<string, string>>
  readonly metadata: JsonObject
}

export const workflowKeys = ['id', 'name', 'version', 'description', 'settings', 'steps'] as const
export const settingsKeys = ['maxConcurrentSteps', 'timeout', 'timeoutMs', 'stepTimeout', 'stepTimeoutMs'] as const
export const stepKeys = [
  'id',
  'name',
  'agent',
  'action',
  'requires',
  'creates',
  'next',
  'dependsOn',
  'condition',
  'scoring',
  'gate',
  'retries',
  'retryDelay',
  'retryDelayMs',
  'timeout',
  'timeoutMs',
  'parameters',
] as const
export const gateKeys = ['condition', 'onPass', 'onFail', 'maxLoops'] as const

/**
 * Sorts the keys of an object: known ones (in snake_case or camelCase), foreign ones, which are kept as metadata, and
 * mistyped ones, which are problems.
 */
export function readObject(
  value: unknown,
  keys: readonly string[],
  path: SourcePath,
  problems: Problem[],
): ReadObject | undefined {
  if (!isJsonObject(value)) {
    problems.push({ path, message: `must be an object, and it is ${describe(value)}` })
    return undefined
  }
  const known: Record<string, unknown> = {}
  const written: Record<string, string> = {}
  const metadata: Record<string, JsonValue> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    const name = camelCase(key)
    if (keys.includes(name)) {
      if (name in known) problems.push({ path: [...path, key], message: `says the same as '${written[name]}'; keep one of them` })
      known[name] = member
      written[name] = key
      continue
    }
    const meant = keys.find((candidate) => isSlip(name, candidate))
    if (meant !== undefined) {
      problems.push({ path: [...path, key], message: `is not known. Did you mean '${writtenLike(key, meant)}'?` })
    } else if (key === 'metadata' && isJsonObject(member)) Object.assign(metadata, member)
    else metadata[key] = member
  }
  return { known, written, metadata }
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : JSON.stringify(value)
}

function camelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Short words must be nearly right to be taken for a slip: `kind` is not a mistyped `id`. */
function isSlip(name: string, candidate: string): boolean {
  const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
  return distance <= (candidate.length >= 6 ? 2 : candidate.length >= 4 ? 1 : 0)
}

function writtenLike(key: string, name: string): string {
  const snake = key.includes('_') || key === key.toLowerCase()
  return snake ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name
}
