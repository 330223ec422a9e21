import { suggestion } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { createdFiles } from './created-files.ts'
import type { Reporter } from './reporter.ts'
import type { SourcePath } from './source-tree.ts'
import { mostEdges } from './workflow-shape.ts'
import type { StepShape, WorkflowShape } from './workflow-shape.ts'

/** One edge by step indexes, with the place that first asked for it. */
export interface StepEdge {
  readonly from: number
  readonly to: number
  /** Undefined for the edges of a chain, which come from the list itself. */
  readonly because: SourcePath | undefined
  /** Index of the connection that it is, in a graph. */
  readonly connection?: number
}

/** All edges without duplicates, sorted by the order of the steps they leave and enter. Reports names that lead nowhere. */
export function findEdges(
  { steps: shapes, connections }: WorkflowShape,
  steps: readonly StepDefinition[],
  reporter: Reporter,
): readonly StepEdge[] {
  const isChain = connections === undefined && !shapes.some(declaresOrder)
  if (isChain) return sorted([...chainEdges(shapes, reporter), ...gateEdges(shapes, steps, reporter)])
  refuseBatches(shapes, reporter)
  const edges = [
    ...connectionEdges(connections ?? [], steps, reporter),
    ...namedEdges(shapes, steps, reporter),
    ...gateEdges(shapes, steps, reporter),
  ]
  return sorted([...edges, ...artifactEdges(steps, edges.length, reporter)])
}

/** List order; neighbours with `parallel: true` start together, and what follows waits for all of them. */
function chainEdges(shapes: readonly StepShape[], reporter: Reporter): readonly StepEdge[] {
  const edges: StepEdge[] = []
  let before: readonly number[] = []
  let batch: number[] = []
  for (const [index, shape] of shapes.entries()) {
    const joins = shape.parallel === true && shapes[index - 1]?.parallel === true
    if (!joins) {
      before = batch
      batch = []
    }
    batch.push(index)
    if (edges.length + before.length > mostEdges) {
      reporter.add(['steps', index], `makes more than ${mostEdges} dependencies between steps`)
      return edges
    }
    for (const from of before) edges.push({ from, to: index, because: undefined })
  }
  return edges
}

function refuseBatches(shapes: readonly StepShape[], reporter: Reporter): void {
  for (const [index, { parallel }] of shapes.entries()) {
    if (parallel === true)
      reporter.add(
        ['steps', index, 'parallel'],
        `has a meaning only where steps run in list order: here their order is declared, and what does not wait runs at once`,
      )
  }
}

function connectionEdges(
  connections: NonNullable<WorkflowShape['connections']>,
  steps: readonly StepDefinition[],
  reporter: Reporter,
): readonly StepEdge[] {
  const find = stepFinder(steps, reporter)
  const seen = new Map<string, number>()
  return connections.flatMap(({ source, target }, connection) => {
    const because = ['connections', connection]
    const from = find(source, undefined, [...because, 'source'])
    const to = find(target, from, [...because, 'target'])
    if (from === undefined || to === undefined) return []
    const key = `${from} ${to}`
    const first = seen.get(key)
    if (first !== undefined) {
      const line = reporter.line(['connections', first])
      reporter.add(because, `connects '${source}' to '${target}' a second time${line}: keep one of them`)
    }
    seen.set(key, connection)
    return [{ from, to, because, connection }]
  })
}

/** An empty list declares too: that the step waits for nothing. */
function declaresOrder(step: StepShape): boolean {
  return step.next !== undefined || step.dependsOn !== undefined || step.requires !== undefined
}

function namedEdges(
  shapes: readonly StepShape[],
  steps: readonly StepDefinition[],
  reporter: Reporter,
): readonly StepEdge[] {
  const find = stepFinder(steps, reporter)
  return shapes.flatMap((step, index) => [
    ...(step.next ?? []).flatMap((id, position) => {
      const because = ['steps', index, 'next', position]
      const to = find(id, index, because)
      return to === undefined ? [] : [{ from: index, to, because }]
    }),
    ...(step.dependsOn ?? []).flatMap((id, position) => {
      const because = ['steps', index, 'dependsOn', position]
      const from = find(id, index, because)
      return from === undefined ? [] : [{ from, to: index, because }]
    }),
  ])
}

function gateEdges(
  shapes: readonly StepShape[],
  steps: readonly StepDefinition[],
  reporter: Reporter,
): readonly StepEdge[] {
  const find = stepFinder(steps, reporter)
  return shapes.flatMap((step, index) => {
    if (step.gate?.onPass === undefined) return []
    const because = ['steps', index, 'gate', 'onPass']
    const to = find(step.gate.onPass, index, because)
    return to === undefined ? [] : [{ from: index, to, because }]
  })
}

/** A step that requires what it creates itself updates it in place: that makes no edge. */
function artifactEdges(
  steps: readonly StepDefinition[],
  otherEdges: number,
  reporter: Reporter,
): readonly StepEdge[] {
  const created = createdFiles(steps)
  const edges: StepEdge[] = []
  for (const [to, step] of steps.entries()) {
    for (const [position, path] of step.requires.entries()) {
      const because = ['steps', to, 'requires', position]
      for (const from of created.creatorsOf(path)) if (from !== to) edges.push({ from, to, because })
      if (edges.length + otherEdges <= mostEdges) continue
      reporter.add(because, `makes more than ${mostEdges} dependencies between steps`)
      return []
    }
  }
  return edges
}

type StepFinder = (id: string, asking: number | undefined, path: SourcePath) => number | undefined

function stepFinder(steps: readonly StepDefinition[], reporter: Reporter): StepFinder {
  const indexOf = new Map(steps.map((step, index) => [step.id, index]))
  return (id, asking, path) => {
    const index = indexOf.get(id)
    if (index === undefined) reporter.add(path, namesNoStep(id, indexOf.keys(), reporter))
    else if (index === asking) reporter.add(path, `names its own step '${id}': a step cannot wait for itself`)
    return index === asking ? undefined : index
  }
}

/** Looking for the nearest name is dear in a large workflow, and only the first problems are shown. */
export function namesNoStep(id: string, known: Iterable<string>, { count }: Reporter): string {
  const shown = id.length > 128 ? `${id.slice(0, 128)}...` : id
  return count < 20 ? `names no step: '${shown}'. ${suggestion(shown, known)}` : `names no step: '${shown}'`
}

function sorted(edges: readonly StepEdge[]): readonly StepEdge[] {
  const first = new Map<string, StepEdge>()
  for (const edge of edges) {
    const key = `${edge.from} ${edge.to}`
    if (!first.has(key)) first.set(key, edge)
  }
  return [...first.values()].sort((left, right) => left.from - right.from || left.to - right.to)
}
