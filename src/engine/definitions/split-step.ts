import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { keyTables, splitKeys } from './known-keys.ts'
import type { KeyTable, SplitKeys } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import type { SourcePath } from './source-tree.ts'

export interface SplitStep {
  /** The value itself where it is no map at all, for the shape to refuse. */
  readonly known: JsonValue
  readonly foreign: JsonObject
}

/** Conditions that are notes for readers: the step runs either way. */
const notes: readonly unknown[] = ['required', 'optional']

/** Tells apart the keys within a step's keys, and its notes from its conditions. */
export function splitStepParts(step: SplitKeys, path: SourcePath, problems: ProblemList): SplitStep {
  const { condition, ...known } = step.known
  const gate = splitMember(known['gate'], keyTables.gate, [...path, 'gate'], problems)
  const scoring = splitMember(known['scoring'], keyTables.scoring, [...path, 'scoring'], problems)
  // Scoring that is switched off does not reach the canonical form, so that all of it is kept as it stood.
  const scoringKept = scoring?.known['enabled'] === false ? known['scoring'] : scoring && withEnabled(scoring)
  const undo = splitMember(known['undo'], keyTables.undo, [...path, 'undo'], problems)
  const isNote = notes.includes(condition)
  return {
    known: {
      ...known,
      ...(condition === undefined || condition === '' || isNote ? {} : { condition }),
      ...(gate === undefined ? {} : { gate: gate.known }),
      ...(scoring === undefined ? {} : { scoring: scoring.known }),
      ...(undo === undefined ? {} : { undo: undo.known }),
    },
    foreign: {
      ...step.foreign,
      ...(isNote && condition !== undefined ? { condition } : {}),
      ...(gate === undefined ? {} : kept('gate', gate.foreign)),
      ...kept('scoring', scoringKept),
    },
  }
}

/** Tells apart the keys of the settings, and those of the stages within them. */
export function splitSettings(
  value: JsonValue | undefined,
  path: SourcePath,
  problems: ProblemList,
): SplitKeys | undefined {
  const settings = splitMember(value, keyTables.settings, path, problems)
  const stages = settings?.known['stages']
  if (settings === undefined || !isJsonObject(stages)) return settings
  const known: Record<string, JsonValue | undefined> = {}
  for (const [name, stage] of Object.entries(stages)) {
    known[name] = splitMember(stage, keyTables.stage, [...path, 'stages', name], problems)?.known ?? stage
  }
  return { ...settings, known: { ...settings.known, stages: known } }
}

export function splitMember(
  value: JsonValue | undefined,
  table: KeyTable,
  path: SourcePath,
  problems: ProblemList,
): SplitKeys | undefined {
  return isJsonObject(value) ? splitKeys(value, table, path, problems) : undefined
}

export function kept(key: string, value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) && Object.keys(value).length > 0 ? { [key]: value } : {}
}

function withEnabled({ known, foreign }: SplitKeys): JsonObject {
  return known['enabled'] === undefined ? foreign : { enabled: known['enabled'], ...foreign }
}
