import type { JsonObject, JsonValue } from '../core/index.ts'
import { idNames, renamed, type NormalisedField, type NormaliseOptions } from './normalise.ts'
import type { AttemptRecord, StateDocument } from './state-document.ts'

/** What `normaliseState` changes; everything else of the state is compared. */
export const normalisedStateFields: readonly NormalisedField[] = [
  { field: 'runId', rule: 'id', why: 'Every run gets a fresh name.' },
  { field: 'correlationId', rule: 'id', why: 'Names the test or command that asked for the run.' },
  { field: 'startedAt', rule: 'instant', why: 'The run may start at any time; attempts count from there.' },
  { field: 'finishedAt', rule: 'instant', why: 'Counted from the same start.' },
  { field: 'since', rule: 'instant', why: 'Counted from the same start.' },
  { field: 'expiresAt', rule: 'instant', why: 'Counted from the same start.' },
  { field: 'updatedAt', rule: 'instant', why: 'Counted from the same start.' },
  {
    field: 'durationMs',
    rule: 'duration',
    why: 'Repeats under the virtual clock, never under the real one.',
  },
  {
    field: 'saveSeq',
    rule: 'removed',
    why: 'Counts snapshots, which depend on how long the log has grown, not work.',
  },
  {
    field: 'launch',
    rule: 'removed',
    why: 'How the process was started; what it decides shows in the outputs.',
  },
]

/** The form in which the states of two runs are compared: byte-equal canonical JSON if they came to the same. */
export function normaliseState(state: StateDocument, options: NormaliseOptions = {}): JsonObject {
  const { startedAt, updatedAt, saveSeq: _saveSeq, launch: _launch, steps, ...rest } = state
  const relative = options.times !== 'drop'
  const instant = (at: number | null): JsonValue => (at === null ? null : at - startedAt)
  const attempt = (record: AttemptRecord): JsonValue => {
    const { startedAt: from, finishedAt, durationMs, ...kept } = record
    const times = relative ? { startedAt: instant(from), finishedAt: instant(finishedAt), durationMs } : {}
    return { ...kept, ...times } as unknown as JsonValue
  }
  const times = <T extends object>(record: T | undefined, names: readonly (keyof T)[]): object | undefined =>
    record === undefined ? undefined : withInstants(record, names, relative ? instant : () => undefined)
  const normalSteps = Object.fromEntries(
    Object.entries(steps).map(([id, { waiting, undo, ...step }]) => [
      id,
      {
        ...step,
        ...(waiting === undefined ? {} : { waiting: times(waiting, ['since', 'expiresAt']) }),
        ...(undo === undefined ? {} : { undo: times(undo, ['startedAt', 'finishedAt']) }),
        attempts: step.attempts.map(attempt),
      },
    ]),
  )
  const names = idNames(state as unknown as JsonObject)
  const normal = renamed({ ...rest, steps: normalSteps } as unknown as JsonValue, names) as JsonObject
  return {
    ...normal,
    runId: '<runId>',
    correlationId: '<correlationId>',
    ...(relative ? { updatedAt: instant(updatedAt) } : {}),
  }
}

/** A record with what `change` makes of some of its members; those that it makes nothing of are gone. */
function withInstants<T extends object>(
  record: T,
  names: readonly (keyof T)[],
  change: (at: number | null) => JsonValue | undefined,
): object {
  const kept = Object.entries(record).filter(([name]) => !names.includes(name as keyof T))
  const changed = names.flatMap((name) => {
    const value = change(record[name] as number | null)
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries([...kept, ...changed]) as object
}
