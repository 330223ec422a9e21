import type { LoggedDefinition } from './event-shapes.ts'

/** The declared order of a run's steps, worked out from the definition in event 0. */
export interface StepGraph {
  /** Steps that must have completed before a step may start: declared edges, and gates that may still send work back. */
  readonly before: ReadonlyMap<string, ReadonlySet<string>>
  /** By gated step: what its failed gate sends back, itself and the target included. */
  readonly loops: ReadonlyMap<string, ReadonlySet<string>>
  /** Steps that one of several others lets start. */
  readonly joinsAny: ReadonlySet<string>
  /** The declared connections into a step. */
  readonly into: ReadonlyMap<string, readonly LoggedConnection[]>
}

type LoggedConnection = LoggedDefinition['edges'][number]

/** By definition: runs that share their first event share its graph. */
const known = new WeakMap<LoggedDefinition, StepGraph>()

export function stepGraph(definition: LoggedDefinition): StepGraph {
  const graph = known.get(definition) ?? workOut(definition)
  known.set(definition, graph)
  return graph
}

function workOut(definition: LoggedDefinition): StepGraph {
  const before = new Map(definition.steps.map(({ id }) => [id, new Set<string>()]))
  for (const { from, to } of definition.edges) before.get(to)?.add(from)
  const loops = new Map<string, ReadonlySet<string>>()
  // Waiting for a gate can put a step on the way of another loop, so this goes on until nothing is added.
  for (let added = true; added;) {
    added = false
    for (const { id, gate } of definition.steps) {
      if (gate?.onFail === undefined) continue
      const members = between(gate.onFail, id, before)
      loops.set(id, members)
      for (const [step, needs] of before) {
        if (members.has(step) || needs.has(id) || ![...needs].some((need) => members.has(need))) continue
        needs.add(id)
        added = true
      }
    }
  }
  const joinsAny = new Set(definition.steps.flatMap(({ id, join }) => (join === 'any' ? [id] : [])))
  const into = new Map<string, LoggedConnection[]>()
  for (const edge of definition.edges) into.set(edge.to, [...(into.get(edge.to) ?? []), edge])
  return { before, loops, joinsAny, into }
}

/** Every step on a way from one step to a later one, both included. */
function between(from: string, to: string, before: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const above = reachable(to, (step) => before.get(step) ?? [])
  const after = new Map<string, string[]>()
  for (const step of above) {
    for (const need of before.get(step) ?? []) after.set(need, [...(after.get(need) ?? []), step])
  }
  return reachable(from, (step) => after.get(step) ?? []).add(to)
}

function reachable(start: string, next: (step: string) => Iterable<string>): Set<string> {
  const found = new Set([start])
  // A set hands out what is added to it while it is being walked.
  for (const step of found) for (const other of next(step)) found.add(other)
  return found
}
