import type { JsonObject, JsonValue } from '../core/index.ts'
import { isJsonObject } from '../core/index.ts'
import type { WorkflowEvent } from './events.ts'

export interface NormaliseOptions {
  /**
   * `relative` (default): times stay, as milliseconds since the run's first event; right under the virtual clock, where
   * they repeat exactly. `drop`: times and durations are removed; needed under the real clock.
   */
  readonly times?: 'relative' | 'drop'
}

export interface NormalisedField {
  readonly field: string
  /** `ids` are replaced by a name, `times` are made relative or dropped, `removed` are gone. */
  readonly rule: 'id' | 'instant' | 'duration' | 'removed'
  /** Why two runs that did the same may differ in it. */
  readonly why: string
}

/**
 * Everything in which two runs that did the same may differ. All are members of the event itself: a member of the same
 * name inside an output, an input or a definition is the workflow's own and stays. Every other member is compared.
 *
 * `seq` and `epoch` are not listed: both count what the run did, and repeat.
 */
export const normalisedFields: readonly NormalisedField[] = [
  {
    field: 'runId',
    rule: 'id',
    why: 'Every run gets a fresh name. It is replaced in every text too, since idempotency keys and messages carry it.',
  },
  {
    field: 'correlationId',
    rule: 'id',
    why: 'Names the test or command that asked for the run, and so differs between a recording and its replay.',
  },
  {
    field: 'at',
    rule: 'instant',
    why: 'The run may start at any time; only the distance from its first event can repeat.',
  },
  {
    field: 'notBefore',
    rule: 'instant',
    why: 'The moment of a retry, counted from the same start. How long it waits stays in delayMs, which is compared.',
  },
  {
    field: 'expiresAt',
    rule: 'instant',
    why: 'Until when a gate can be answered, counted from the same start.',
  },
  {
    field: 'graceUntil',
    rule: 'instant',
    why: 'Until when steps of a cancelled run may go on, counted from the same start.',
  },
  {
    field: 'durationMs',
    rule: 'duration',
    why: 'Measured time: repeats under the virtual clock, never under the real one.',
  },
  {
    field: 'durableSeq',
    rule: 'removed',
    why: 'Tells which events shared one commit: a matter of how fast the disk was, not of what the run did.',
  },
  {
    field: 'owner',
    rule: 'removed',
    why: 'Identity of the process that held the run: another one in every run.',
  },
  {
    field: 'group',
    rule: 'removed',
    why: 'The number that the system gave to a process and when that began: others in every run.',
  },
  {
    field: 'lineSha256',
    rule: 'removed',
    why: 'Digest of a line with the run id and times in it; what the line says is compared itself.',
  },
  {
    field: 'launch',
    rule: 'removed',
    why: 'How the process was started; a replay is started by another command. What it decides shows in the outputs.',
  },
]

/**
 * The form in which two runs are compared: byte-equal JSON if, and only if, they did the same. Only `normalisedFields`
 * are removed or replaced; order, outputs, errors, attempts and digests stay as they are.
 */
export function normaliseEvents(
  events: readonly WorkflowEvent[],
  options: NormaliseOptions = {},
): readonly JsonObject[] {
  const times = options.times ?? 'relative'
  const startedAt = events[0]?.at ?? 0
  return events.map((event) => normaliseEvent(event as unknown as JsonObject, startedAt, times))
}

const ruleOf: ReadonlyMap<string, NormalisedField['rule']> = new Map(
  normalisedFields.map(({ field, rule }) => [field, rule]),
)

function normaliseEvent(event: JsonObject, startedAt: number, times: 'relative' | 'drop'): JsonObject {
  const names = idNames(event)
  const normal: Record<string, JsonValue> = {}
  for (const [field, value] of Object.entries(event)) {
    if (value === undefined) continue
    switch (ruleOf.get(field)) {
      case 'removed':
        break
      case 'id':
        normal[field] = `<${field}>`
        break
      case 'instant':
        if (times === 'relative') normal[field] = Number(value) - startedAt
        break
      case 'duration':
        if (times === 'relative') normal[field] = value
        break
      case undefined:
        normal[field] = renamed(value, names)
    }
  }
  return normal
}

/** Shorter ids could be part of ordinary words; the ones faultline makes are longer. */
const shortestIdInText = 8

export type IdNames = readonly (readonly [id: string, name: string])[]

/** What the ids of a run are called in the normal form. */
export function idNames(event: JsonObject): IdNames {
  return [...ruleOf].flatMap(([field, rule]) => {
    const id = event[field]
    return rule === 'id' && typeof id === 'string' && id.length >= shortestIdInText
      ? [[id, `<${field}>`] as const]
      : []
  })
}

export function renamed(value: JsonValue, names: IdNames): JsonValue {
  if (typeof value === 'string') {
    return names.reduce((text, [id, name]) => text.replaceAll(id, name), value)
  }
  if (Array.isArray(value)) return value.map((member: JsonValue) => renamed(member, names))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      member === undefined ? [] : [[key, renamed(member, names)]],
    ),
  )
}
