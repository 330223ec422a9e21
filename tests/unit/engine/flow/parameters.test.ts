import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../../../../src/core/index.ts'
import type { Agent } from '../../../../src/ports/index.ts'
import { endings, resumeFlow, runFlow } from './flow-run.ts'

const flow = (parameters: string, more = ''): string => `id: f
steps:
  - { id: first, agent: x${more} }
  - { id: second, agent: x, parameters: ${parameters} }
`
const echo: Agent = ({ parameters }) => parameters
const output = {
  result: 42,
  a: { b: { c: true } },
  items: [{ id: 'x1' }, { id: 'x2' }],
  text: 'words',
  none: null,
}

/** What the second step is handed. */
async function handed(parameters: string): Promise<JsonValue> {
  const { state } = await runFlow(
    flow(parameters),
    { first: { output }, second: echo },
    { name: 'Ada', n: 3 },
  )
  expect(state.error).toBeNull()
  return state.steps['second']?.output ?? null
}

describe('parameters of a step', () => {
  test.each([
    [`{ who: '\${input.name}' }`, { who: 'Ada' }],
    [`{ deep: { er: ['\${first.output.a.b}'] } }`, { deep: { er: [{ c: true }] } }],
    [
      `{ id: '\${first.output.items[0].id}', list: ['\${first.output.items[1].id}', 1] }`,
      { id: 'x1', list: ['x2', 1] },
    ],
    [`{ v: '\${first.output.result}' }`, { v: 42 }],
    [`{ v: '\${first.output.none}', w: '\${first.output.items}' }`, { v: null, w: output.items }],
    [
      `{ t: 'Hello \${input.name}, \${first.output.result} \${first.output.text}!' }`,
      { t: 'Hello Ada, 42 words!' },
    ],
    [`{ whole: '\${input}' }`, { whole: { name: 'Ada', n: 3 } }],
    [`{ plain: [1, true, null, 'a $5 b', { x: '' }] }`, { plain: [1, true, null, 'a $5 b', { x: '' }] }],
    [`{ itself: '$\${input.name}' }`, { itself: '${input.name}' }],
  ])('%s are handed over with their references resolved', async (parameters, expected) => {
    expect(await handed(parameters)).toEqual(expected)
  })

  test('are resolved in one pass: an output that holds a reference shows nothing of another step', async () => {
    const { state } = await runFlow(flow(`{ v: '\${first.output.said}', w: 'x\${first.output.said}' }`), {
      first: { output: { said: '${input.secret}' } },
      second: echo,
    })
    expect(state.steps['second']?.output).toEqual({ v: '${input.secret}', w: 'x${input.secret}' })
  })

  test('are resolved anew with what a gate has let the step before make', async () => {
    const gated = flow(
      `{ v: '\${first.output.visit}' }`,
      `, gate: { condition: 'output.visit == 2', on_fail: first }`,
    )
    const { state } = await runFlow(gated, { first: ({ visit }) => ({ visit }), second: echo })
    expect(state.steps['second']?.output).toEqual({ v: 2 })
  })

  test.each([
    [`{ v: 'to \${first.output.items[2].id}' }`, 'first.output.items[2].id'],
    [`{ v: '\${first.output.items.0}' }`, 'first.output.items.0'],
    [`{ v: '\${first.output.constructor}' }`, 'first.output.constructor'],
  ])(
    '%s fail the step with the name of what is missing, and its agent is not called',
    async (parameters, missingVar) => {
      const { state, calls } = await runFlow(flow(parameters), { first: { output } }, {})
      expect(calls).toEqual(['first'])
      expect(state.steps['second']).toMatchObject({
        status: 'failed',
        error: { kind: 'missing-input', missingVar, message: expect.stringContaining(`\${${missingVar}}`) },
        attempts: [{ outcome: 'failed' }],
      })
      expect(state.status).toBe('failed')
    },
  )

  test('ask in vain for the output of a step that was skipped or has failed', async () => {
    const yaml = `id: f
steps:
  - { id: a, agent: x, continue_on_error: true }
  - { id: b, agent: x, parameters: { v: '\${a.output.x}' } }
`
    const { state } = await runFlow(yaml, { a: { throws: 'no' } })
    expect(endings(state)).toBe('a:failed b:failed')
    expect(state.error).toMatchObject({ step: 'b', missingVar: 'a.output.x' })
  })

  test('ask in vain for the output of a step whose gate has not passed', async () => {
    const yaml = `id: f
steps:
  - { id: a, agent: x, continue_on_error: true, gate: { condition: 'false' } }
  - { id: b, agent: x, parameters: { v: '\${a.output.x}' } }
`
    const { state } = await runFlow(yaml, { a: { output: { x: 1 } } })
    expect(state.error).toMatchObject({ step: 'b', missingVar: 'a.output.x' })
  })

  test('that ask for nothing that is missing are not tried again, and a resume tries them again', async () => {
    const yaml = flow(`{ v: '\${first.output.n}' }`).replace(
      'agent: x, parameters',
      'agent: x, retries: 2, parameters',
    )
    const failed = await runFlow(yaml, { first: { output: {} } })
    expect(failed.state.steps['second']?.attempts).toHaveLength(1)
    const again = await resumeFlow(failed)
    expect(again.state.steps['second']?.attempts).toHaveLength(2)
  })
})
