import fc from 'fast-check'
import type { JsonValue } from '../core/index.ts'

/** Inputs of runs: any JSON value, as it is read from text. */
export function inputs(options: { readonly maxDepth?: number } = {}): fc.Arbitrary<JsonValue> {
  return fc
    .jsonValue({ maxDepth: options.maxDepth ?? 3 })
    .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
}
