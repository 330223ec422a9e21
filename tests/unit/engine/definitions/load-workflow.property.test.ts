import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isFaultlineError } from '../../../../src/core/index.ts'
import { defineWorkflow, loadWorkflow } from '../../../../src/engine/definitions/index.ts'
import type { AgentStep } from '../../../../src/engine/definitions/index.ts'

const seed = 20_260_214

interface DeclaredEdge {
  readonly from: number
  readonly to: number
  readonly by: 'next' | 'dependsOn' | 'file' | 'folder' | 'onPass'
}

interface Graph {
  readonly size: number
  readonly edges: readonly DeclaredEdge[]
  /** Where each step stands in the list. */
  readonly order: readonly number[]
}

/** Edges lead from lower to higher numbers, and the list is shuffled: acyclic, in no particular order. */
const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 2, max: 12 }).chain((size) => {
  const edge = fc
    .record({
      from: fc.nat(size - 1),
      to: fc.nat(size - 1),
      by: fc.constantFrom(
        'next' as const,
        'dependsOn' as const,
        'file' as const,
        'folder' as const,
        'onPass' as const,
      ),
    })
    .filter(({ from, to }) => from !== to)
    .map(({ from, to, by }) => ({ from: Math.min(from, to), to: Math.max(from, to), by }))
  return fc.record({
    size: fc.constant(size),
    // A gate names one step.
    edges: fc.uniqueArray(edge, {
      maxLength: 30,
      selector: ({ from, to, by }) => (by === 'onPass' ? `gate ${from}` : `${from} ${to} ${by}`),
    }),
    order: fc.shuffledSubarray(
      Array.from({ length: size }, (_, index) => index),
      { minLength: size },
    ),
  })
})

function stepsOf({ edges, order }: Graph): readonly AgentStep[] {
  return order.map((number) => {
    const out = edges.filter(({ from }) => from === number)
    const into = edges.filter(({ to }) => to === number)
    const onPass = out.find(({ by }) => by === 'onPass')
    return {
      id: `s${number}`,
      agent: 'any',
      next: out.filter(({ by }) => by === 'next').map(({ to }) => `s${to}`),
      depends_on: into.filter(({ by }) => by === 'dependsOn').map(({ from }) => `s${from}`),
      creates: [`out/s${number}.txt`, `dir/s${number}/`],
      requires: [
        ...into.filter(({ by }) => by === 'file').map(({ from }) => `out/s${from}.txt`),
        ...into.filter(({ by }) => by === 'folder').map(({ from }) => `dir/s${from}/deep/file`),
      ],
      ...(onPass === undefined ? {} : { gate: { condition: 'true', onPass: `s${onPass.to}` } }),
    }
  })
}

test('canonical edges are exactly the declared ones, sorted by step order', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async (graph) => {
      const { definition } = await loadWorkflow(defineWorkflow({ id: 'flow', steps: stepsOf(graph) }))
      const place = (number: number): number => graph.order.indexOf(number)
      const expected = [
        ...new Map(graph.edges.map(({ from, to }) => [`s${from}>s${to}`, { from, to }])).entries(),
      ]
        .sort(
          ([, left], [, right]) => place(left.from) - place(right.from) || place(left.to) - place(right.to),
        )
        .map(([words]) => words)
      expect(definition.edges.map(({ from, to }) => `${from}>${to}`)).toEqual(expected)
    }),
    { seed, numRuns: 300 },
  )
})

test('one edge back along a path is always reported as a cycle', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.nat(), async (graph, pick) => {
      const edge = graph.edges[pick % Math.max(graph.edges.length, 1)]
      fc.pre(edge !== undefined)
      const steps = stepsOf({
        ...graph,
        edges: [...graph.edges, { from: edge.to, to: edge.from, by: 'next' }],
      })
      await expect(loadWorkflow(defineWorkflow({ id: 'flow', steps }))).rejects.toThrow(
        / closes a cycle: s\d+ -> /,
      )
    }),
    { seed, numRuns: 300 },
  )
})

test('any JSON value loads or is refused with DEFINITION_INVALID', async () => {
  const stepLike = fc.record(
    {
      id: fc.anything(),
      agent: fc.anything(),
      next: fc.anything(),
      requires: fc.anything(),
      gate: fc.anything(),
      timeout: fc.anything(),
    },
    { requiredKeys: [] },
  )
  const sources = fc.oneof(
    fc.anything(),
    fc.record({ id: fc.anything(), settings: fc.anything(), steps: fc.array(stepLike) }),
  )
  await fc.assert(
    fc.asyncProperty(sources, async (value) => {
      const error: unknown = await loadWorkflow(defineWorkflow(value as never)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error === undefined || isFaultlineError(error, 'DEFINITION_INVALID')).toBe(true)
    }),
    { seed, numRuns: 500 },
  )
})
