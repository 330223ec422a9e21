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
  return textOf(value) ?? 'null'
}

/** Undefined for what JSON leaves out. Built as text: an object cannot hold keys such as `10` in text order, and copies cost more. */
function textOf(value: unknown): string | undefined {
  if (value === null || typeof value !== 'object') return jsonOfPrimitive(value)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return JSON.stringify(value)
  return Array.isArray(value) ? textOfList(value) : textOfObject(value as Record<string, unknown>)
}

function jsonOfPrimitive(value: unknown): string | undefined {
  if (typeof value === 'string') return unlikeItself.test(value) ? JSON.stringify(value) : `"${value}"`
  if (value === null || typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : JSON.stringify(value)
}

/** What of a string JSON writes otherwise, or may: all but the printable characters of ASCII without quote and backslash. */
const unlikeItself = /[^ !#-[\]-~]/

function textOfList(members: readonly unknown[]): string {
  let text = '['
  for (let index = 0; index < members.length; index++) {
    if (index > 0) text += ','
    text += textOf(members[index]) ?? 'null'
  }
  return `${text}]`
}

function textOfObject(members: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(members)
  if (!isSorted(keys)) keys.sort()
  let text = '{'
  for (const key of keys) {
    const member = textOf(members[key])
    if (member === undefined) continue
    if (text.length > 1) text += ','
    text += opening(key) + member
  }
  return `${text}}`
}

function isSorted(keys: readonly string[]): boolean {
  for (let index = 1; index < keys.length; index++) {
    if ((keys[index] as string) < (keys[index - 1] as string)) return false
  }
  return true
}

/** How members begin, by their key: most keys occur again and again. */
const openings = new Map<string, string>()
const mostOpenings = 1_000

function opening(key: string): string {
  const known = openings.get(key)
  if (known !== undefined) return known
  const text = `${JSON.stringify(key)}:`
  if (openings.size >= mostOpenings) openings.clear()
  openings.set(key, text)
  return text
}

/**
 * A copy of what JSON keeps of a value, as `JSON.parse(JSON.stringify(value))` gives it; undefined when JSON cannot keep it
 * (a function, a bigint, a value that contains itself).
 */
export function jsonCopy(value: unknown): JsonValue | undefined {
  const copy = plainCopy(value, 0)
  if (copy !== notPlain) return copy as JsonValue
  try {
    const text = JSON.stringify(value) as string | undefined
    return text === undefined ? undefined : (JSON.parse(text) as JsonValue)
  } catch {
    return undefined
  }
}

const notPlain = Symbol('not plain')
const plainDepth = 100

/** Copies plain data, which costs a fraction of writing and reading it; answers `notPlain` for all that needs JSON's own rules. */
function plainCopy(value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  // Zero may be negative, which JSON forgets.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (typeof value !== 'object' || depth > plainDepth) return notPlain
  if (Array.isArray(value)) {
    const copy: unknown[] = []
    for (const member of value) {
      const kept = plainCopy(member, depth + 1)
      if (kept === notPlain) return notPlain
      copy.push(kept)
    }
    return 'toJSON' in value ? notPlain : copy
  }
  const prototype = Object.getPrototypeOf(value) as unknown
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return notPlain
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key]
    if (member === undefined) continue
    const kept = plainCopy(member, depth + 1)
    if (kept === notPlain || key === '__proto__') return notPlain
    copy[key] = kept
  }
  return copy
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

/**
 * Some members of an object that is written without white space, by name: the others are passed over, which costs a fraction
 * of reading them. Says nothing about whether all of the text is JSON.
 */
export function membersOf(json: string, wanted: ReadonlySet<string>): Readonly<Record<string, JsonValue>> {
  const found: Record<string, JsonValue> = {}
  let at = 1
  while (json.charCodeAt(at) === quote) {
    const valueAt = endOfString(json, at) + 1
    const end = endOfValue(json, valueAt)
    const name = json.slice(at + 1, valueAt - 2)
    if (wanted.has(name)) {
      found[name] = JSON.parse(json.slice(valueAt, end)) as JsonValue
      if (Object.keys(found).length === wanted.size) break
    }
    at = end + 1
  }
  return found
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const openBracket = 0x5b
const closeBrace = 0x7d
const closeBracket = 0x5d

function endOfValue(json: string, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at) - 1
    else if (code === openBrace || code === openBracket) depth++
    else if ((code === closeBrace || code === closeBracket) && --depth < 0) return at
    else if (code === comma && depth === 0) return at
  }
  return json.length
}

function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = 0
    while (json.charCodeAt(at - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return at + 1
  }
  return json.length
}
