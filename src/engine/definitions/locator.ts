import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { artifactPath } from './artifact-path.ts'
import { thresholdName } from './canonical-steps.ts'
import { camelCase, keyTables, spelledKey } from './known-keys.ts'
import { valueAt } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'

export type Locate = (path: string) => string | undefined

/** Canonical names of keys whose canonical form has its unit in the name or stands elsewhere. */
const canonicalNames: Readonly<Record<string, string>> = { timeout: 'timeoutMs', retryDelay: 'retryDelayMs' }
const limitNames: Readonly<Record<string, string>> = {
  maxConcurrentSteps: 'limits.maxConcurrentSteps',
  timeout: 'limits.timeoutMs',
  timeoutMs: 'limits.timeoutMs',
}

/** Finds `file:line` of canonical paths. The table is made when it is first asked for: most workflows load without a question. */
export function createLocator(tree: SourceTree, base: SourcePath, steps: readonly StepDefinition[]): Locate {
  if (tree.file === undefined) return () => undefined
  let table: ReadonlyMap<string, SourcePath> | undefined
  return (path) => {
    table ??= tabulate(tree.value, base, steps)
    const written = table.get(path)
    const position = written && tree.position(written)
    return position && `${tree.file}:${position.line}`
  }
}

function tabulate(
  root: JsonValue,
  base: SourcePath,
  steps: readonly StepDefinition[],
): ReadonlyMap<string, SourcePath> {
  const table = new Map<string, SourcePath>()
  const workflow = valueAt(root, base) as JsonObject
  for (const key of Object.keys(workflow)) {
    const known = (keyTables.workflow.keys as readonly string[]).includes(camelCase(key))
    table.set(known ? key : `metadata.${key}`, [...base, key])
  }
  const settings = workflow['settings']
  for (const key of isJsonObject(settings) ? Object.keys(settings) : []) {
    const limit = limitNames[camelCase(key)]
    if (limit !== undefined) table.set(limit, [...base, 'settings', key])
  }
  for (const [index, step] of steps.entries()) {
    const path = [...base, 'steps', index]
    table.set(`steps.${step.id}`, path)
    tabulateStep(table, valueAt(root, path) as JsonObject, path, step)
  }
  return table
}

function tabulateStep(
  table: Map<string, SourcePath>,
  raw: JsonObject,
  path: SourcePath,
  step: StepDefinition,
): void {
  const prefix = `steps.${step.id}`
  for (const key of Object.keys(raw)) {
    const name = camelCase(key)
    const known = (keyTables.step.keys as readonly string[]).includes(name)
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
