import { deepFreeze } from '../../core/index.ts'
import { definitionDefaults } from '../../definition/index.ts'
import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import { canonicalEdges } from './canonical-edges.ts'
import { canonicalLimits, canonicalSteps, checkStages } from './canonical-steps.ts'
import { checkShape } from './check-shape.ts'
import { checkDataUses } from './data-uses.ts'
import { checkGates } from './gate-conditions.ts'
import { createLocator } from './locator.ts'
import { createProblemList } from './problems.ts'
import type { ProblemList } from './problems.ts'
import { readText } from './read-text.ts'
import { readValue } from './read-value.ts'
import { createReporter } from './reporter.ts'
import type { SourceTree } from './source-tree.ts'
import { namesIn, splitWorkflow } from './split-workflow.ts'
import type { Dialect } from './split-result.ts'
import { readStartConditions } from './start-conditions.ts'
import { findEdges } from './step-edges.ts'
import { checkNames } from './step-names.ts'
import { checkAcyclic, checkReachable, checkReturns, topologicalOrder } from './step-order.ts'
import { checkSchemas } from './step-schemas.ts'
import { checkParameters } from './step-parameters.ts'
import type { WorkflowShape } from './workflow-shape.ts'
import type { WorkflowSource } from './workflow-source.ts'

export interface LoadedWorkflow {
  /** Deep-frozen plain JSON. */
  readonly definition: WorkflowDefinition
  /**
   * `file:line` of a path of the canonical definition, such as `steps.review.gate.condition`; undefined for what is not written
   * there (a default), and when there is no file. What asked for an edge is found as `steps.<id>.next`, `.dependsOn`,
   * `.requires` or `.gate.onPass`.
   */
  locate(path: string): string | undefined
  readonly file: string | undefined
}

export interface ReadWorkflow extends LoadedWorkflow {
  /** How it was written. */
  readonly dialect: Dialect
}

/**
 * Reads and checks a workflow.
 *
 * @throws FaultlineError `DEFINITION_INVALID`: up to five problems, one a line, each with file, line, column and path;
 *   `details.problems` holds all of them.
 */
export async function loadWorkflow(source: WorkflowSource): Promise<ReadWorkflow> {
  const { tree, problems } = await readSource(source)
  const split = splitWorkflow(tree, problems, source.workflow)
  const reporter = createReporter(tree, split.written, problems)
  const workflow = (await checkShape(split.workflow, reporter)) as WorkflowShape
  problems.throwIfAny()

  const limits = canonicalLimits(workflow.settings ?? {}, reporter)
  const written = canonicalSteps(workflow, split.stepMetadata, reporter)
  checkStages(workflow, reporter)
  checkNames(workflow.id, written, reporter)
  await checkGates(written, reporter)
  await checkSchemas(workflow, written, reporter)
  const starts = await readStartConditions(workflow, written, reporter)
  const steps = written.map((step, index) => withCondition(step, starts.ofSteps.get(index)))
  const uses = [...starts.uses, ...checkParameters(steps, reporter)]
  const edges = findEdges(workflow, steps, reporter)
  // Later checks walk the graph, which has to be whole for that.
  problems.throwIfAny()
  checkAcyclic(steps, edges, reporter)
  checkReturns(steps, edges, reporter)
  checkReachable(steps, edges, reporter)
  problems.throwIfAny()
  const ids = steps.map((step) => step.id)
  const order = topologicalOrder(ids, edges)
  checkDataUses(uses, steps, edges, order, reporter)
  problems.throwIfAny()

  // The nodes of a graph have no order of their own.
  const shown = split.dialect === 'graph' ? order : [...ids.keys()]
  const definition: WorkflowDefinition = {
    id: workflow.id,
    name: workflow.name ?? workflow.id,
    version: workflow.version ?? definitionDefaults.version,
    ...(workflow.description === undefined ? {} : { description: workflow.description }),
    limits,
    ...(workflow.settings?.onStepFailure === 'continue' ? { onStepFailure: 'continue' } : {}),
    ...(workflow.settings?.rollback === true ? { rollback: true } : {}),
    ...(workflow.inputSchema === undefined ? {} : { inputSchema: workflow.inputSchema }),
    ...(workflow.services === undefined ? {} : { services: workflow.services }),
    steps: shown.map((index) => steps[index] as StepDefinition),
    edges: canonicalEdges(
      edges,
      ids,
      shown,
      (connection) => ({
        condition: starts.ofConnections.get(connection),
        metadata: split.connectionMetadata[connection] ?? {},
      }),
      (step) => starts.ofSteps.has(step),
    ),
    metadata: split.metadata,
  }
  const locate = createLocator(tree, split, steps)
  return { dialect: split.dialect, definition: deepFreeze(definition), locate, file: source.file }
}

/**
 * The names of the workflows of a source that may hold several (service pipelines); undefined for one that is a workflow.
 *
 * @throws FaultlineError `DEFINITION_INVALID`
 */
export async function workflowNames(source: WorkflowSource): Promise<readonly string[] | undefined> {
  const { tree, problems } = await readSource(source)
  return namesIn(tree, problems)
}

async function readSource({ text, file, value }: WorkflowSource): Promise<{
  readonly tree: SourceTree
  readonly problems: ProblemList
}> {
  const tree = text === undefined ? await readValue(value) : await readText(text, file ?? 'the workflow')
  return { tree, problems: createProblemList(tree) }
}

function withCondition(step: StepDefinition, condition: string | undefined): StepDefinition {
  return condition === undefined ? step : { ...step, condition }
}
