import { describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { WorkflowSource } from '../../../../src/engine/index.ts'
import {
  createProject,
  defineInvariant,
  faultFamilies,
  sweepFaults,
  sweepReportJson,
} from '../../../../src/harness/index.ts'
import type { FaultFamily, FaultSequence, SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import { shapeAgents as agents } from '../../../support/workflow-shapes.ts'

const timeout = 600_000

const single = defineWorkflow({
  id: 'single',
  steps: [{ id: 'one', agent: 'plain', requires: [], creates: 'out/one.txt' }],
})
const pair = defineWorkflow({
  id: 'pair',
  steps: ['one', 'two'].map((id) => ({ id, agent: 'plain', requires: [], creates: `out/${id}.txt` })),
})

async function deep(workflow: WorkflowSource, options: SweepOptions): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(workflow, { project, agents, tier: 'deep', ...options })
}

const diesOnce = defineInvariant({
  name: 'dies-once',
  title: 'no run ends more than once before its time',
  check({ evidence }, verdict) {
    if (evidence.earlierLives.length > 1) verdict.broken('It had to be resumed twice.')
  },
})

const familiesOf = (faults: FaultSequence | undefined): readonly FaultFamily[] =>
  faults?.map(({ family }) => family) ?? []

describe('the tier deep', () => {
  test.each([['agent'], ['disk']] as const)(
    'crashes the resume after a fault of the family %s',
    { timeout },
    async (family) => {
      const options = { families: [family], invariants: [diesOnce] }
      const { findings } = await deep(single, { ...options, stopAt: 'first-finding' })
      expect(familiesOf(findings[0]?.faults)).toEqual([family, 'crash'])
      expect(findings[0]?.minimised?.faults).toHaveLength(2)
      const full = await deep(single, { ...options, tier: 'full', minimise: false })
      // There only a power loss that comes on its own ends a second life.
      const others = full.findings.filter(
        ({ faults: [fault] }) => fault === undefined || !('powerLoss' in fault),
      )
      expect(others).toEqual([])
    },
  )

  test('crashes the same life after a fault, in the middle of a rollback too', { timeout }, async () => {
    const rollback = defineWorkflow({
      id: 'rollback',
      settings: { rollback: true },
      steps: [
        { id: 'one', agent: 'effectful', requires: [], creates: 'out/one.txt', undo: { agent: 'taker' } },
        { id: 'two', agent: 'plain', requires: ['out/one.txt'], creates: 'out/two.txt' },
      ],
    })
    const undoneInOneLife = defineInvariant({
      name: 'undone-in-one-life',
      title: 'a rollback is made by one process',
      check({ evidence }, verdict) {
        const lives = new Set(evidence.undos?.map(({ incarnation }) => incarnation))
        if (lives.size > 1) verdict.broken('It took two.')
      },
    })
    const options = { families: ['agent'], invariants: [undoneInOneLife] } as const
    const { findings } = await deep(rollback, {
      ...options,
      stopAt: 'first-finding',
    })
    expect(findings[0]?.violations.map(({ sentence }) => sentence)).toEqual(['It took two.'])
    const { faults = [] } = findings[0]?.minimised ?? {}
    expect([familiesOf(faults), faults.map(({ at }) => at.slice(0, 2))]).toEqual([
      ['agent', 'crash'],
      ['1/', '1/'],
    ])
  })

  test('dies in the middle of an order of chance, and again', { timeout }, async () => {
    const options = { families: ['schedule'], invariants: [diesOnce] } as const
    const { findings } = await deep(pair, { ...options, minimise: false })
    const families = familiesOf(findings.find(({ faults }) => faults[0]?.family === 'schedule')?.faults)
    expect(new Set(families)).toEqual(new Set(['schedule', 'crash']))
    const { findings: small } = await deep(pair, { ...options, stopAt: 'first-finding' })
    // No order is needed for that.
    expect(familiesOf(small[0]?.minimised?.faults)).toEqual(['crash', 'crash'])
  })

  test('meets up to four faults of any family in one run, the same ones each time', { timeout }, async () => {
    const families = faultFamilies.filter((family) => family !== 'disk')
    const sometimes = defineInvariant({
      name: 'meets-four',
      title: 'no run meets four faults',
      check({ evidence }, verdict) {
        if (evidence.earlierLives.length > 3) verdict.broken('It had to be resumed four times.')
      },
    })
    const options = { families, recoveryCrashes: false, outcomes: 'corners', minimise: false } as const
    const report = await deep(single, { ...options, invariants: [sometimes] })
    expect(report.findings.length).toBeGreaterThan(2)
    expect(Math.max(...report.findings.map(({ faults }) => faults.length))).toBe(4)
    expect(new Set(report.findings.flatMap(({ faults }) => familiesOf(faults))).size).toBeGreaterThan(1)
    expect(report.findings.flatMap(({ violations }) => violations.map(({ invariant }) => invariant))).toEqual(
      report.findings.map(() => 'meets-four'),
    )
    const again = await deep(single, { ...options, invariants: [sometimes] })
    expect(sweepReportJson(again)).toBe(sweepReportJson(report))
  })
})
