import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts'
import type { WorkflowEvent } from './events.ts'
import { normaliseEvents, type NormaliseOptions } from './normalise.ts'

/** The first place at which a replay did something else than the recording. */
export interface Divergence {
  /** Position in the log, from 0. */
  readonly index: number
  /** The normalised events at that position; undefined on the side that had already ended. */
  readonly recorded: JsonObject | undefined
  readonly replayed: JsonObject | undefined
  /** The member that differs, such as `error.message` or `artifacts[0].sha256`; empty when one side had ended. */
  readonly path: string
}

/** Compares two runs in their normal form; undefined when they did the same. */
export function firstDivergence(
  recorded: readonly WorkflowEvent[],
  replayed: readonly WorkflowEvent[],
  options: NormaliseOptions = {},
): Divergence | undefined {
  const before = normaliseEvents(recorded, options)
  const after = normaliseEvents(replayed, options)
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    const [was, now] = [before[index], after[index]]
    if (was === undefined || now === undefined) return { index, recorded: was, replayed: now, path: '' }
    const path = firstDifference(was, now)
    if (path !== undefined) return { index, recorded: was, replayed: now, path }
  }
  return undefined
}

/** `diverged at event 7 (step_fail review#1@1): error.message was 'a', now 'b'`. */
export function describeDivergence({ index, recorded, replayed, path }: Divergence): string {
  const place = `diverged at event ${index}`
  if (replayed === undefined) return `${place}: was ${label(recorded)}, but the replay ended before it`
  if (recorded === undefined) return `${place}: the recording ended before it, now ${label(replayed)}`
  if (label(recorded) !== label(replayed)) return `${place}: was ${label(recorded)}, now ${label(replayed)}`
  return `${place} (${label(recorded)}): ${path} was ${shown(memberAt(recorded, path))}, now ${shown(memberAt(replayed, path))}`
}

/** What tells most is named first: which event it was, then what it said, and times only when all else is equal. */
const tellingFirst = [
  'kind',
  'step',
  'visit',
  'attempt',
  'status',
  'route',
  'error',
  'reason',
  'output',
  'artifacts',
]
const tellingLast = ['notBefore', 'at', 'durationMs']

function firstDifference(was: JsonObject, now: JsonObject): string | undefined {
  const keys = [...new Set([...Object.keys(was), ...Object.keys(now)])]
  const middle = keys.filter((key) => !tellingFirst.includes(key) && !tellingLast.includes(key)).sort()
  for (const key of [...tellingFirst, ...middle, ...tellingLast]) {
    const path = difference(was[key], now[key], keyStep('', key))
    if (path !== undefined) return path
  }
  return undefined
}

function difference(
  was: JsonValue | undefined,
  now: JsonValue | undefined,
  path: string,
): string | undefined {
  if (canonicalJson(was) === canonicalJson(now) && (was === undefined) === (now === undefined))
    return undefined
  if (Array.isArray(was) && Array.isArray(now) && was.length === now.length) {
    for (const [index, member] of was.entries()) {
      const inner = difference(member as JsonValue, now[index] as JsonValue, `${path}[${index}]`)
      if (inner !== undefined) return inner
    }
  }
  if (isJsonObject(was) && isJsonObject(now)) {
    for (const key of [...new Set([...Object.keys(was), ...Object.keys(now)])].sort()) {
      const inner = difference(was[key], now[key], keyStep(path, key))
      if (inner !== undefined) return inner
    }
  }
  return path
}

function keyStep(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

/** Walks the paths that `keyStep` writes. */
function memberAt(event: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = event
  for (const [, name, index] of path.matchAll(/([A-Za-z_$][\w$]*)|\[(\d+|"(?:[^"\\]|\\.)*")\]/g)) {
    const key = name ?? String(JSON.parse(index as string))
    value = Array.isArray(value)
      ? (value[Number(key)] as JsonValue)
      : isJsonObject(value)
        ? value[key]
        : undefined
  }
  return value
}

function label(event: JsonObject | undefined): string {
  if (event === undefined) return 'nothing'
  const { kind, step, visit, attempt } = event as unknown as EventLabel
  if (step === undefined) return kind
  return visit === undefined ? `${kind} ${step}` : `${kind} ${step}#${visit}@${attempt}`
}

interface EventLabel {
  readonly kind: string
  readonly step?: string
  readonly visit?: number
  readonly attempt?: number
}

const longestValue = 120

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return 'absent'
  const text = typeof value === 'string' ? `'${value.replaceAll('\n', '\\n')}'` : JSON.stringify(value)
  return text.length <= longestValue ? text : `${text.slice(0, longestValue - 1)}…`
}
