import { describe, expect, test } from 'vitest'
import { compileCondition, judgeNamedCondition } from '../../../../src/engine/definitions/index.ts'
import type { EndedStep } from '../../../../src/engine/definitions/index.ts'
import { loadText, refusal } from './load.ts'

describe('a named condition', () => {
  const fine: EndedStep = { failed: false, findings: false }
  const found: EndedStep = { failed: false, findings: true }
  const failed: EndedStep = { failed: true, findings: false }
  test.each([
    ['nothing', [], { on_success: true, on_failure: false, always: true, has_failures: false }],
    ['success', [fine], { on_success: true, on_failure: false, always: true, has_failures: false }],
    ['findings', [fine, found], { on_success: true, on_failure: false, always: true, has_failures: true }],
    ['a failure', [fine, failed], { on_success: false, on_failure: true, always: true, has_failures: false }],
    ['both', [failed, found], { on_success: false, on_failure: true, always: true, has_failures: true }],
  ] as const)('after %s', (_, ended, expected) => {
    const judged = Object.keys(expected).map((name) => [
      name,
      judgeNamedCondition(name as keyof typeof expected, ended),
    ])
    expect(Object.fromEntries(judged)).toEqual(expected)
  })
})

describe('the condition of a step', () => {
  const condition = async (written: string): Promise<string | undefined> => {
    const { definition } = await loadText(`id: f
steps:
  - { id: build-it, agent: x }
  - { id: ship, agent: x, condition: ${JSON.stringify(written)} }
`)
    return definition.steps[1]?.condition
  }

  test.each([
    ['on_failure', 'on_failure'],
    [' always ', 'always'],
    ['input.ship == true', 'input.ship == true'],
    [`steps['build-it'].output.ok`, `steps['build-it'].output.ok`],
    [
      '${build-it.output.n} > 1 && ${input.a[0].b}',
      'steps["build-it"].output["n"] > 1 && input["a"][0]["b"]',
    ],
    [`'cost $\${x}' == input.x`, "'cost ${x}' == input.x"],
    ['required', undefined],
    ['optional', undefined],
    ['', undefined],
  ])('%s', async (written, canonical) => {
    expect(await condition(written)).toBe(canonical)
  })

  test.each([
    ['on_fail', `is 'on_fail', which is no known condition. Did you mean 'on_failure'?`],
    ['On-Success', `is 'On-Success', which is no known condition. Did you mean 'on_success'?`],
    ['ok', 'is not valid CEL at character 1: Unknown variable: ok'],
    ['input.a >', 'is not valid CEL'],
    ['scoring.passed', `speaks of 'scoring', but the step has not run by then`],
    ['output.ok', `speaks of 'output', but the step has not run by then`],
    [
      `steps['bild-it'].output.ok`,
      `speaks of steps['bild-it'], but there is no such step. Did you mean 'build-it'?`,
    ],
    [`steps['ship'].output.ok`, `speaks of its own step 'ship', which has not run by then`],
    ['"${input.a}" == "b"', 'has ${input.a} within quotes: it stands for the value itself'],
    [`'\\'\${input.a}' == 'b'`, 'has ${input.a} within quotes'],
    ['${bild.output.a}', 'holds ${bild.output.a}, which names no step'],
    ['${input.a', 'holds a ${ that is never closed'],
    ['${input.a} + 1 == 2 ? 5 : 6', 'gives'],
    [`input.a == '${'x'.repeat(10_000)}'`, 'is longer than 10000 characters'],
  ])('is refused: %s', async (written, expected) => {
    const message = await refusal(`id: f
steps:
  - { id: build-it, agent: x }
  - { id: ship, agent: x, condition: ${JSON.stringify(written)} }
`)
    expect(message).toMatch(/^flow\.yaml:4:27: steps\[1\]\.condition /)
    expect(message).toContain(expected)
  })
})

describe('the condition of a connection', () => {
  test('that looks like a misspelt name is not taken for a field', async () => {
    const graph = (condition: string): string =>
      `id: g\nnodes: [{ id: a, type: x }, { id: b, type: x }]\nconnections: [{ source: a, target: b, condition: ${condition} }]\n`
    expect(await refusal(graph('on_fail'))).toContain(`Did you mean 'on_failure'?`)
    expect(await refusal(graph('alway'))).toContain(`Did you mean 'always'?`)
    expect(await refusal(graph('ready'))).toBe('it loads')
  })

  const judge = async (text: string, output: Record<string, unknown>): Promise<boolean> =>
    (await compileCondition(text, 'any')).evaluate({ ...output, output, input: null, steps: {}, run: {} })

  test.each([
    [`result == 'success'`, true],
    [`result != 'success'`, false],
    ['count > 2', true],
    ['count >= 3.5', false],
    ['ok && !off', true],
    ['nested.deep.value == 1', true],
    [`tags.exists(tag, tag == 'b')`, true],
    [`output.result == 'success'`, true],
  ])('reads the fields of the output: %s', async (text, expected) => {
    const output = {
      result: 'success',
      count: 3,
      ok: true,
      off: false,
      nested: { deep: { value: 1 } },
      tags: ['a', 'b'],
    }
    expect(await judge(text, output)).toBe(expected)
  })

  test.each([
    'missing',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'ok.constructor',
    'output.__proto__',
  ])('cannot be judged when there is no such field: %s', async (name) => {
    await expect(judge(`${name} == 1`, { ok: {} })).rejects.toThrow(
      /cannot be judged|Reserved identifier: __proto__/,
    )
  })

  test('speaks of the scoring of its source, when that has one', async () => {
    const graph = (scoring: string): string => `id: g
nodes:
  - { id: a, type: x${scoring} }
  - { id: b, type: x }
connections: [{ source: a, target: b, condition: scoring.passed }]
`
    expect(await refusal(graph(', scoring: { thresholds: { overall_min: 1 } }'))).toBe('it loads')
    expect(await refusal(graph(''))).toContain(`speaks of 'scoring', but step 'a' has no 'scoring'`)
  })
})
