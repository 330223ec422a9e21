import { Option } from 'commander'
import { FaultlineError, isJsonObject } from '../core/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import { readInput } from './run-options.ts'

/** `--input` of whatever starts or takes up a run. */
export function inputOption(description: string): Option {
  return new Option('--input <value>', `${description}: name=value (repeatable), JSON, or @file`)
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([])
}

/** The input of a run: any JSON value, or members, each `name=value`. */
export function readRunInput(texts: readonly string[]): JsonValue {
  const [only] = texts
  if (texts.length === 1 && only !== undefined && !member.test(only)) return readInput(only)
  return readMembers(texts) ?? null
}

const member = /^([^={}[\]"@]+)=(.*)$/s

/** Members of the input, each `name=value`, or several at once as a JSON object or `@file`. A value that is no JSON is text. */
export function readMembers(texts: readonly string[]): JsonObject | undefined {
  if (texts.length === 0) return undefined
  return Object.assign({}, ...texts.map(membersIn)) as JsonObject
}

function membersIn(text: string): JsonObject {
  const [, name, value] = member.exec(text) ?? []
  if (name !== undefined && value !== undefined) return { [name]: jsonOrText(value) }
  const input = readInput(text)
  if (isJsonObject(input)) return input
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `The input '${text}' must be name=value, or a JSON object.`,
  )
}

function jsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return text
  }
}
