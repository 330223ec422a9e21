import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineWorkflow, loadWorkflow } from '../../../../src/engine/definitions/index.ts'
import { edgeWords, loadText, refusal, untyped } from './load.ts'

const orders = `id: orders
name: Orders
workflow_data:
  nodes:
    - id: ship
      type: http
      label: Ship it
      config: { action: post, url: 'https://ship.example', retry_delay: 2s, retries: 1 }
    - id: start
      type: trigger
      title: An order arrives
      position: { x: 1, y: 2 }
    - id: check
      type: check
      config:
        agent: checker
        parameters: { strict: true }
        note: kept
    - id: refuse
      type: mail
  edges:
    - { source: start, target: check, id: e1 }
    - { source: check, target: ship, condition: "ok == true && output.total > 1" }
    - { source: check, target: refuse, condition: "\${check.output.ok} == false" }
`

describe('a graph', () => {
  test('becomes steps in topological order, with config as parameters and connections as edges', async () => {
    const { dialect, definition } = await loadText(orders)
    expect(dialect).toBe('graph')
    const usual = {
      requires: [],
      creates: [],
      retries: 0,
      retryDelayMs: 1_000,
      timeoutMs: 30_000,
      metadata: {},
    }
    expect(definition).toEqual({
      id: 'orders',
      name: 'Orders',
      version: '0.0.0',
      limits: { maxConcurrentSteps: 5 },
      steps: [
        {
          ...usual,
          id: 'start',
          name: 'An order arrives',
          agent: 'trigger',
          type: 'trigger',
          action: 'manual',
          parameters: {},
          metadata: { position: { x: 1, y: 2 } },
        },
        {
          ...usual,
          id: 'check',
          agent: 'checker',
          type: 'check',
          parameters: { strict: true },
          metadata: { config: { note: 'kept' } },
        },
        { ...usual, id: 'refuse', agent: 'mail', type: 'mail', parameters: {} },
        {
          ...usual,
          id: 'ship',
          name: 'Ship it',
          agent: 'http',
          type: 'http',
          action: 'post',
          retries: 1,
          retryDelayMs: 2_000,
          parameters: { url: 'https://ship.example' },
        },
      ],
      edges: [
        { from: 'start', to: 'check', metadata: { id: 'e1' } },
        { from: 'check', to: 'refuse', condition: 'steps["check"].output["ok"] == false' },
        { from: 'check', to: 'ship', condition: 'ok == true && output.total > 1' },
      ],
      metadata: {},
    })
  })

  test.each([
    ['steps.ship', 5],
    ['steps.ship.name', 7],
    ['steps.ship.retryDelayMs', 8],
    ['steps.start.metadata.position', 12],
    ['steps.check.agent', 16],
  ])('finds %s in line %d', async (path, line) => {
    expect((await loadText(orders)).locate(path)).toBe(`flow.yaml:${line}`)
  })

  test('means the same in camelCase, without the outer map and with either name of its edges', async () => {
    const inner = (orders.split('workflow_data:\n')[1] as string).replaceAll(/^ {2}/gm, '')
    const camel = inner.replace('retry_delay', 'retryDelay').replace('edges:', 'connections:')
    const variants = [
      `id: orders\nname: Orders\n${inner}`,
      `workflow:\n  id: orders\n  name: Orders\n${camel.replaceAll(/^(?=.)/gm, '  ')}`,
      `workflowData:\n  id: orders\n  name: Orders\n${camel.replaceAll(/^(?=.)/gm, '  ')}`,
    ]
    const { definition } = await loadText(orders)
    for (const variant of variants) expect((await loadText(variant)).definition).toEqual(definition)
  })

  test('without conditions has none; an empty one is none', async () => {
    const connections = [undefined, null, ''].map((condition, index) => {
      return { source: 'a', target: `b${index}`, condition }
    })
    const nodes = ['a', 'b0', 'b1', 'b2'].map((id) => ({ id, type: 'any' }))
    const { definition } = await loadWorkflow(untyped({ id: 'g', nodes, connections }))
    expect(definition.edges.map((edge) => Object.keys(edge))).toEqual([
      ['from', 'to'],
      ['from', 'to'],
      ['from', 'to'],
    ])
  })
})

