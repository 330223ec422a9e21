import type { StepDefinition } from '../../definition/index.ts'

/** A review loop: what a failed gate sends back. */
export interface ReviewLoop {
  /** Index of the step that `onFail` names. */
  readonly target: number
  /** Target, gated step and every step on a path between them, in definition order. */
  readonly members: readonly number[]
}

/**
 * Finds the members of every review loop and adds the edges that make dependants wait: a step outside a loop that depends
 * on a member also depends on the gated step, since a failed gate may still change what it would read.
 *
 * A step that starts early (`join: any`) may leave others of its loop on their way: the gated step then waits for all of the loop.
 *
 * Adding an edge can put a step on a new path of another loop, so this repeats until nothing changes. No added edge closes a
 * cycle: a dependant that reached the gated step would lie on a path and be a member.
 */
export function planLoops(
  steps: readonly StepDefinition[],
  indexOf: ReadonlyMap<string, number>,
  predecessors: number[][],
  successors: number[][],
): ReadonlyMap<number, ReviewLoop> {
  const gates = steps.flatMap((step, gated) =>
    step.gate?.onFail === undefined ? [] : [{ gated, target: indexOf.get(step.gate.onFail) as number }],
  )
  const loops = new Map<number, ReviewLoop>()
  for (let changed = true; changed;) {
    changed = false
    for (const { gated, target } of gates) {
      const members = between(target, gated, successors, predecessors)
      loops.set(gated, { target, members: [...members].sort((left, right) => left - right) })
      const startsEarly = [...members].some((member) => steps[member]?.join === 'any')
      for (const member of startsEarly ? members : []) {
        if (member === gated || successors[member]?.includes(gated)) continue
        successors[member]?.push(gated)
        predecessors[gated]?.push(member)
      }
      for (const dependant of outsideDependants(members, successors)) {
        if (successors[gated]?.includes(dependant)) continue
        successors[gated]?.push(dependant)
        predecessors[dependant]?.push(gated)
        changed = true
      }
    }
  }
  return loops
}

function between(from: number, to: number, successors: number[][], predecessors: number[][]): Set<number> {
  const below = reachable(from, (step) => successors[step] ?? [])
  const above = reachable(to, (step) => predecessors[step] ?? [])
  return new Set([...below].filter((step) => above.has(step)))
}

/** The step and all that `next` leads to from it. */
export function reachable(start: number, next: (step: number) => readonly number[]): Set<number> {
  const seen = new Set([start])
  const open = [start]
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    for (const neighbour of next(step)) {
      if (seen.has(neighbour)) continue
      seen.add(neighbour)
      open.push(neighbour)
    }
  }
  return seen
}

function outsideDependants(members: ReadonlySet<number>, successors: number[][]): Set<number> {
  const outside = new Set<number>()
  for (const member of members) {
    for (const dependant of successors[member] ?? []) if (!members.has(dependant)) outside.add(dependant)
  }
  return outside
}
