import { canonicalJson, isJsonObject } from './json.ts'

/** One difference between two JSON values. A missing side is `undefined`. */
export interface JsonChange {
  /** Dotted path, list positions and keys that are no words in brackets: `steps[2].timeoutMs`, `files["a.md"]`; '' for the whole. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** All differences in the order of the sorted keys; equal values give an empty list. */
export function jsonDiff(before: unknown, after: unknown, path = ''): readonly JsonChange[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    return Array.from({ length }, (_, index) =>
      jsonDiff(before[index], after[index], `${path}[${index}]`),
    ).flat()
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap((key) => jsonDiff(before[key], after[key], memberPath(path, key)))
  }
  // Canonical JSON cannot tell a missing member from null.
  const missing = before === undefined || after === undefined
  const equal = missing ? before === after : canonicalJson(before) === canonicalJson(after)
  return equal ? [] : [{ path, before, after }]
}

function memberPath(path: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}
