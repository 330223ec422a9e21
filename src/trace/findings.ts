import { isJsonObject } from '../core/index.ts'
import type { JsonValue } from '../core/index.ts'

/** What a step has found, by `failures` of its output: no failure of its own, since it did what it is there for. */
export function findingsOf(output: JsonValue): readonly JsonValue[] {
  const failures = isJsonObject(output) ? output['failures'] : undefined
  return Array.isArray(failures) ? (failures as readonly JsonValue[]) : []
}

export function hasFindings(output: JsonValue): boolean {
  return findingsOf(output).length > 0
}
