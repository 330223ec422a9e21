import type { JsonObject } from '../../core/index.ts'
import type { EdgeDefinition } from '../../definition/index.ts'
import type { StepEdge } from './step-edges.ts'

/** What a connection says beyond its ends. */
export interface ConnectionFacts {
  readonly condition: string | undefined
  readonly metadata: JsonObject
}

/** Edges by step id, sorted by the order of the steps they leave and enter. */
export function canonicalEdges(
  edges: readonly StepEdge[],
  ids: readonly string[],
  order: readonly number[],
  factsOf: (connection: number) => ConnectionFacts,
  hasCondition: (step: number) => boolean,
): readonly EdgeDefinition[] {
  const placeOf: number[] = []
  for (const [place, index] of order.entries()) placeOf[index] = place
  const place = (index: number): number => placeOf[index] as number
  return [...edges]
    .sort((left, right) => place(left.from) - place(right.from) || place(left.to) - place(right.to))
    .map(({ from, to, because, connection }) => {
      const ends = { from: ids[from] as string, to: ids[to] as string }
      const isListOrder = because === undefined
      if (isListOrder && hasCondition(from)) return { ...ends, passesSkipped: true }
      if (connection === undefined) return ends
      const { condition, metadata } = factsOf(connection)
      return {
        ...ends,
        ...(condition === undefined ? {} : { condition }),
        ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      }
    })
}
