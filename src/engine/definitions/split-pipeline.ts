import { isJsonObject, suggestion } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { keyTables, splitKeys } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import { writtenVersion } from './split-agent-workflow.ts'
import { kept, splitSettings, splitStepParts } from './split-step.ts'
import type { SplitStep } from './split-step.ts'
import type { SplitWorkflow } from './split-result.ts'
import { show } from './workflow-shape.ts'
import { writtenPaths } from './written-path.ts'

/** Several workflows in one file, over shared services. */
export function isPipelines(raw: JsonObject): boolean {
  return raw['steps'] === undefined && isJsonObject(raw['workflows'])
}

/** @throws FaultlineError `DEFINITION_INVALID` when it is not clear which one is meant. */
export function choosePipeline(raw: JsonObject, name: string | undefined, problems: ProblemList): string {
  const names = Object.keys(raw['workflows'] as JsonObject)
  if (name === undefined ? names.length === 1 : names.includes(name)) return name ?? (names[0] as string)
  const shown = names.map((each) => `'${each}'`).join(', ')
  if (names.length === 0) problems.add(['workflows'], 'must hold at least one workflow')
  else if (name === undefined)
    problems.add(['workflows'], `holds ${names.length} workflows: name one of ${shown}`)
  else problems.add(['workflows'], `holds no workflow '${name}'. ${suggestion(name, names)}`)
  throw problems.error()
}

export function splitPipeline(
  tree: SourceTree,
  root: JsonObject,
  name: string,
  problems: ProblemList,
): SplitWorkflow {
  const base = ['workflows', name]
  const around = splitKeys(root, keyTables.pipelines, [], problems)
  const services = servicesOf(around.known['services'], problems)
  const raw = (root['workflows'] as JsonObject)[name]
  if (!isJsonObject(raw)) {
    problems.add(base, `must be a map with 'steps', not ${show(raw)}`)
    throw problems.error()
  }
  const { known } = splitKeys(raw, keyTables.pipeline, base, problems)
  const settings = splitSettings(known['settings'], [...base, 'settings'], problems)
  const ids = freshIds()
  const { steps } = known
  const splitSteps = Array.isArray(steps)
    ? (steps as readonly JsonValue[]).map((step, index) =>
        splitStep(step, [...base, 'steps', index], services, ids, problems),
      )
    : []
  return {
    dialect: 'service pipeline',
    written: writtenPaths(tree, base),
    workflow: {
      ...known,
      id: name,
      services,
      ...writtenVersion(tree, base, known),
      ...(settings === undefined ? {} : { settings: settings.known }),
      ...(Array.isArray(steps) ? { steps: splitSteps.map((step) => step.known) } : {}),
    },
    metadata: { ...around.foreign, ...(settings === undefined ? {} : kept('settings', settings.foreign)) },
    stepMetadata: splitSteps.map((step) => step.foreign),
    connectionMetadata: [],
  }
}

function servicesOf(value: JsonValue | undefined, problems: ProblemList): JsonObject {
  if (value === undefined) return {}
  if (!isJsonObject(value)) {
    problems.add(['services'], `must be a map of services by name, not ${show(value)}`)
    return {}
  }
  for (const [name, service] of Object.entries(value)) {
    if (!isJsonObject(service)) problems.add(['services', name], `must be a map, not ${show(service)}`)
  }
  return value
}

/** A step without an id is named after what it does: `test-api`, and `test-api-2` where that is taken. */
function splitStep(
  raw: JsonValue,
  path: SourcePath,
  services: JsonObject,
  freshId: (wanted: string) => string,
  problems: ProblemList,
): SplitStep {
  if (!isJsonObject(raw)) return { known: raw, foreign: {} }
  const { known, foreign } = splitKeys(raw, keyTables.pipelineStep, path, problems)
  const { type, service } = known
  if (type === undefined) problems.add([...path, 'type'], 'is missing: it must be text')
  if (typeof service === 'string' && !Object.hasOwn(services, service))
    problems.add(
      [...path, 'service'],
      `names no service: '${service}'. ${suggestion(service, Object.keys(services))}`,
    )
  const words = [type, service].filter((word) => typeof word === 'string')
  const identified = { ...known, id: known['id'] ?? freshId(words.join('-')), agent: type ?? 'missing' }
  return splitStepParts({ known: identified, foreign }, path, problems)
}

function freshIds(): (wanted: string) => string {
  const taken = new Map<string, number>()
  return (wanted) => {
    const times = (taken.get(wanted) ?? 0) + 1
    taken.set(wanted, times)
    return times === 1 ? wanted : `${wanted}-${times}`
  }
}
