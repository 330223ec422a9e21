import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { JsonObject, JsonValue } from '../../../../src/core/index.ts'
import { compileSchema, defineWorkflow, loadWorkflow } from '../../../../src/engine/definitions/index.ts'
import type { AgentStep } from '../../../../src/engine/definitions/index.ts'
import { loadText, refusal, untyped } from './load.ts'

async function violations(schema: JsonObject, value: JsonValue): Promise<readonly string[]> {
  const compiled = await compileSchema(schema)
  return compiled.violations(value).map(({ path, message }) => `${path} ${message}`.trim())
}

const order: JsonObject = {
  type: 'object',
  required: ['id', 'lines'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', minLength: 2 },
    total: { type: 'number', minimum: 0 },
    count: { type: 'integer' },
    state: { enum: ['new', 'paid'] },
    at: { type: 'string', format: 'date-time' },
    lines: {
      type: 'array',
      items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } },
    },
  },
}

describe('a JSON Schema', () => {
  test.each<readonly [JsonObject, JsonValue, readonly string[]]>([
    [{}, { anything: [1] }, []],
    [{ type: 'string' }, 'a', []],
    [{ type: 'string' }, 1, ['must be string']],
    [{ type: 'number' }, 1.5, []],
    [{ type: 'number' }, '1', ['must be number']],
    [{ type: 'integer' }, 2, []],
    [{ type: 'integer' }, 2.5, ['must be integer']],
    [{ type: 'boolean' }, 0, ['must be boolean']],
    [{ type: ['string', 'null'] }, null, []],
    [{ type: 'array', items: { type: 'number' } }, [1, 'b'], ['[1] must be number']],
    [
      order,
      { id: 'o1', lines: [{ sku: 'x' }], total: 1.5, count: 1, state: 'new', at: '2026-11-21T09:00:00Z' },
      [],
    ],
    [order, { id: 'o1' }, [`must have required property 'lines'`]],
    [order, { id: 'o1', lines: [{ sku: 'x' }, {}] }, [`lines[1] must have required property 'sku'`]],
    [
      order,
      { id: 'o', lines: [], total: -1 },
      ['id must NOT have fewer than 2 characters', 'total must be >= 0'],
    ],
    [order, { id: 'o1', lines: [], more: 1 }, ['must NOT have additional properties: more']],
    [
      order,
      { id: 'o1', lines: [], state: 'old' },
      ['state must be equal to one of the allowed values: ["new","paid"]'],
    ],
    [order, { id: 'o1', lines: [], at: 'today' }, ['at must match format "date-time"']],
    [{ type: 'object', properties: { 'a/b~c': { type: 'null' } } }, { 'a/b~c': 1 }, ['a/b~c must be null']],
  ])('%j of %j says %j', async (schema, value, expected) => {
    expect(await violations(schema, value)).toEqual(expected)
  })

  test('fills nothing in, converts nothing, and shows the first of many violations', async () => {
    const schema = await compileSchema({
      type: 'object',
      properties: { a: { type: 'number', default: 1 }, list: { type: 'array', items: { type: 'number' } } },
    })
    const value = { list: ['1', '2', '3', '4', '5', '6', '7'] }
    expect(schema.violations(value)).toHaveLength(5)
    expect(value).toEqual({ list: ['1', '2', '3', '4', '5', '6', '7'] })
  })

  test('may refer to itself where values end', async () => {
    const tree: JsonObject = { type: 'object', properties: { below: { $ref: '#' }, n: { type: 'number' } } }
    expect(await violations(tree, { below: { below: { n: 'x' } } })).toEqual(['below.below.n must be number'])
  })

  test('of the same id as another is a schema of its own', async () => {
    const first = await compileSchema({ $id: 'https://example.test/s', type: 'string' })
    const second = await compileSchema({ $id: 'https://example.test/s', type: 'number' })
    expect([first.violations('a'), second.violations(1)]).toEqual([[], []])
    const meta = { $id: 'https://json-schema.org/draft/2020-12/schema', type: 'string' }
    await expect(compileSchema(meta)).rejects.toThrow('already exists')
    expect(await violations({ type: 'string' }, 1)).toEqual(['must be string'])
  })
})

