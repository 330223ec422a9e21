import { expect, test } from 'vitest'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'
import { compileWorkflow } from '../../../src/engine/run/compiled-workflow.ts'

async function compiled(yaml: string) {
  const { definition } = await loadWorkflow(workflowFromText(yaml, 'flow.yaml'))
  return compileWorkflow(definition, yaml)
}

const graph = (connection: string, node = ''): string => `id: g
nodes: [{ id: d, type: x }, { id: b, type: x${node} }, { id: a, type: x }, { id: c, type: x }]
connections:
  - { source: b, target: d }
  - { source: a, target: c }
  - { source: a, target: b${connection} }
  - { source: c, target: d }
`

test('a graph is compiled into what leads to each step and what each leads to', async () => {
  const { steps, predecessors, successors } = await compiled(graph(''))
  expect(steps.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  expect(predecessors).toEqual([[], [0], [0], [1, 2]])
  expect(successors).toEqual([[1, 2], [3], [3], []])
})

test.each([
  ['', '', false],
  [`, condition: ''`, '', false],
  [', condition: null', '', false],
  [', condition: always', '', true],
  [', condition: ok', '', true],
  ['', ', condition: optional', false],
  ['', ', condition: always', true],
  ['', ', join: all-active', false],
  ['', ', join: any', true],
  ['', ', continue_on_error: true', true],
])(
  'whether anything is decided of its steps is known beforehand: %j %j',
  async (connection, node, isDecided) => {
    expect((await compiled(graph(connection, node))).flow !== undefined).toBe(isDecided)
  },
)
