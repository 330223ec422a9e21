import { expect, test } from 'vitest'
import { createProject, sweepFaults } from '../../../../src/harness/index.ts'
import { shapeAgents as agents, workflowShapes } from '../../../support/workflow-shapes.ts'

test('there is a workflow of every shape', () => {
  expect(workflowShapes.map(({ name }) => name)).toEqual([
    'chain',
    'fan-out',
    'diamond',
    'join after branch',
    'loop',
    'human gate',
    'compensation',
    'pause',
    'retries',
    'limits',
    'nested artifacts',
    'twenty-five steps',
  ])
})

test.each(workflowShapes)(
  'the engine survives every single fault of the full tier in a workflow of the shape $name',
  { timeout: 600_000 },
  async ({ workflow, options }) => {
    const project = await createProject({ storage: 'memory' })
    const { findings, families, complete } = await sweepFaults(workflow, { project, agents, ...options })
    const sentences = findings.flatMap(({ violations }) => violations.map(({ sentence }) => sentence))
    expect(sentences).toEqual([])
    for (const [family, { hit, points, counted }] of Object.entries(families))
      expect([family, hit, counted]).toEqual([family, points, points])
    expect(complete).toBe(true)
  },
)
