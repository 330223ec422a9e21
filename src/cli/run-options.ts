import { FaultlineError, messageOf } from '../core/index.ts'
import type { JsonValue } from '../core/index.ts'
import { readTextFile } from './read-text-file.ts'

/** Reads JSON, or that of `@file`. */
export function readInput(text: string): JsonValue {
  return text.startsWith('@')
    ? parseJson(readTextFile(text.slice(1), 'input'), `The input '${text}'`)
    : parseJson(text, 'The input')
}

/** Reads `--seed`. */
export function seedOf(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

export function parseJson(text: string, what: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (error) {
    throw new FaultlineError('CONFIGURATION_INVALID', `${what} is not valid JSON: ${messageOf(error)}`)
  }
}