describe('a graph is refused', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['an unknown source', '{ source: aa, target: b }', `source names no step: 'aa'. Did you mean 'a'?`],
    [
      'an unknown target',
      '{ source: a, target: nowhere }',
      `target names no step: 'nowhere'. Known: 'a', 'b', 'c'.`,
    ],
    [
      'a self-loop',
      '{ source: a, target: a }',
      `target names its own step 'a': a step cannot wait for itself`,
    ],
    ['a missing end', '{ source: a }', `target is missing: it must be text`],
    [
      'a misspelt key',
      '{ source: a, target: b, conditon: ok }',
      `conditon is not a known key. Did you mean 'condition'?`,
    ],
    [
      'a second connection',
      '{ source: a, target: c }',
      `connects 'a' to 'c' a second time (line 7): keep one of them`,
    ],
    [
      'a condition that is not CEL',
      '{ source: a, target: b, condition: ok = true }',
      `condition is not valid CEL at character 4: Unexpected character: = (ok = true)`,
    ],
    [
      'a misspelt name of a condition',
      '{ source: a, target: b, condition: on_sucess }',
      `condition is 'on_sucess', which is no known condition. Did you mean 'on_success'?`,
    ],
    [
      'a condition over a step that comes later',
      `{ source: a, target: b, condition: "steps['c'].output.ok" }`,
      `condition closes a cycle: a -> c -> a. It asks for 'a' before 'c' by connections[0] (line 7), 'c' before 'a' by connections[1].condition (line 8). To send work back on purpose, give the later step a gate with 'on_fail'`,
    ],
    [
      'a cycle',
      '{ source: c, target: a }',
      `closes a cycle: a -> c -> a. It asks for 'a' before 'c' by connections[0] (line 7), 'c' before 'a' by connections[1] (line 8). To send work back on purpose, give the later step a gate with 'on_fail'`,
    ],
  ]
  test.each(table)('for %s', async (_, connection, expected) => {
    const text = `id: g
nodes:
  - { id: a, type: any }
  - { id: b, type: any }
  - { id: c, type: any }
connections:
  - { source: a, target: c }
  - ${connection}
`
    const message = await refusal(text)
    expect(message).toMatch(/^flow\.yaml:8:\d+: connections\[1\]/)
    expect(message.replace(/^\S+ connections\[1\]\.?/, '').trim()).toBe(expected)
  })

  test.each([
    [`{ id: a }`, `nodes[0] names neither a 'type' nor an 'agent': one of them says who performs it`],
    [`{ id: a, type: x, config: [] }`, `nodes[0].config must be a map, not a list`],
    [
      `{ id: a, type: x, retries: 1, config: { retries: 2 } }`,
      `nodes[0].config.retries says the same as 'retries' of the node: give only one of them`,
    ],
    [
      `{ id: a, type: x, title: t, label: l }`,
      `nodes[0].label says the same as 'title': give only one of them`,
    ],
    [`{ id: a, type: x, config: { timeout: soon } }`, `nodes[0].config.timeout must be a number of seconds`],
    [`{ id: a, type: x, next: b }`, `it loads`],
    [
      `{ id: a, type: x, config: { url: '\${b.output.y}' } }`,
      `nodes[0].config.url holds \${b.output.y}, which names no step: 'b'`,
    ],
    [
      `{ id: a, type: x }, { id: a, type: x }`,
      `nodes[1].id is 'a', which steps[0] has already (line 3). Step ids are unique`,
    ],
  ])('for the node %s', async (nodes, expected) => {
    expect(await refusal(`id: g\nnodes:\n  [${nodes}]\n`)).toContain(expected)
  })

  test('for nodes that no trigger leads to, each by its name', async () => {
    const text = `id: g
nodes:
  - { id: go, type: trigger }
  - { id: a, type: any }
  - { id: lost, type: any }
  - { id: loster, type: any }
connections: [{ source: go, target: a }, { source: lost, target: loster }]
`
    expect(await refusal(text)).toBe(
      `flow.yaml:5:5: nodes[2] is 'lost', which no trigger leads to\n` +
        `flow.yaml:6:5: nodes[3] is 'loster', which no trigger leads to`,
    )
  })
})

interface Graph {
  readonly ids: readonly string[]
  readonly links: readonly (readonly [string, string])[]
  readonly shuffledNodes: readonly string[]
  readonly shuffledLinks: readonly (readonly [string, string])[]
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 12 }).chain((size) => {
  const index = fc.nat(size - 1)
  const pairs = fc
    .uniqueArray(fc.tuple(index, index), {
      maxLength: 30,
      selector: (pair) => pair.toSorted((a, b) => a - b).join(),
    })
    .map((all) => all.filter(([a, b]) => a !== b))
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: size, maxLength: size })
  return fc.tuple(names, pairs).chain(([ids, found]) => {
    const links = found.map(
      ([a, b]) => [ids[Math.min(a, b)] as string, ids[Math.max(a, b)] as string] as const,
    )
    return fc.record({
      ids: fc.constant(ids),
      links: fc.constant(links),
      shuffledNodes: fc.shuffledSubarray([...ids], { minLength: ids.length }),
      shuffledLinks: fc.shuffledSubarray(links, { minLength: links.length }),
    })
  })
})

function graphOf(ids: readonly string[], links: Graph['links']) {
  return defineWorkflow({
    id: 'g',
    nodes: ids.map((id) => ({ id, type: 'any' })),
    connections: links.map(([source, target]) => ({ source, target })),
  })
}

test('connections alone decide the order: every edge leads forward, the smallest id goes first, and a shuffled graph is the same', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async ({ ids, links, shuffledNodes, shuffledLinks }) => {
      const { definition } = await loadWorkflow(graphOf(ids, links))
      const order = definition.steps.map(({ id }) => id)
      const waiting = new Set(ids)
      for (const id of order) {
        const free = [...waiting].filter(
          (each) => !links.some(([from, to]) => to === each && waiting.has(from)),
        )
        expect(id).toBe(free.toSorted()[0])
        waiting.delete(id)
      }
      expect(waiting.size).toBe(0)
      expect(edgeWords(definition).split(' ').filter(Boolean).toSorted()).toEqual(
        links.map(([from, to]) => `${from}>${to}`).toSorted(),
      )
      expect((await loadWorkflow(graphOf(shuffledNodes, shuffledLinks))).definition).toEqual(definition)
    }),
    { seed: 20_261_121, numRuns: 200 },
  )
})
