import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { keyTables } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import { splitAgentWorkflow } from './split-agent-workflow.ts'
import { graphContainer, splitGraph } from './split-graph.ts'
import { choosePipeline, isPipelines, splitPipeline } from './split-pipeline.ts'
import type { SplitWorkflow } from './split-result.ts'
import { valueAt } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import { show } from './workflow-shape.ts'

/**
 * @param name Which workflow of a file with several.
 * @throws FaultlineError `DEFINITION_INVALID` at once when the source holds no workflow at all.
 */
export function splitWorkflow(
  tree: SourceTree,
  problems: ProblemList,
  name: string | undefined,
): SplitWorkflow {
  const { base, raw } = outermost(tree, problems)
  if (isPipelines(raw)) return splitPipeline(tree, raw, choosePipeline(raw, name, problems), problems)
  const split =
    graphContainer(raw) === undefined
      ? splitAgentWorkflow(tree, base, raw, problems)
      : splitGraph(tree, base, raw, problems)
  if (name !== undefined && name !== split.workflow['id'])
    problems.add([...base, 'id'], `is ${show(split.workflow['id'])}: there is no workflow '${name}' here`)
  return {
    ...split,
    metadata: { ...aroundWorkflow(tree.value, base, split.metadata, problems), ...split.metadata },
  }
}

/** The names of the workflows of a file that may hold several; undefined for one that is a workflow itself. */
export function namesIn(tree: SourceTree, problems: ProblemList): readonly string[] | undefined {
  const { raw } = outermost(tree, problems)
  return isPipelines(raw) ? Object.keys(raw['workflows'] as JsonObject) : undefined
}

function outermost(
  tree: SourceTree,
  problems: ProblemList,
): { readonly base: SourcePath; readonly raw: JsonObject } {
  const root = tree.value
  const base =
    isJsonObject(root) && root['workflow'] !== undefined && root['steps'] === undefined ? ['workflow'] : []
  const raw = valueAt(root, base)
  if (isJsonObject(raw)) return { base, raw }
  const what = base.length === 0 ? 'the definition ' : ''
  problems.add(base, `${what}must be a map with 'id' and 'steps', not ${show(raw)}`)
  throw problems.error()
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
