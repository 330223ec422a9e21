import type { JsonObject, JsonValue } from '../../core/index.ts'
import { isJsonObject } from '../../core/index.ts'
import { keyTables, splitKeys } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import { kept, splitSettings, splitStepParts } from './split-step.ts'
import type { SplitStep } from './split-step.ts'
import type { SplitWorkflow } from './split-result.ts'
import { writtenPaths } from './written-path.ts'

export function splitAgentWorkflow(
  tree: SourceTree,
  base: SourcePath,
  raw: JsonObject,
  problems: ProblemList,
): SplitWorkflow {
  const { known, foreign } = splitKeys(raw, keyTables.workflow, base, problems)
  const settings = splitSettings(known['settings'], [...base, 'settings'], problems)
  const steps = Array.isArray(known['steps']) ? (known['steps'] as readonly JsonValue[]) : []
  const splitSteps = steps.map((step, index) => splitStep(step, [...base, 'steps', index], problems))
  return {
    dialect: 'agent workflow',
    written: writtenPaths(tree, base),
    workflow: {
      ...known,
      ...writtenVersion(tree, base, known),
      ...(settings === undefined ? {} : { settings: settings.known }),
      ...(Array.isArray(known['steps']) ? { steps: splitSteps.map((step) => step.known) } : {}),
    },
    metadata: { ...foreign, ...(settings === undefined ? {} : kept('settings', settings.foreign)) },
    stepMetadata: splitSteps.map((step) => step.foreign),
    connectionMetadata: [],
  }
}

/** `version: 1.0` is a number to YAML and a name to people. */
export function writtenVersion(
  tree: SourceTree,
  base: SourcePath,
  known: Readonly<Record<string, JsonValue>>,
): JsonObject {
  const version = tree.writtenNumber([...base, 'version']) ?? known['version']
  if (version === undefined) return {}
  return { version: typeof version === 'number' ? String(version) : version }
}

function splitStep(raw: JsonValue, path: SourcePath, problems: ProblemList): SplitStep {
  if (!isJsonObject(raw)) return { known: raw, foreign: {} }
  return splitStepParts(splitKeys(raw, keyTables.step, path, problems), path, problems)
}
