import { isJsonObject, suggestion } from '../core/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import { StepFailure } from '../ports/index.ts'

/** What a step was given, read member by member; written in camelCase or snake_case. */
export class ParameterReader {
  readonly #step: string
  readonly #given = new Map<string, JsonValue>()
  /** As each was written. */
  readonly #keys = new Map<string, string>()

  /** @throws StepFailure of kind `validation` for a parameter that the step does not know. */
  constructor(step: string, parameters: JsonObject, known: readonly string[]) {
    this.#step = step
    for (const [key, value] of Object.entries(parameters)) {
      const name = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
      if (!known.includes(name)) throw this.#invalid(`has no parameter '${key}'. ${suggestion(name, known)}`)
      if (value === null || value === undefined) continue
      this.#given.set(name, value)
      this.#keys.set(name, key)
    }
  }

  has(name: string): boolean {
    return this.#given.has(name)
  }

  value(name: string): JsonValue | undefined {
    return this.#given.get(name)
  }

  text(name: string): string | undefined {
    return this.#read(name, 'text', (value) => (typeof value === 'string' ? value : undefined))
  }

  requiredText(name: string): string {
    const text = this.text(name)
    if (text !== undefined && text !== '') return text
    throw this.#invalid(`needs the parameter '${name}'`)
  }

  flag(name: string): boolean {
    return (
      this.#read(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined)) ?? false
    )
  }

  wholeNumber(name: string): number | undefined {
    return this.#read(name, 'a whole number from 0', (value) =>
      Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined,
    )
  }

  /** Written in seconds, as all durations of a definition are. */
  durationMs(name: string): number | undefined {
    return this.#read(name, 'a number of seconds from 0', (value) =>
      typeof value === 'number' && value >= 0 ? Math.round(value * 1_000) : undefined,
    )
  }

  texts(name: string): readonly string[] | undefined {
    return this.#read(name, 'a list of texts', (value) =>
      Array.isArray(value) && value.every((member) => typeof member === 'string') ? value : undefined,
    )
  }

  /** A map whose values are texts, numbers or true and false. */
  textMap(name: string): Readonly<Record<string, string>> | undefined {
    return this.#read(name, 'a map of texts', textMap)
  }

  invalid(name: string, must: string): StepFailure {
    const given = JSON.stringify(this.#given.get(name))
    return this.#invalid(
      `has the parameter '${this.#keys.get(name) ?? name}', which must be ${must} and is ${given}`,
    )
  }

  #read<T>(name: string, must: string, read: (value: JsonValue) => T | undefined): T | undefined {
    const value = this.#given.get(name)
    if (value === undefined) return undefined
    const found = read(value)
    if (found === undefined) throw this.invalid(name, must)
    return found
  }

  #invalid(what: string): StepFailure {
    return invalidStep(this.#step, what)
  }
}

/** @param what continues a sentence that begins with the step */
export function invalidStep(step: string, what: string): StepFailure {
  return new StepFailure(`Step '${step}' ${what}${/[.?]$/.test(what) ? '' : '.'}`, {
    kind: 'validation',
    category: 'permanent',
  })
}

/** Undefined for what is no such map. */
export function textMap(value: JsonValue | undefined): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value)) return undefined
  const texts: Record<string, string> = {}
  for (const [key, member] of Object.entries(value)) {
    if (typeof member !== 'string' && typeof member !== 'number' && typeof member !== 'boolean')
      return undefined
    texts[key] = String(member)
  }
  return texts
}