describe('a workflow', () => {
  const withSchema = (schema: string): string =>
    `id: f\nsteps:\n  - { id: a, agent: x }\n  - { id: b, agent: x, output_schema: ${schema} }\n`

  test.each([
    ['5', 'must be a map, not 5'],
    [
      '{ type: objekt }',
      'is not a JSON Schema that can be checked: schema is invalid: data/type must be equal to one of the allowed values',
    ],
    ['{ typ: object }', 'strict mode: unknown keyword: "typ"'],
    ['{ type: string, format: colour }', 'unknown format "colour"'],
    ['{ type: string, minimum: 1 }', 'strict mode: missing type "number" for keyword "minimum"'],
    ['{ type: string, pattern: "(" }', 'Invalid regular expression'],
    ['{ $ref: "https://example.test/other" }', `can't resolve reference`],
    ['{ $ref: "#" }', 'it refers to itself without end'],
    ['{ allOf: [{ $ref: "#" }] }', 'it refers to itself without end'],
    ['{ $async: true, type: object }', `holds '$async', which is no JSON Schema`],
    ['{ $id: 5 }', 'is not a JSON Schema that can be checked'],
    ['{ $schema: "http://json-schema.org/draft-04/schema#" }', 'no schema with key or ref'],
  ])('is refused for the schema %s', async (schema, expected) => {
    const message = await refusal(withSchema(schema))
    expect(message).toMatch(/^flow\.yaml:4:24: steps\[1\]\.output_schema /)
    expect(message).toContain(expected)
  })

  test('is refused for a schema of thousands of values', async () => {
    const values = Array.from({ length: 5_001 }, (_, index) => index).join(', ')
    expect(await refusal(withSchema(`{ enum: [${values}] }`))).toContain('holds more than 5000 values')
  })

  test('keeps its schemas as they are written; an empty one checks nothing', async () => {
    const text = `id: f
input_schema: { type: object, required: [who] }
steps: [{ id: a, agent: x, inputSchema: {}, outputSchema: { type: array } }]
`
    const { definition } = await loadText(text)
    expect(definition.inputSchema).toEqual({ type: 'object', required: ['who'] })
    expect(definition.steps[0]).toMatchObject({ inputSchema: {}, outputSchema: { type: 'array' } })
    const schema = await compileSchema({})
    expect(schema.violations({ any: 'thing' })).toEqual([])
  })
})

describe('a schema of Zod', () => {
  const step = (outputSchema: z.ZodType): AgentStep => ({ id: 'a', agent: 'x', outputSchema })

  test('becomes the JSON Schema that says the same', async () => {
    const schema = z.object({ id: z.string().min(2), mail: z.email(), tags: z.array(z.int()).optional() })
    const { definition } = await loadWorkflow(
      defineWorkflow({ id: 'f', inputSchema: z.object({ who: z.string() }), steps: [step(schema)] }),
    )
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition)
    expect(definition.inputSchema).toMatchObject({ type: 'object', required: ['who'] })
    const json = definition.steps[0]?.outputSchema as JsonObject
    const values: readonly JsonValue[] = [
      { id: 'ab', mail: 'a@example.test' },
      { id: 'ab', mail: 'a@example.test', tags: [1, 2] },
      { id: 'a', mail: 'a@example.test' },
      { id: 'ab', mail: 'nobody' },
      { id: 'ab', mail: 'a@example.test', tags: [1.5] },
      { mail: 'a@example.test' },
      null,
    ]
    for (const value of values)
      expect((await violations(json, value)).length === 0).toBe(schema.safeParse(value).success)
  })

  test.each([
    ['transform', z.string().transform(Number)],
    ['default', z.object({ a: z.string().default('x') })],
    ['catch', z.array(z.number().catch(1))],
    ['refine', z.object({ a: z.string().refine((text) => text.length > 1) })],
    ['overwrite', z.string().trim()],
    ['custom', z.custom<string>(() => true)],
    ['date', z.date()],
  ])('that says what JSON Schema cannot is refused: %s', async (_, schema) => {
    const message = await refusal(untyped({ id: 'f', steps: [step(schema)] }))
    expect(message).toMatch(
      /^workflow 'f': steps\[0\]\.outputSchema must be plain JSON, not a Zod schema .*JSON Schema cannot say/,
    )
  })
})
