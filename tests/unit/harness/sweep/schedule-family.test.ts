import { describe, expect, test, vi } from 'vitest'
import { defineWorkflow, loadWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { createProject, runFinding, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { chainOfSix, fanOutOfFive, sweptAgents } from '../../../support/swept-workflows.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

async function sweep(
  workflow: AgentWorkflow,
  agents: Agents,
  options: SweepOptions = {},
): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(defineWorkflow(workflow), { project, agents, families: ['schedule'], ...options })
}

const invoice: AgentWorkflow = {
  id: 'invoice',
  steps: [
    { id: 'prices', agent: 'pricer', requires: [] },
    { id: 'invoice', agent: 'biller', requires: [] },
  ],
}
const undeclaredNeed: Agents = {
  pricer: ({ artifacts }) => artifacts.write('prices.json', '[12]'),
  async biller({ artifacts }) {
    const known = (await artifacts.list()).includes('prices.json')
    await artifacts.write('invoice.txt', known ? await artifacts.readText('prices.json') : 'no prices')
  },
}

describe('a sweep of schedules', () => {
  test('finds a step that comes to something else when another one is quicker', async () => {
    const { findings, families } = await sweep(invoice, undeclaredNeed)
    expect(findings.map(({ faults }) => faults)).toContainEqual([
      {
        family: 'schedule',
        at: '1/invoice#1@1:files.list:#1',
        pick: expect.stringContaining('1/prices#1@1:'),
      },
    ])
    expect(findings[0]?.violations.map(({ sentence }) => sentence)).toContainEqual(
      expect.stringMatching(/invoice\.txt/),
    )
    expect(families.schedule).toMatchObject({
      hit: families.schedule?.points,
      counted: families.schedule?.points,
    })
  })

  test('makes what it has found small, and finds it again by its name', async () => {
    const { findings } = await sweep(
      { ...invoice, steps: [...invoice.steps, { id: 'aside', agent: 'pricer', requires: [] }] },
      { ...undeclaredNeed, pricer: ({ artifacts, step }) => artifacts.write(`${step}.json`, '[12]') },
    )
    const { faults, steps, invariants } = findings[0]?.minimised ?? {}
    expect([faults, steps]).toEqual([
      [{ family: 'schedule', at: expect.any(String), pick: expect.any(String) }],
      ['prices', 'invoice'],
    ])
    expect(invariants).toContain('O1')
  })

  test('is green for a correct fan-out, and knows how many points there are', async () => {
    const { findings, families, matrix } = await sweep(fanOutOfFive, sweptAgents)
    expect(findings).toEqual([])
    const { points = 0, ...counts } = families.schedule ?? {}
    expect(points).toBeGreaterThan(10)
    expect(counts).toEqual({ hit: points, counted: points, scenarios: 10, deduped: points - 9 })
    expect(matrix).toHaveLength(points)
  })

  test('has nothing to decide in a chain', async () => {
    const { findings, families } = await sweep(chainOfSix, sweptAgents)
    expect(findings).toEqual([])
    expect(families.schedule).toEqual({ hit: 0, points: 0, counted: 0, scenarios: 0, deduped: 0 })
  })

  test('tries the first and the last of each kind in the smoke tier, pairs of delays and chance in the deep one', async () => {
    const [smoke, full, deep] = [
      await sweep(fanOutOfFive, sweptAgents, { tier: 'smoke' }),
      await sweep(fanOutOfFive, sweptAgents, { tier: 'full' }),
      await sweep(fanOutOfFive, sweptAgents, { tier: 'deep' }),
    ].map(({ findings, families }) => {
      expect(findings).toEqual([])
      return families.schedule?.scenarios ?? 0
    })
    expect(smoke).toBeLessThan(full ?? 0)
    expect(deep).toBeGreaterThan(3 * (full ?? 0))
  })
})

test('a finding of an order can be run again, and recorded', async () => {
  const loaded = await loadWorkflow(defineWorkflow(invoice))
  const { findings } = await sweep(invoice, undeclaredNeed, { minimise: false })
  const again = await runFinding(loaded, findings[0]?.faults ?? [], {
    project: await createProject({ storage: 'memory' }),
    agents: undeclaredNeed,
  })
  expect(again?.violations).toEqual(findings[0]?.violations)
  expect(again?.recording?.events.at(-1)?.kind).toBe('workflow_end')
})
