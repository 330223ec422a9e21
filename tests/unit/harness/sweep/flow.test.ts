import { describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, sweepFaults } from '../../../../src/harness/index.ts'
import {
  decisions,
  finishedOff,
  sweptAgents as agents,
  tolerating,
} from '../../../support/swept-workflows.ts'
import { survivesEveryFault } from './survives.ts'

describe('a graph that decides which steps run', () => {
  survivesEveryFault(defineWorkflow(decisions))
})

test('a failure that is tolerated stays one, whatever crashes around it', { timeout: 600_000 }, async () => {
  const project = await createProject({ storage: 'memory' })
  const { findings, families } = await sweepFaults(defineWorkflow(tolerating), {
    project,
    agents,
    families: ['crash'],
    recoveryCrashes: true,
  })
  expect(findings).toEqual([])
  expect(families.crash?.hit).toBeGreaterThan(50)
})

test('a failure that cannot be written to the daily log does no harm', { timeout: 300_000 }, async () => {
  const project = await createProject({ storage: 'memory' })
  const { families, findings } = await sweepFaults(defineWorkflow(tolerating), {
    project,
    agents,
    families: ['disk'],
  })
  const logs = findings.filter(({ faults }) => JSON.stringify(faults).includes('.workflow/logs'))
  expect(logs).toEqual([])
  expect(families.disk?.hit).toBe(families.disk?.counted)
})

test.each([
  ['a graph that decides which steps run', defineWorkflow(decisions)],
  ['a list that is finished off', defineWorkflow(finishedOff)],
])(
  '%s comes to the same after any failure of any step, any limit and any interruption',
  { timeout: 300_000 },
  async (_, workflow) => {
    for (const family of ['agent', 'time', 'lifecycle', 'schedule'] as const) {
      const project = await createProject({ storage: 'memory' })
      const { findings, families } = await sweepFaults(workflow, { project, agents, families: [family] })
      expect([family, findings]).toEqual([family, []])
      expect([family, families[family]?.hit]).toEqual([family, families[family]?.counted])
    }
  },
)
