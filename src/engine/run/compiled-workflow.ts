import { canonicalJson, FaultlineError, suggestion, whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import type { DigestPort } from '../../ports/index.ts'
import { compileCondition } from '../definitions/index.ts'
import type { Condition } from '../definitions/index.ts'
import { compileFlow } from './connections.ts'
import type { CompiledFlow } from './connections.ts'
import { planLoops } from './loops.ts'
import type { ReviewLoop } from './loops.ts'
import { compilePreparations } from './preparation.ts'
import type { Preparation } from './preparation.ts'

/** A definition prepared for running: steps by index, edges as adjacency lists, conditions parsed. */
export interface CompiledWorkflow {
  readonly definition: WorkflowDefinition
  readonly definitionSha256: string
  /** Canonical JSON of the definition: what the digest is taken of and what every snapshot holds. */
  readonly definitionJson: string
  /** Steps sorted by id, each with how its record begins in canonical JSON, behind the one before it. */
  readonly stepsByName: readonly { readonly index: number; readonly opening: string }[]
  readonly steps: readonly StepDefinition[]
  readonly indexOf: ReadonlyMap<string, number>
  readonly predecessors: readonly (readonly number[])[]
  readonly successors: readonly (readonly number[])[]
  /** By index of the gated step. */
  readonly loops: ReadonlyMap<number, ReviewLoop>
  /** By index of the gated step. */
  readonly conditions: ReadonlyMap<number, Condition>
  /** Steps that say how to undo them. */
  readonly undoable: readonly number[]
  /** By index of the step; only for those that need it. */
  readonly preparations: ReadonlyMap<number, Preparation>
  /** Undefined where every step runs in its turn. */
  readonly flow: CompiledFlow | undefined
}

const compiled = new Map<string, CompiledWorkflow>()
const keptCompilations = 64

/**
 * Compiles a definition. The same digest gives the same object for as long as it is remembered: compiling is pure, so the
 * memory only saves time. Answers at once when remembered or when there is no condition to parse.
 */
export function compileWorkflow(
  definition: WorkflowDefinition,
  definitionSha256: string,
): MaybePromise<CompiledWorkflow> {
  const known = compiled.get(definitionSha256)
  if (known !== undefined) return known
  const structure = structureOf(definition)
  return whenReady(compileConditions(definition), (conditions) =>
    whenReady(compilePreparations(definition), (preparations) =>
      whenReady(compileFlow(definition, structure.indexOf, structure.loops), (flow) => {
        const definitionJson = canonicalJson(definition)
        const stepsByName = sortedSteps(definition)
        const workflow = {
          ...structure,
          definition,
          definitionSha256,
          definitionJson,
          stepsByName,
          conditions,
          preparations,
          flow,
        }
        if (compiled.size >= keptCompilations) compiled.delete(compiled.keys().next().value as string)
        compiled.set(definitionSha256, workflow)
        return workflow
      }),
    ),
  )
}

const digests = new WeakMap<WorkflowDefinition, string>()

/** SHA-256 of the canonical definition; remembered for a definition that cannot change. */
export function definitionDigest(definition: WorkflowDefinition, digest: DigestPort): string {
  const known = digests.get(definition)
  if (known !== undefined) return known
  const sha256 = digest.sha256(canonicalJson(definition))
  if (Object.isFrozen(definition)) digests.set(definition, sha256)
  return sha256
}

/** @throws FaultlineError `UNKNOWN_STEP` with the nearest name. */
export function stepIndex(workflow: CompiledWorkflow, step: string): number {
  const index = workflow.indexOf.get(step)
  if (index !== undefined) return index
  throw new FaultlineError(
    'UNKNOWN_STEP',
    `Workflow '${workflow.definition.id}' has no step '${step}'. ${suggestion(step, workflow.indexOf.keys())}`,
    { details: { workflowId: workflow.definition.id, step } },
  )
}

function sortedSteps(definition: WorkflowDefinition): CompiledWorkflow['stepsByName'] {
  return definition.steps
    .map(({ id, agent }, index) => ({ index, id, agent }))
    .sort((left, right) => (left.id < right.id ? -1 : 1))
    .map(({ index, id, agent }, place) => ({
      index,
      opening: `${place === 0 ? '' : ','}${JSON.stringify(id)}:{"agent":${JSON.stringify(agent)},`,
    }))
}

function structureOf(
  definition: WorkflowDefinition,
): Pick<CompiledWorkflow, 'steps' | 'indexOf' | 'predecessors' | 'successors' | 'loops' | 'undoable'> {
  const { steps } = definition
  const indexOf = new Map(steps.map((step, index) => [step.id, index]))
  const predecessors: number[][] = steps.map(() => [])
  const successors: number[][] = steps.map(() => [])
  for (const edge of definition.edges) {
    const from = indexOf.get(edge.from) as number
    const to = indexOf.get(edge.to) as number
    successors[from]?.push(to)
    predecessors[to]?.push(from)
  }
  const loops = planLoops(steps, indexOf, predecessors, successors)
  const undoable = steps.flatMap(({ undo }, index) => (undo === undefined ? [] : [index]))
  return { steps, indexOf, predecessors, successors, loops, undoable }
}

function compileConditions(definition: WorkflowDefinition): MaybePromise<ReadonlyMap<number, Condition>> {
  const gated = definition.steps.flatMap((step, index) =>
    step.gate?.condition === undefined ? [] : [{ index, text: step.gate.condition }],
  )
  if (gated.length === 0) return new Map()
  return Promise.all(
    gated.map(async ({ index, text }) => [index, await compileCondition(text)] as const),
  ).then((entries) => new Map(entries))
}
