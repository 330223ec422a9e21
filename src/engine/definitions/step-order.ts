import { IndexSet } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import type { Reporter } from './reporter.ts'
import type { StepEdge } from './step-edges.ts'
import { namesNoStep } from './step-edges.ts'

/** Reports a cycle, if there is one, by the steps on it and by what asked for each of its edges. */
export function checkAcyclic(
  steps: readonly StepDefinition[],
  edges: readonly StepEdge[],
  reporter: Reporter,
): void {
  const cycle = findCycle(steps.length, edges)
  if (cycle === undefined) return
  const back =
    cycle.find((edge) => edge.from > edge.to && edge.because !== undefined) ??
    cycle.find((edge) => edge.because)
  const id = (index: number): string => steps[index]?.id ?? ''
  const round = [...cycle.map((edge) => id(edge.from)), id(cycle[0]?.from ?? 0)]
  const reasons = cycle.map((edge) => {
    const by = edge.because === undefined ? 'the order of the list' : reporter.name(edge.because)
    return `'${id(edge.from)}' before '${id(edge.to)}' by ${by}`
  })
  reporter.add(
    back?.because ?? ['steps'],
    `closes a cycle: ${shortened(round, ' -> ')}. It asks for ${shortened(reasons, ', ')}. To send work back on purpose, give the ` +
      `later step a gate with 'on_fail'`,
  )
}

/**
 * Indexes in an order in which every edge leads forward (Kahn 1962). Of those that could come next the smallest id comes
 * first, so that the order of the list does not matter.
 */
export function topologicalOrder(ids: readonly string[], edges: readonly StepEdge[]): readonly number[] {
  const byName = ids.map((_, index) => index).sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
  const rankOf: number[] = []
  for (const [rank, index] of byName.entries()) rankOf[index] = rank
  const waitsFor = ids.map(() => 0)
  const followers: number[][] = ids.map(() => [])
  for (const { from, to } of edges) {
    followers[from]?.push(to)
    waitsFor[to] = (waitsFor[to] ?? 0) + 1
  }
  let free = IndexSet.of(
    ids.length,
    byName.flatMap((index, rank) => (waitsFor[index] === 0 ? [rank] : [])),
  )
  const order: number[] = []
  for (let [rank] = free; rank !== undefined; [rank] = free) {
    const index = byName[rank] as number
    order.push(index)
    free = free.without(rank)
    for (const follower of followers[index] ?? []) {
      const left = (waitsFor[follower] ?? 0) - 1
      waitsFor[follower] = left
      if (left === 0) free = free.with(rankOf[follower] as number)
    }
  }
  return order

  function nameOf(index: number): string {
    return ids[index] as string
  }
}

/** In a graph with triggers, what no trigger leads to would never be started by anything. */
export function checkReachable(
  steps: readonly StepDefinition[],
  edges: readonly StepEdge[],
  reporter: Reporter,
): void {
  const triggers = steps.flatMap(({ type }, index) => (type === 'trigger' ? [index] : []))
  if (triggers.length === 0) return
  const followers: number[][] = steps.map(() => [])
  for (const { from, to } of edges) followers[from]?.push(to)
  const reached = new Set(triggers)
  for (const index of reached) for (const follower of followers[index] ?? []) reached.add(follower)
  for (const [index, { id }] of steps.entries()) {
    if (!reached.has(index)) reporter.add(['steps', index], `is '${id}', which no trigger leads to`)
  }
}

/** A failed gate may return to the gated step or to one it depends on, however far back. */
export function checkReturns(
  steps: readonly StepDefinition[],
  edges: readonly StepEdge[],
  reporter: Reporter,
): void {
  const indexOf = new Map(steps.map((step, index) => [step.id, index]))
  const predecessors: number[][] = steps.map(() => [])
  for (const edge of edges) predecessors[edge.to]?.push(edge.from)
  for (const [index, step] of steps.entries()) {
    const onFail = step.gate?.onFail
    if (onFail === undefined) continue
    const target = indexOf.get(onFail)
    const path = ['steps', index, 'gate', 'onFail']
    if (target === undefined) {
      reporter.add(path, namesNoStep(onFail, indexOf.keys(), reporter))
    } else if (!comesBefore(target, index, predecessors)) {
      reporter.add(
        path,
        `names '${onFail}', which does not come before '${step.id}': a failed gate can only return to a step that ` +
          `'${step.id}' depends on, or to '${step.id}' itself`,
      )
    }
  }
}

/** Whether a step is another one or comes before it. Walks back breadth first and stops early: most returns are short. */
function comesBefore(target: number, step: number, predecessors: readonly (readonly number[])[]): boolean {
  const seen = new Set([step])
  for (const current of seen) {
    if (current === target) return true
    for (const predecessor of predecessors[current] ?? []) seen.add(predecessor)
  }
  return false
}

/** Takes away steps that wait for nothing (Kahn 1962); a cycle is among what remains, and is found by walking backwards. */
function findCycle(stepCount: number, edges: readonly StepEdge[]): readonly StepEdge[] | undefined {
  const outgoing: StepEdge[][] = Array.from({ length: stepCount }, () => [])
  const incoming: StepEdge[][] = Array.from({ length: stepCount }, () => [])
  for (const edge of edges) {
    outgoing[edge.from]?.push(edge)
    incoming[edge.to]?.push(edge)
  }
  const waitsFor = incoming.map((list) => list.length)
  const free = waitsFor.flatMap((count, step) => (count === 0 ? [step] : []))
  for (const step of free) {
    for (const { to } of outgoing[step] ?? []) {
      const left = (waitsFor[to] ?? 0) - 1
      waitsFor[to] = left
      if (left === 0) free.push(to)
    }
  }
  const stuck = waitsFor.findIndex((count) => count > 0)
  return stuck < 0 ? undefined : cycleBehind(stuck, incoming, (step) => (waitsFor[step] ?? 0) > 0)
}

function cycleBehind(
  start: number,
  incoming: readonly (readonly StepEdge[])[],
  isStuck: (step: number) => boolean,
): readonly StepEdge[] {
  const backwards: StepEdge[] = []
  const visitedAt = new Map<number, number>()
  let step = start
  while (!visitedAt.has(step)) {
    visitedAt.set(step, backwards.length)
    const edge = incoming[step]?.find(({ from }) => isStuck(from)) as StepEdge
    backwards.push(edge)
    step = edge.from
  }
  const cycle = backwards.slice(visitedAt.get(step)).reverse()
  const first = cycle.reduce(
    (least, edge, index) => (edge.from < (cycle[least] as StepEdge).from ? index : least),
    0,
  )
  return [...cycle.slice(first), ...cycle.slice(0, first)]
}

const shownOfCycle = 8

function shortened(parts: readonly string[], separator: string): string {
  if (parts.length <= shownOfCycle) return parts.join(separator)
  return [...parts.slice(0, shownOfCycle - 2), '...', ...parts.slice(-1)].join(separator)
}
