import { covers, suggestion } from '../../core/index.ts'
import type { EdgeDefinition } from '../../definition/index.ts'
import type { Problem, SourcePath } from './problems.ts'

/** What a step says about its neighbours, with the places where it says so. */
export interface StepLinks {
  readonly id: string
  readonly path: SourcePath
  readonly requires: readonly string[]
  readonly creates: readonly string[]
  readonly next: readonly string[]
  readonly dependsOn: readonly string[]
  readonly onPass: string | undefined
  readonly onFail: string | undefined
  /** Declares `next`, `depends_on` or `requires`, be it with an empty list. */
  readonly declaresOrder: boolean
  readonly place: (key: 'requires' | 'creates' | 'next' | 'dependsOn' | 'onPass' | 'onFail') => SourcePath
}

/** Draws all edges and reports every name, cycle and loop that cannot be. */
export function drawEdges(steps: readonly StepLinks[], problems: Problem[]): readonly EdgeDefinition[] {
  const order = new Map(steps.map(({ id }, index) => [id, index]))
  reportDuplicates(steps, problems)
  const edges = new Map<string, EdgeDefinition>()
  const connect = (from: string, to: string, path: SourcePath): void => {
    for (const end of [from, to]) {
      if (!order.has(end)) return void problems.push({ path, message: `names no step: '${end}'. ${suggestion(end, order.keys())}` })
    }
    if (from === to) return void problems.push({ path, message: `makes step '${from}' wait for itself` })
    edges.set(`${from} ${to}`, { from, to })
  }
  if (steps.some(({ declaresOrder }) => declaresOrder)) {
    for (const step of steps) connectStep(step, steps, connect)
  } else {
    for (const [index, { id, path }] of steps.entries()) {
      const before = steps[index - 1]
      if (before !== undefined) connect(before.id, id, path)
    }
    for (const step of steps) if (step.onPass !== undefined) connect(step.id, step.onPass, step.place('onPass'))
  }
  const sorted = [...edges.values()].sort(
    (left, right) =>
      (order.get(left.from) as number) - (order.get(right.from) as number) ||
      (order.get(left.to) as number) - (order.get(right.to) as number),
  )
  if (problems.length === 0) reportCycle(steps, sorted, problems)
  if (problems.length === 0) reportLoopTargets(steps, sorted, problems)
  return sorted
}

function connectStep(
  step: StepLinks,
  steps: readonly StepLinks[],
  connect: (from: string, to: string, path: SourcePath) => void,
): void {
  for (const next of step.next) connect(step.id, next, step.place('next'))
  for (const before of step.dependsOn) connect(before, step.id, step.place('dependsOn'))
  if (step.onPass !== undefined) connect(step.id, step.onPass, step.place('onPass'))
  for (const required of step.requires) {
    for (const producer of steps) {
      if (producer.id === step.id || !producer.creates.some((created) => provides(created, required))) continue
      connect(producer.id, step.id, step.place('requires'))
    }
  }
}

/** A folder stands for all in it, on either side. */
export function provides(created: string, required: string): boolean {
  return covers(created, required) || covers(required, created)
}

function reportDuplicates(steps: readonly StepLinks[], problems: Problem[]): void {
  const ids = new Set<string>()
  const creators = new Map<string, string>()
  for (const step of steps) {
    if (ids.has(step.id)) problems.push({ path: [...step.path, 'id'], message: `repeats '${step.id}', the id of an earlier step` })
    ids.add(step.id)
    for (const created of step.creates) {
      const other = creators.get(created)
      if (other !== undefined && other !== step.id) {
        problems.push({ path: step.place('creates'), message: `repeats '${created}', which step '${other}' creates already` })
      }
      creators.set(created, step.id)
    }
  }
}

function reportCycle(steps: readonly StepLinks[], edges: readonly EdgeDefinition[], problems: Problem[]): void {
  const waitsFor = new Map(steps.map(({ id }) => [id, new Set<string>()]))
  for (const { from, to } of edges) waitsFor.get(to)?.add(from)
  // Kahn: take away what waits for nothing until nothing can be taken; what is left lies on cycles or behind them.
  for (let free = freeSteps(waitsFor); free.length > 0; free = freeSteps(waitsFor)) {
    for (const id of free) waitsFor.delete(id)
    for (const open of waitsFor.values()) for (const id of free) open.delete(id)
  }
  const start = waitsFor.keys().next().value
  if (start === undefined) return
  const cycle = walkBack(start, waitsFor)
  const first = steps.find(({ id }) => id === cycle[0]) as StepLinks
  problems.push({ path: first.path, message: `lies on a cycle: ${cycle.join(' -> ')}. A way back must be a gate's on_fail` })
}

function freeSteps(waitsFor: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  return [...waitsFor].filter(([, open]) => open.size === 0).map(([id]) => id)
}

/** Follows predecessors until a step comes again; gives the cycle in the direction of its edges. */
function walkBack(start: string, waitsFor: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const trail = [start]
  for (;;) {
    const next = [...(waitsFor.get(trail.at(-1) as string) as ReadonlySet<string>)][0] as string
    const again = trail.indexOf(next)
    if (again >= 0) return [next, ...trail.slice(again).reverse()]
    trail.push(next)
  }
}

function reportLoopTargets(steps: readonly StepLinks[], edges: readonly EdgeDefinition[], problems: Problem[]): void {
  const ids = steps.map(({ id }) => id)
  for (const step of steps) {
    if (step.onFail === undefined) continue
    const path = step.place('onFail')
    if (!ids.includes(step.onFail)) {
      problems.push({ path, message: `names no step: '${step.onFail}'. ${suggestion(step.onFail, ids)}` })
    } else if (!ancestors(step.id, edges).has(step.onFail)) {
      problems.push({ path, message: `must name '${step.id}' itself or a step before it, and '${step.onFail}' is neither` })
    }
  }
}

function ancestors(id: string, edges: readonly EdgeDefinition[]): ReadonlySet<string> {
  const found = new Set([id])
  for (let size = 0; size !== found.size; ) {
    size = found.size
    for (const { from, to } of edges) if (found.has(to)) found.add(from)
  }
  return found
}
