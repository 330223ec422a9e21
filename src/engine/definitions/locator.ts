import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { artifactPath } from './artifact-path.ts'
import { thresholdName } from './canonical-steps.ts'
import { camelCase, keyTables, spelledKey } from './known-keys.ts'
import { valueAt } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import type { Dialect, SplitWorkflow } from './split-result.ts'
import type { WrittenPath } from './written-path.ts'

export type Locate = (path: string) => string | undefined

/** Canonical names of keys whose canonical form has its unit in the name or stands elsewhere. */
const canonicalNames: Readonly<Record<string, string>> = {
  timeout: 'timeoutMs',
  retryDelay: 'retryDelayMs',
  maxDuration: 'maxDurationMs',
  title: 'name',
  label: 'name',
}
const limitNames: Readonly<Record<string, string>> = {
  maxConcurrentSteps: 'limits.maxConcurrentSteps',
  timeout: 'limits.timeoutMs',
  timeoutMs: 'limits.timeoutMs',
}

const workflowKeys: Readonly<Record<Dialect, readonly string[]>> = {
  'agent workflow': keyTables.workflow.keys,
  graph: keyTables.graph.keys,
  'service pipeline': keyTables.pipeline.keys,
}
const stepKeys: Readonly<Record<Dialect, readonly string[]>> = {
  'agent workflow': keyTables.step.keys,
  graph: keyTables.node.keys,
  'service pipeline': keyTables.pipelineStep.keys,
}

/** Finds `file:line` of canonical paths. The table is made when it is first asked for: most workflows load without a question. */
export function createLocator(
  tree: SourceTree,
  { written, dialect }: SplitWorkflow,
  steps: readonly StepDefinition[],
): Locate {
  if (tree.file === undefined) return () => undefined
  let table: ReadonlyMap<string, SourcePath> | undefined
  return (path) => {
    table ??= tabulate(tree.value, written, dialect, steps)
    const found = table.get(path)
    const position = found && tree.position(found)
    return position && `${tree.file}:${position.line}`
  }
}

function tabulate(
  root: JsonValue,
  written: WrittenPath,
  dialect: Dialect,
  steps: readonly StepDefinition[],
): ReadonlyMap<string, SourcePath> {
  const table = new Map<string, SourcePath>()
  const base = written([])
  const workflow = valueAt(root, base) as JsonObject
  for (const key of Object.keys(workflow)) {
    const known = workflowKeys[dialect].includes(camelCase(key))
    table.set(known ? key : `metadata.${key}`, [...base, key])
  }
  const settings = workflow['settings']
  for (const key of isJsonObject(settings) ? Object.keys(settings) : []) {
    const limit = limitNames[camelCase(key)]
    if (limit !== undefined) table.set(limit, [...base, 'settings', key])
  }
  for (const [index, step] of steps.entries()) {
    const path = written(['steps', index])
    const raw = valueAt(root, path) as JsonObject
    table.set(`steps.${step.id}`, path)
    tabulateStep(table, raw, path, step, dialect)
    const config = dialect === 'graph' ? raw['config'] : undefined
    if (isJsonObject(config)) tabulateStep(table, config, [...path, 'config'], step, dialect)
  }
  return table
}

function tabulateStep(
  table: Map<string, SourcePath>,
  raw: JsonObject,
  path: SourcePath,
  step: StepDefinition,
  dialect: Dialect,
): void {
  const prefix = `steps.${step.id}`
  for (const key of Object.keys(raw)) {
    const name = camelCase(key)
    const known = stepKeys[dialect].includes(name)
    table.set(`${prefix}.${known ? (canonicalNames[name] ?? name) : `metadata.${key}`}`, [...path, key])
  }
  for (const name of ['gate', 'scoring', 'next', 'dependsOn']) {
    const key = spelledKey(raw, name)
    const value = valueAt(raw, [key])
    if (typeof value !== 'object' || value === null) continue
    for (const member of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      const memberName = typeof member === 'number' ? member : camelCase(member)
      table.set(`${prefix}.${name}.${memberName}`, [...path, key, member])
    }
  }
  const thresholds = valueAt(raw, ['scoring', 'thresholds'])
  for (const key of isJsonObject(thresholds) ? Object.keys(thresholds) : []) {
    table.set(`${prefix}.scoring.thresholds.${thresholdName(key)}`, [...path, 'scoring', 'thresholds', key])
  }
  for (const name of ['requires', 'creates'] as const) {
    const written = raw[name]
    const list =
      typeof written === 'string' ? [written] : Array.isArray(written) ? (written as readonly string[]) : []
    for (const [position, text] of list.entries()) {
      // A path that is written twice is one path: its first line counts.
      const canonical = `${prefix}.${name}.${step[name].indexOf(artifactPath(text))}`
      if (!table.has(canonical)) table.set(canonical, [...path, name, position])
    }
  }
}
