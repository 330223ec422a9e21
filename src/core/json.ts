export type JsonPrimitive = string | number | boolean | null
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

/**
 * The one text form of a JSON value that digests are taken of: object keys sorted by UTF-16 code unit, no white space,
 * `undefined` members left out (the rules of RFC 8785 for the values that occur here).
 */
export function canonicalJson(value: unknown): string {
  const sorted = withSortedKeys(value)
  return sorted === unsortable ? slowCanonicalJson(value) : (JSON.stringify(sorted) ?? 'null')
}

/** An object with a key such as `10` cannot hold its keys in text order: the engine lists those first, by number. */
const unsortable = Symbol('unsortable')
const numericKey = /^(?:0|[1-9]\d*)$/

/** The value itself when all keys are in order, which is the usual case and costs no copy; otherwise a sorted copy. */
function withSortedKeys(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const member = withSortedKeys(value[index])
      if (member === unsortable) return unsortable
      if (member !== value[index]) (copy ??= value.slice())[index] = member
    }
    return copy ?? value
  }
  const members = value as Record<string, unknown>
  const keys = Object.keys(members)
  let changed = false
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    if (key.charCodeAt(0) <= 0x39 && numericKey.test(key)) return unsortable
    if (index > 0 && key < (keys[index - 1] as string)) changed = true
    const member = withSortedKeys(members[key])
    if (member === unsortable) return unsortable
    if (member !== members[key]) changed = true
  }
  if (!changed) return value
  const copy: Record<string, unknown> = {}
  for (const key of keys.sort()) copy[key] = withSortedKeys(members[key])
  return copy
}

function slowCanonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(slowCanonicalJson).join(',')}]`
  const members = value as Record<string, unknown>
  const texts = Object.keys(members)
    .sort()
    .filter((key) => members[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${slowCanonicalJson(members[key])}`)
  return `{${texts.join(',')}}`
}

/** Freezes a tree of plain data in place and returns it. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
