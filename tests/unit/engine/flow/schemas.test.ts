import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { JsonValue } from '../../../../src/core/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { Agent } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import { agentsOf, endings, runFlow } from './flow-run.ts'

const flow = (more: string): string => `id: f
steps:
  - { id: a, agent: x, ${more} }
  - { id: b, agent: x }
`
const person = `{ type: object, required: [name, age], additionalProperties: false,
      properties: { name: { type: string }, age: { type: integer }, tags: { type: array, items: { type: string } },
      at: { type: object, required: [city], properties: { city: { type: string } } }, size: { type: number }, ok: { type: boolean } } }`

describe('the output of a step', () => {
  test.each([
    [{ name: 'Ada', age: 36 }],
    [{ name: '', age: 0, tags: [], size: 1.5, ok: false }],
    [{ name: 'Ada', age: 36, tags: ['x'], size: 2, at: { city: 'London' } }],
  ])('that fits its schema counts: %j', async (output) => {
    const { state } = await runFlow(flow(`output_schema: ${person}`), { a: { output } })
    expect(endings(state)).toBe('a:completed b:completed')
    expect(state.steps['a']?.output).toEqual(output)
  })

  test.each([
    [null, 'must be object'],
    [{ name: 'Ada' }, `must have required property 'age'`],
    [{ name: 'Ada', age: '36' }, 'age must be integer'],
    [{ name: 'Ada', age: 3.6 }, 'age must be integer'],
    [{ name: 5, age: 36 }, 'name must be string'],
    [{ name: 'Ada', age: 36, tags: ['x', 5] }, 'tags[1] must be string'],
    [{ name: 'Ada', age: 36, tags: 'x' }, 'tags must be array'],
    [{ name: 'Ada', age: 36, at: {} }, `at must have required property 'city'`],
    [{ name: 'Ada', age: 36, size: '2' }, 'size must be number'],
    [{ name: 'Ada', age: 36, ok: 1 }, 'ok must be boolean'],
    [{ name: 'Ada', age: 36, more: 1 }, 'must NOT have additional properties: more'],
  ])('that does not fit never counts as success: %j', async (output, what) => {
    const { state, calls } = await runFlow(flow(`retries: 2, output_schema: ${person}`), { a: { output } })
    expect(calls).toEqual(['a'])
    expect(state.steps['a']).toMatchObject({ status: 'failed', output: null, error: { kind: 'validation' } })
    expect(state.error?.message).toBe(`The output of step 'a' does not fit its outputSchema: ${what}.`)
  })

  test('that does not fit leaves none of the artifacts that came with it', async () => {
    const files = createVirtualFiles()
    const life = engineBench(files).life({
      x: async ({ artifacts }) => {
        await artifacts.write('out.txt', 'written')
        return 'no object'
      },
    })
    await life.start({
      id: 'f',
      steps: [{ id: 'a', agent: 'x', creates: 'out.txt', outputSchema: { type: 'object' } }],
    })
    expect((await life.runToEnd()).status).toBe('failed')
    expect([...files.snapshotFiles().keys()].filter((path) => !path.startsWith('.workflow/'))).toEqual([])
  })

  test('is held against a schema of Zod as well', async () => {
    const workflow = (output: JsonValue) => runZod({ outputSchema: z.object({ n: z.number() }) }, { output })
    expect((await workflow({ n: 1 })).status).toBe('completed')
    expect((await workflow({ n: '1' })).error?.message).toContain('n must be number')
  })

  test.each(['', 'output_schema: {}, input_schema: {}'])(
    'is not held against anything without one: %j',
    async (more) => {
      const { state } = await runFlow(flow(more === '' ? 'requires: []' : more), {
        a: { output: 'anything' },
      })
      expect(state.status).toBe('completed')
    },
  )
})

async function runZod(step: object, act: { readonly output: JsonValue } | Agent) {
  const life = engineBench(createVirtualFiles()).life(agentsOf({ a: act }, []))
  await life.start(defineWorkflow({ id: 'z', steps: [{ id: 'a', agent: 'x', ...step }] }))
  await life.runToEnd()
  return life.incarnation.state()
}

describe('the input of a step', () => {
  const asked = flow(
    `parameters: { n: '\${input.n}' }, input_schema: { type: object, properties: { n: { type: number, minimum: 1 } } }`,
  )

  test('is its parameters with their references resolved', async () => {
    expect((await runFlow(asked, {}, { n: 1 })).state.status).toBe('completed')
  })

  test('that does not fit fails the step, in a graph too, and its agent is not called', async () => {
    const graph = `id: g
nodes: [{ id: s, type: x }, { id: a, type: x, parameters: { n: '\${s.output}' }, input_schema: { type: object, properties: { n: { type: number } } } }]
connections: [{ source: s, target: a, condition: always }]
`
    for (const run of [await runFlow(asked, {}, { n: 0 }), await runFlow(graph, { s: { output: 'text' } })]) {
      expect(run.calls).not.toContain('a')
      expect(run.state.steps['a']).toMatchObject({ status: 'failed', error: { kind: 'validation' } })
      expect(run.state.steps['a']?.attempts).toHaveLength(1)
      expect(run.state.error?.message).toMatch(
        /^The parameters of step 'a' do not fit its inputSchema: n must be/,
      )
      expect(run.state.status).toBe('failed')
    }
  })
})

describe('the input of a run', () => {
  const yaml = `input_schema: { type: object, required: [who], properties: { who: { type: string } } }\n${flow('requires: []')}`

  test('that fits lets it start', async () => {
    expect((await runFlow(yaml, {}, { who: 'Ada' })).state.status).toBe('completed')
  })

  test.each([
    [null, 'must be object'],
    [{}, `must have required property 'who'`],
    [{ who: 5 }, 'who must be string'],
  ])('that does not fit is refused with nothing on disk: %j', async (input, what) => {
    await expect(runFlow(yaml, {}, input)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `The input does not fit the inputSchema of workflow 'f': ${what}.`,
    })
  })
})
