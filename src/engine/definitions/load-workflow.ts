import { deepFreeze } from '../../core/index.ts'
import { definitionDefaults } from '../../definition/index.ts'
import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import { canonicalLimits, canonicalSteps } from './canonical-steps.ts'
import { checkShape } from './check-shape.ts'
import { checkConditions } from './gate-conditions.ts'
import { createLocator } from './locator.ts'
import { createProblemList } from './problems.ts'
import { readText } from './read-text.ts'
import { readValue } from './read-value.ts'
import { createReporter } from './reporter.ts'
import { splitWorkflow } from './split-workflow.ts'
import { findEdges } from './step-edges.ts'
import { checkNames } from './step-names.ts'
import { checkAcyclic, checkReturns } from './step-order.ts'
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

/**
 * Reads and checks a workflow.
 *
 * @throws FaultlineError `DEFINITION_INVALID`: up to five problems, one a line, each with file, line, column and path;
 *   `details.problems` holds all of them.
 */
export async function loadWorkflow(source: WorkflowSource): Promise<LoadedWorkflow> {
  const { text, file } = source
  const tree = text === undefined ? readValue(source.value) : await readText(text, file ?? 'the workflow')
  const problems = createProblemList(tree)
  const { base, workflow: unchecked, metadata, stepMetadata } = splitWorkflow(tree, problems)
  const reporter = createReporter(tree, base, problems)
  const workflow = (await checkShape(unchecked, reporter)) as WorkflowShape
  problems.throwIfAny()

  const steps = canonicalSteps(workflow, stepMetadata, reporter)
  checkNames(workflow.id, steps, reporter)
  await checkConditions(steps, reporter)
  const edges = findEdges(workflow.steps, steps, reporter)
  // Later checks walk the graph, which has to be whole for that.
  problems.throwIfAny()
  checkAcyclic(steps, edges, reporter)
  checkReturns(steps, edges, reporter)
  problems.throwIfAny()

  const id = (index: number): string => (steps[index] as StepDefinition).id
  const definition: WorkflowDefinition = {
    id: workflow.id,
    name: workflow.name ?? workflow.id,
    version: workflow.version ?? definitionDefaults.version,
    ...(workflow.description === undefined ? {} : { description: workflow.description }),
    limits: canonicalLimits(workflow.settings ?? {}),
    steps,
    edges: edges.map(({ from, to }) => ({ from: id(from), to: id(to) })),
    metadata,
  }
  return { definition: deepFreeze(definition), locate: createLocator(tree, base, steps), file }
}
