import { expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, defineInvariant, sweepFaults } from '../../../../src/harness/index.ts'
import type { FaultFamily } from '../../../../src/harness/index.ts'
import { sweptAgents as agents } from '../../../support/swept-workflows.ts'

const workflow = defineWorkflow({ id: 'one-step', steps: [{ id: 'only', agent: 'writer' }] })

const neverHolds = defineInvariant({
  name: 'never-holds',
  title: 'no run pleases',
  check: (_run, verdict) => verdict.broken('It does not please.'),
})

test.each<FaultFamily>(['crash', 'disk'])('a sweep may stop at the first finding: %s', async (family) => {
  const report = await sweepFaults(workflow, {
    project: await createProject({ storage: 'memory' }),
    agents,
    invariants: [neverHolds],
    families: [family, family === 'crash' ? 'disk' : 'crash'],
    stopAt: 'first-finding',
  })
  expect(report.findings).toHaveLength(1)
  expect(report.families).toEqual({ [family]: expect.objectContaining({ hit: 1, scenarios: 1 }) })
})
