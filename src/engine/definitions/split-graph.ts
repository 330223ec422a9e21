import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { groupOf, keyTables, splitKeys } from './known-keys.ts'
import type { SplitKeys } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import { writtenVersion } from './split-agent-workflow.ts'
import { kept, splitMember, splitSettings, splitStepParts } from './split-step.ts'
import type { SplitStep } from './split-step.ts'
import type { SplitWorkflow } from './split-result.ts'
import { show } from './workflow-shape.ts'
import { writtenPaths } from './written-path.ts'
import type { Spelling } from './written-path.ts'

const containers = ['workflow_data', 'workflowData'] as const

const graphSpelling: Spelling = {
  aliases: {
    steps: ['nodes'],
    connections: ['edges'],
    name: ['title', 'label'],
    agent: ['service', 'type'],
    parameters: ['config'],
  },
  inner: [...containers, 'config'],
}

/** Where the nodes of a graph stand below its map; undefined for what is no graph. */
export function graphContainer(raw: JsonObject): SourcePath | undefined {
  if (raw['steps'] !== undefined) return undefined
  const container = containers.find((key) => raw[key] !== undefined)
  if (container !== undefined) return [container]
  return raw['nodes'] === undefined ? undefined : []
}

/** A graph becomes an agent workflow: nodes are its steps, and what a node's `config` says is said of the step. */
export function splitGraph(
  tree: SourceTree,
  base: SourcePath,
  raw: JsonObject,
  problems: ProblemList,
): SplitWorkflow {
  const { known, foreign, home } = graphKeys(raw, base, problems)
  const settings = splitSettings(known['settings'], [...home('settings'), 'settings'], problems)
  const { nodes, connections, edges, ...workflow } = known
  const edgesKey = edges === undefined ? 'connections' : 'edges'
  const links = edges ?? connections ?? []
  const splitNodes = listOf(nodes).map((node, index) =>
    splitNode(node, [...home('nodes'), 'nodes', index], problems),
  )
  const splitLinks = listOf(links).map((link, index) =>
    splitConnection(link, [...home(edgesKey), edgesKey, index], problems),
  )
  return {
    dialect: 'graph',
    written: writtenPaths(tree, base, graphSpelling),
    workflow: {
      ...workflow,
      ...writtenVersion(tree, home('version'), known),
      ...(settings === undefined ? {} : { settings: settings.known }),
      ...(nodes === undefined
        ? {}
        : { steps: Array.isArray(nodes) ? splitNodes.map((node) => node.known) : nodes }),
      connections: Array.isArray(links) ? splitLinks.map((link) => link.known) : links,
    },
    metadata: { ...foreign, ...(settings === undefined ? {} : kept('settings', settings.foreign)) },
    stepMetadata: splitNodes.map((node) => node.foreign),
    connectionMetadata: splitLinks.map((link) => link.foreign),
  }
}

interface GraphKeys extends SplitKeys {
  /** The map that a key was found in. */
  readonly home: (key: string) => SourcePath
}

/** The keys of a graph may stand beside its container, within it, or some here and some there. */
function graphKeys(raw: JsonObject, base: SourcePath, problems: ProblemList): GraphKeys {
  const [container] = graphContainer(raw) ?? []
  if (container === undefined) return { ...splitKeys(raw, keyTables.graph, base, problems), home: () => base }
  const { [container]: content, ...around } = raw
  const outer = splitKeys(around, keyTables.graph, base, problems)
  const innerBase = [...base, container]
  const inner = splitMember(content, keyTables.graph, innerBase, problems)
  if (inner === undefined) {
    problems.add(innerBase, `must be a map with 'nodes' and 'connections'`)
    throw problems.error()
  }
  for (const key of Object.keys(inner.known)) {
    if (Object.hasOwn(outer.known, key))
      problems.add([...innerBase, key], `is written both beside and under '${container}': keep one of them`)
  }
  return {
    known: { ...outer.known, ...inner.known },
    foreign: { ...outer.foreign, ...kept(String(container), inner.foreign) },
    home: (key) => (Object.hasOwn(inner.known, key) ? innerBase : base),
  }
}

function splitNode(raw: JsonValue, path: SourcePath, problems: ProblemList): SplitStep {
  if (!isJsonObject(raw)) return { known: raw, foreign: {} }
  const node = splitKeys(raw, keyTables.node, path, problems)
  const { config, title, label, type, service, ...own } = node.known
  if (config !== undefined && !isJsonObject(config))
    problems.add([...path, 'config'], `must be a map, not ${show(config)}`)
  const inner = splitMember(config, keyTables.nodeConfig, [...path, 'config'], problems)
  const { service: innerService, ...configured } = inner?.known ?? {}
  for (const key of Object.keys(inner?.known ?? {})) {
    const twin = Object.keys(node.known).find(
      (other) => groupOf(keyTables.node, other) === groupOf(keyTables.node, key),
    )
    if (twin !== undefined)
      problems.add([...path, 'config', key], `says the same as '${twin}' of the node: give only one of them`)
  }
  const others = inner?.foreign ?? {}
  const hasParameters = own['parameters'] !== undefined || configured['parameters'] !== undefined
  const known: Record<string, JsonValue> = {
    // A kind of node is performed by the agent of that name, unless the node names another.
    ...firstOf('agent', service, innerService, type),
    ...firstOf('name', title, label),
    ...(type === 'trigger' ? { action: 'manual' } : {}),
    ...(type === undefined ? {} : { type }),
    ...(hasParameters || inner === undefined ? {} : { parameters: others }),
    ...own,
    ...configured,
  }
  if (known['agent'] === undefined)
    problems.add(path, `names neither a 'type' nor an 'agent': one of them says who performs it`)
  return splitStepParts(
    { known, foreign: { ...node.foreign, ...(hasParameters ? kept('config', others) : {}) } },
    path,
    problems,
  )
}

function splitConnection(raw: JsonValue, path: SourcePath, problems: ProblemList): SplitStep {
  if (!isJsonObject(raw)) return { known: raw, foreign: {} }
  const { known, foreign } = splitKeys(raw, keyTables.connection, path, problems)
  const { condition, ...ends } = known
  return {
    known: { ...ends, ...(condition === undefined || condition === '' ? {} : { condition }) },
    foreign,
  }
}

function firstOf(key: string, ...values: readonly (JsonValue | undefined)[]): Record<string, JsonValue> {
  const value = values.find((each) => each !== undefined)
  return value === undefined ? {} : { [key]: value }
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : []
}
