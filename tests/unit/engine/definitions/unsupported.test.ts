import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { notExecuted } from '../../../../src/engine/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import { loadText } from './load.ts'

const pipeline = (service: string): string =>
  `services: { s: {} }\nworkflows: { f: { steps: [{ type: x, id: a }, { type: x, id: b${service} }] } }\n`

test('a run of what is not executed is refused at its start, with nothing on disk', async () => {
  const { definition } = await loadText(pipeline(', service: s'))
  const bench = engineBench(createVirtualFiles())
  const { incarnation } = bench.life({ x: () => null })
  await expect(
    (async () => incarnation.start({ definition, input: null, seed: 1, correlationId: 'c', launch: {} }))(),
  ).rejects.toMatchObject({
    code: 'NOT_EXECUTED',
    message: `Workflow 'f' cannot be run: not executed by this version: services (step 'b').`,
  })
  expect(bench.trace).toEqual([])
})

test('a failed run does not go on under a definition that is not executed', async () => {
  const files = createVirtualFiles()
  const life = engineBench(files).life({
    x: () => {
      throw new Error('no')
    },
  })
  const start = { input: null, seed: 1, correlationId: 'c', launch: {} }
  await life.incarnation.start({ ...start, definition: (await loadText(pipeline(''))).definition })
  expect((await life.runToEnd()).status).toBe('failed')
  const next = engineBench(files).life({ x: () => null })
  const expects = (await loadText(pipeline(', service: s'))).definition
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
  const life = engineBench(createVirtualFiles()).life({ x: () => null })
  await life.incarnation.start({ definition, input: null, seed: 1, correlationId: 'c', launch: {} })
  expect((await life.runToEnd()).status).toBe('completed')
})
