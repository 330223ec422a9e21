import type { MaybePromise } from '../../core/index.ts'
import type { NamedCondition, WorkflowDefinition } from '../../definition/index.ts'
import { compileCondition, isNamedCondition } from '../definitions/index.ts'
import type { Condition, ConditionNames } from '../definitions/index.ts'
import type { ReviewLoop } from './loops.ts'

/** What decides whether steps run: only in workflows whose steps do not all run anyway. */
export interface CompiledFlow {
  /** By index of the step that they enter, in the order of the steps that they leave. */
  readonly incoming: readonly (readonly Connection[])[]
  /** Conditions of steps, by index. */
  readonly conditions: ReadonlyMap<number, StartCondition>
  /** Steps for which one of several connections is enough. */
  readonly joinsAny: ReadonlySet<number>
  /** Whether some connection has a condition. */
  readonly isRouted: boolean
  /** Whether steps run on after a failure: all that it does not concern, or those that finish off. */
  readonly goesOnAfterFailure: boolean
}

export type StartCondition = NamedCondition | Condition

export interface Connection {
  readonly from: number
  readonly condition: StartCondition | undefined
  readonly passesSkipped: boolean
  /** Gated steps that may still send `from` back. */
  readonly guards: readonly number[]
}

/** Conditions under which a step runs although the run is stopping. */
export const finalConditions: ReadonlySet<unknown> = new Set<NamedCondition>([
  'on_failure',
  'has_failures',
  'always',
])

export function compileFlow(
  definition: WorkflowDefinition,
  indexOf: ReadonlyMap<string, number>,
  loops: ReadonlyMap<number, ReviewLoop>,
): MaybePromise<CompiledFlow | undefined> {
  const { steps, edges, onStepFailure } = definition
  const isRouted = edges.some(({ condition }) => condition !== undefined)
  const isPlain = steps.every(
    ({ condition, join, continueOnError }) =>
      condition === undefined && join === undefined && continueOnError === undefined,
  )
  if (isPlain && !isRouted && onStepFailure === undefined) return undefined
  return compile(definition, indexOf, loops, isRouted)
}

async function compile(
  { steps, edges, onStepFailure }: WorkflowDefinition,
  indexOf: ReadonlyMap<string, number>,
  loops: ReadonlyMap<number, ReviewLoop>,
  isRouted: boolean,
): Promise<CompiledFlow> {
  const guardsOf = guards(loops)
  const incoming: Connection[][] = steps.map(() => [])
  for (const { from, to, condition, passesSkipped } of edges) {
    const [source, target] = [indexOf.get(from) as number, indexOf.get(to) as number]
    incoming[target]?.push({
      from: source,
      condition: condition === undefined ? undefined : await startCondition(condition, 'any'),
      passesSkipped: passesSkipped === true,
      guards: guardsOf(source, target),
    })
  }
  const conditions = new Map<number, StartCondition>()
  for (const [index, { condition }] of steps.entries())
    if (condition !== undefined) conditions.set(index, await startCondition(condition, 'declared'))
  return {
    incoming,
    conditions,
    joinsAny: new Set(steps.flatMap(({ join }, index) => (join === 'any' ? [index] : []))),
    isRouted,
    goesOnAfterFailure:
      onStepFailure === 'continue' ||
      [...steps, ...edges].some(({ condition }) => finalConditions.has(condition)),
  }
}

async function startCondition(text: string, names: ConditionNames): Promise<StartCondition> {
  return isNamedCondition(text) ? text : compileCondition(text, names)
}

/** Which gates a connection has to wait for besides its source: those of loops that it leads out of, and theirs in turn. */
function guards(loops: ReadonlyMap<number, ReviewLoop>): (from: number, to: number) => readonly number[] {
  const members = [...loops].map(([gated, loop]) => [gated, new Set(loop.members)] as const)
  return (from, to) => {
    const found = new Set([from])
    for (const step of found)
      for (const [gated, inside] of members) if (inside.has(step) && !inside.has(to)) found.add(gated)
    found.delete(from)
    return [...found]
  }
}
