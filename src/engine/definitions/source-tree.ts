import type { JsonValue } from '../../core/index.ts'

/** Keys and indexes from the root of a source down to a value. */
export type SourcePath = readonly (string | number)[]

export interface Position {
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1. */
  readonly column: number
}

/** A definition as plain JSON, with the place of everything in its text. */
export interface SourceTree {
  readonly value: JsonValue
  /** How messages name the source: a file, or the workflow when there is none. */
  readonly label: string
  readonly file: string | undefined
  /** Where a key (or a list item) stands; where its nearest ancestor stands when it does not exist. */
  position(path: SourcePath): Position | undefined
  /** A number as it was written (`1.0`), or undefined when that is not known. */
  writtenNumber(path: SourcePath): string | undefined
}

/** Larger sources are refused: they are mistakes or attacks. */
export const sourceLimits = {
  characters: 1_048_576,
  symbols: 400_000,
  nesting: 64,
  values: 500_000,
  aliasedValues: 10_000,
} as const

export function valueAt(root: JsonValue, path: SourcePath): JsonValue | undefined {
  let value: JsonValue | undefined = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string | number, JsonValue>>)[key]
  }
  return value
}

/** `steps[2].gate.on_fail`. */
export function formatPath(path: SourcePath): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else text += text === '' ? visible(key) : `.${visible(key)}`
  }
  return text
}

/** Control characters and line ends as escapes: a message stays one line and cannot steer a terminal. */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
