import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../../../src/core/index.ts'
import { compileParameters, MissingInputError } from '../../../../src/engine/definitions/index.ts'
import { loadText, refusal } from './load.ts'

const outputs: Readonly<Record<string, JsonValue>> = {
  step1: { result: 42, a: { b: 'deep' }, items: [{ id: 'x' }, { id: null }], 'odd key': true, no: null },
  'a.b': [[1, 2]],
  text: '${input.secret}',
}
const scope = {
  input: { name: 'Ada', secret: 's3cret', count: 0, '': 'empty', templated: '${step1.output.result}' },
  outputOf: (step: string) => (Object.hasOwn(outputs, step) ? outputs[step] : undefined),
}
const ids = new Set([...Object.keys(outputs), 'silent', 'x', 'x.output'])

function resolve(parameters: JsonObject): JsonObject {
  return compileParameters(parameters, ids).resolve(scope)
}

describe('a reference', () => {
  test.each<readonly [string, JsonValue]>([
    ['${input.name}', 'Ada'],
    ['${ input.name }', 'Ada'],
    ['${input}', scope.input],
    ['${step1.output.result}', 42],
    ['${step1.output.a.b}', 'deep'],
    ['${step1.output.a}', { b: 'deep' }],
    ['${step1.output.items[0].id}', 'x'],
    ['${step1.output.items[1].id}', null],
    ['${step1.output.no}', null],
    [`\${step1.output['odd key']}`, true],
    ['${step1.output["odd key"]}', true],
    ['${a.b.output[0][1]}', 2],
    ['${input.count}', 0],
    ['${input.name} has ${step1.output.result}.', 'Ada has 42.'],
    ['${step1.output.result}${step1.output.result}', '4242'],
    [' ${step1.output.result}', ' 42'],
    [
      'is ${step1.output.no}, ${step1.output.a} and ${step1.output.items}',
      'is null, {"b":"deep"} and [{"id":"x"},{"id":null}]',
    ],
    ['$${input.name}', '${input.name}'],
    ['costs $5, {input.name} and $input', 'costs $5, {input.name} and $input'],
    ['$${a} ${input.name} $${b}', '${a} Ada ${b}'],
  ])('%s', (text, expected) => {
    expect(resolve({ nested: [{ text }] })).toEqual({ nested: [{ text: expected }] })
  })

  test.each([
    '${input.nobody}',
    '${input.name.length}',
    '${step1.output.items.length}',
    '${step1.output.items[2].id}',
    '${step1.output.items.0.id}',
    '${step1.output.a[0]}',
    '${step1.output.constructor}',
    '${step1.output.__proto__}',
    '${step1.output.no.more}',
    '${silent.output}',
    '${silent.output.x}',
  ])('without a value is missing input: %s', (text) => {
    const missing = text.slice(2, -1)
    expect(() => resolve({ deep: { text: `before ${text}` } })).toThrow(MissingInputError)
    expect(() => resolve({ text })).toThrow(
      expect.objectContaining({
        code: 'MISSING_INPUT',
        missingVar: missing,
        message: `There is no value for \${${missing}}.`,
        details: { missingVar: missing },
      }),
    )
  })

  test('is resolved once: what a value holds is never looked at', () => {
    expect(
      resolve({ lone: '${text.output}', among: '<${text.output}>', input: '${input.templated}' }),
    ).toEqual({
      lone: '${input.secret}',
      among: '<${input.secret}>',
      input: '${step1.output.result}',
    })
  })

  test('leaves what holds none as it is', () => {
    const plain = { a: [1, { b: true }], c: null, d: 'text' }
    const parameters = { plain, name: '${input.name}' }
    expect(resolve(plain)).toBe(plain)
    expect(resolve(parameters)['plain']).toBe(plain)
    expect(compileParameters(parameters, ids).references).toEqual([
      { text: 'input.name', step: undefined, path: ['name'], place: ['name'] },
    ])
  })

  test('is the value itself for every JSON value, alone and under every path', () => {
    const keys = fc.stringMatching(/^[a-z_][\w-]{0,8}$/)
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.oneof(keys, fc.nat(3)), { maxLength: 5 }), (value, path) => {
        let output = value as JsonValue
        for (const key of path.toReversed())
          output = typeof key === 'number' ? [...Array<null>(key).fill(null), output] : { [key]: output }
        const text = `\${s.output${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')}}`
        const parameters = compileParameters({ text }, new Set(['s']))
        expect(parameters.resolve({ input: null, outputOf: () => output })['text']).toEqual(value)
      }),
      { seed: 20_261_121, numRuns: 500 },
    )
  })
})

describe('a workflow is refused for', () => {
  const table: readonly (readonly [string, string])[] = [
    ['${}', 'holds ${}, which is empty: write'],
    ['${  }', 'holds ${ }, which is empty: write'],
    ['${HOME}', `which names neither the run's input nor a step's output: write 'input' or '<step>.output'`],
    ['${env.HOME}', `which names neither the run's input nor a step's output`],
    ['${input..x}', 'which cannot be read'],
    ['${input.x[}', 'which cannot be read'],
    ['${input[-1]}', 'which cannot be read'],
    ['${a.output[${input.i}]}', 'which cannot be read'],
    ['${bild.output.x}', `which names no step: 'bild'. Did you mean 'build'?`],
    ['open ${input.x', 'holds a ${ that is never closed; for the text itself, write $${'],
    ['${x.output.output.y}', 'can be read in 2 ways: rename a step'],
    ['${b.output.x}', `speaks of its own step 'b', which has not run by then`],
    ['${late.output.x}', 'closes a cycle: b -> late -> b'],
    ['${aside.output.x}', `speaks of 'aside', which does not come before 'b' and may not have run`],
  ]
  test.each(table)('%s', async (text, expected) => {
    const message = await refusal(`id: f
steps:
  - { id: a, agent: x, next: b }
  - { id: b, agent: x, next: late, parameters: { list: [1, ${JSON.stringify(text)}] } }
  - { id: late, agent: x }
  - { id: aside, agent: x }
  - { id: build, agent: x }
  - { id: x, agent: x }
  - { id: x.output, agent: x }
`)
    expect(message).toMatch(/^flow\.yaml:4:60: steps\[1\]\.parameters\.list\[1\] /)
    expect(message).toContain(expected)
  })

  test('a key with a reference', async () => {
    const text = `id: f\nsteps:\n  - { id: a, agent: x, parameters: { "\${input.x}": 1 } }\n`
    expect(await refusal(text)).toContain('is a key: only values can hold references')
  })

  test('a circle of data among steps that nothing else connects', async () => {
    const step = (id: string, of: string): string =>
      `  - { id: ${id}, agent: x, next: [], parameters: { of: "\${${of}.output}" } }\n`
    expect(await refusal(`id: f\nsteps:\n${step('a', 'c')}${step('b', 'a')}${step('c', 'b')}`)).toContain(
      `closes a cycle: a -> b -> c -> a. It asks for 'a' before 'b' by steps[1].parameters.of (line 4), 'b' before 'c' by ` +
        `steps[2].parameters.of (line 5), 'c' before 'a' by steps[0].parameters.of (line 3)`,
    )
  })
})

test('references to the input and to any step before load as they are written', async () => {
  const { definition } = await loadText(`id: f
steps:
  - { id: a, agent: x }
  - { id: b, agent: x }
  - { id: c, agent: x, parameters: { of: "\${a.output.n}", to: ["\${input.who} and $\${this}"] } }
`)
  expect(definition.steps[2]?.parameters).toEqual({ of: '${a.output.n}', to: ['${input.who} and $${this}'] })
})
