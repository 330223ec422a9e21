import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { keyTables, splitKeys } from './known-keys.ts'
import type { KeyTable, SplitKeys } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import { show } from './workflow-shape.ts'
import { valueAt } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'

/** A workflow whose keys have been told apart, with its values still unchecked. */
export interface SplitWorkflow {
  /** Where the workflow stands in its source: at the root or under `workflow`. */
  readonly base: SourcePath
  /** Known keys only, in camelCase. */
  readonly workflow: JsonObject
  /** Everything else at workflow level. */
  readonly metadata: JsonObject
  /** Everything else of each step. */
  readonly stepMetadata: readonly JsonObject[]
}

/** @throws FaultlineError `DEFINITION_INVALID` at once when the source holds no workflow at all. */
export function splitWorkflow(tree: SourceTree, problems: ProblemList): SplitWorkflow {
  const root = tree.value
  const base =
    isJsonObject(root) && root['workflow'] !== undefined && root['steps'] === undefined ? ['workflow'] : []
  const raw = valueAt(root, base)
  if (!isJsonObject(raw)) {
    const what = base.length === 0 ? 'the definition ' : ''
    problems.add(base, `${what}must be a map with 'id' and 'steps', not ${show(raw)}`)
    throw problems.error()
  }
  refuseOtherDialects(raw, base, problems)
  const { known, foreign } = splitKeys(raw, keyTables.workflow, base, problems)
  const settings = splitMember(known['settings'], keyTables.settings, [...base, 'settings'], problems)
  const steps = Array.isArray(known['steps']) ? (known['steps'] as readonly JsonValue[]) : []
  const splitSteps = steps.map((step, index) => splitStep(step, [...base, 'steps', index], problems))
  const version = tree.writtenNumber([...base, 'version']) ?? known['version']
  return {
    base,
    workflow: {
      ...known,
      // `version: 1.0` is a number to YAML and a name to people.
      ...(version === undefined ? {} : { version: typeof version === 'number' ? String(version) : version }),
      ...(settings === undefined ? {} : { settings: settings.known }),
      ...(Array.isArray(known['steps']) ? { steps: splitSteps.map((step) => step.known) } : {}),
    },
    metadata: {
      ...aroundWorkflow(root, base, foreign, problems),
      ...foreign,
      ...(settings === undefined ? {} : kept('settings', settings.foreign)),
    },
    stepMetadata: splitSteps.map((step) => step.foreign),
  }
}

interface SplitStep {
  /** The value itself where it is no map at all, for the shape to refuse. */
  readonly known: JsonValue
  readonly foreign: JsonObject
}

function splitStep(raw: JsonValue, path: SourcePath, problems: ProblemList): SplitStep {
  if (!isJsonObject(raw)) return { known: raw, foreign: {} }
  const { known, foreign } = splitKeys(raw, keyTables.step, path, problems)
  const gate = splitMember(known['gate'], keyTables.gate, [...path, 'gate'], problems)
  const scoring = splitMember(known['scoring'], keyTables.scoring, [...path, 'scoring'], problems)
  // Scoring that is switched off does not reach the canonical form, so that all of it is kept as it stood.
  const scoringKept = scoring?.known['enabled'] === false ? known['scoring'] : scoring && withEnabled(scoring)
  return {
    known: {
      ...known,
      ...(gate === undefined ? {} : { gate: gate.known }),
      ...(scoring === undefined ? {} : { scoring: scoring.known }),
    },
    foreign: {
      ...foreign,
      ...(known['condition'] === undefined ? {} : { condition: known['condition'] }),
      ...(gate === undefined ? {} : kept('gate', gate.foreign)),
      ...kept('scoring', scoringKept),
    },
  }
}

function splitMember(
  value: JsonValue | undefined,
  table: KeyTable,
  path: SourcePath,
  problems: ProblemList,
): SplitKeys | undefined {
  return isJsonObject(value) ? splitKeys(value, table, path, problems) : undefined
}

function withEnabled({ known, foreign }: SplitKeys): JsonObject {
  return known['enabled'] === undefined ? foreign : { enabled: known['enabled'], ...foreign }
}

function kept(key: string, value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) && Object.keys(value).length > 0 ? { [key]: value } : {}
}

/** Keys beside `workflow:`, such as a schema version, are kept with those within it. */
function aroundWorkflow(
  root: JsonValue,
  base: SourcePath,
  inner: JsonObject,
  problems: ProblemList,
): JsonObject {
  if (base.length === 0 || !isJsonObject(root)) return {}
  const { workflow: _, ...around } = root
  for (const key of Object.keys(around)) {
    if ((keyTables.workflow.keys as readonly string[]).includes(key)) {
      problems.add([key], `stands beside 'workflow' and has no meaning there: move it under 'workflow'`)
    } else if (Object.hasOwn(inner, key)) {
      problems.add([key], `is written both beside and under 'workflow': keep one of them`)
    }
  }
  return around
}

function refuseOtherDialects(raw: JsonObject, base: SourcePath, problems: ProblemList): void {
  if (raw['steps'] !== undefined) return
  const graph = ['nodes', 'workflow_data', 'workflowData'].find((key) => raw[key] !== undefined)
  const pipeline = raw['services'] !== undefined && raw['workflows'] !== undefined ? 'services' : undefined
  const sign = graph ?? pipeline
  if (sign === undefined) return
  const dialect = graph === undefined ? 'a service pipeline' : 'a graph of nodes and connections'
  problems.add(
    [...base, sign],
    `belongs to ${dialect}; this version reads agent workflows, which have 'steps'`,
  )
  throw problems.error()
}
