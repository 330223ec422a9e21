import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { notExecuted } from '../../../../src/engine/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import { loadText } from './load.ts'

const graph = (condition: string): string =>
  `id: g\nnodes: [{ id: a, type: x }, { id: b, type: x }]\nconnections: [{ source: a, target: b${condition} }]\n`
const step = (more: string): string => `id: f\nsteps: [{ id: a, agent: x }, { id: b, agent: x${more} }]\n`

const features: readonly (readonly [string, string])[] = [
  [graph(', condition: on_failure'), `conditions of connections ('a' to 'b')`],
  [step(', condition: always'), `conditions (step 'b')`],
  [step(', join: any'), `join 'any' (step 'b')`],
  [step(', continue_on_error: true'), `continueOnError (step 'b')`],
  [step(', input_schema: { type: object }'), `inputSchema (step 'b')`],
  [step(', output_schema: { type: object }'), `outputSchema (step 'b')`],
  [step(', parameters: { a: ["${input.b}"] }'), `references in parameters (step 'b')`],
  [step(', parameters: { a: ["$${b}"] }'), `references in parameters (step 'b')`],
  [`input_schema: { type: object }\n${step('')}`, 'inputSchema'],
  [`settings: { on_step_failure: continue }\n${step('')}`, 'settings.onStepFailure'],
  ['services: { s: {} }\nworkflows: { p: { steps: [{ type: x, service: s }] } }\n', `services (step 'x-s')`],
]

test.each(features)(
  'a run of what is not executed is refused at its start, with nothing on disk: %j',
  async (text, feature) => {
    const { definition } = await loadText(text)
    const bench = engineBench(createVirtualFiles())
    const { incarnation } = bench.life({ x: () => null })
    await expect(
      (async () => incarnation.start({ definition, input: null, seed: 1, correlationId: 'c', launch: {} }))(),
    ).rejects.toMatchObject({
      code: 'NOT_EXECUTED',
      message: `Workflow '${definition.id}' cannot be run: not executed by this version: ${feature}.`,
    })
    expect(bench.trace).toEqual([])
  },
)

test('a failed run does not go on under a definition that is not executed', async () => {
  const files = createVirtualFiles()
  const life = engineBench(files).life({
    x: () => {
      throw new Error('no')
    },
  })
  const start = { input: null, seed: 1, correlationId: 'c', launch: {} }
  await life.incarnation.start({ ...start, definition: (await loadText(step(''))).definition })
  expect((await life.runToEnd()).status).toBe('failed')
  const next = engineBench(files).life({ x: () => null })
  const expects = (await loadText(step(', condition: always'))).definition
  await expect(
    (async () => next.incarnation.recover({ expects, definition: 'current' }))(),
  ).rejects.toMatchObject({
    code: 'NOT_EXECUTED',
  })
})

test('what says no more than the default is executed', async () => {
  const text = `id: f
settings: { on_step_failure: stop }
steps:
  - { id: a, agent: x, parallel: true, join: all-active, continue_on_error: false, condition: optional }
  - { id: b, agent: x, parallel: true, parameters: { price: $5 } }
`
  const { definition } = await loadText(text)
  expect(notExecuted(definition)).toEqual([])
  expect(notExecuted((await loadText(graph(''))).definition)).toEqual([])
  const life = engineBench(createVirtualFiles()).life({ x: () => null })
  await life.incarnation.start({ definition, input: null, seed: 1, correlationId: 'c', launch: {} })
  expect((await life.runToEnd()).status).toBe('completed')
})
