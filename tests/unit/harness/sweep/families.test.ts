import { describe, expect, test, vi } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { createProject, faultWords, sweepFaults } from '../../../../src/harness/index.ts'
import type { FaultFamily, SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { fanOutOfFive, reviewLoop, sweptAgents } from '../../../support/swept-workflows.ts'
import { withIncarnation, withPorts } from './altered-engine.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const retrying: AgentWorkflow = {
  id: 'retrying',
  settings: { timeout: '1h' },
  steps: [
    { id: 'one', agent: 'writer', retries: 1, creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', requires: ['out/one.txt'], creates: ['out/two.txt'] },
  ],
}

const gated: AgentWorkflow = {
  id: 'gated',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], gate: { condition: 'true' } },
    { id: 'two', agent: 'writer', requires: ['out/one.txt'], creates: ['out/two.txt'] },
  ],
}

async function sweep(workflow: AgentWorkflow, options: SweepOptions): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(defineWorkflow(workflow), { project, agents: sweptAgents, ...options })
}

describe.each([retrying, gated, fanOutOfFive, reviewLoop])('workflow $id', (workflow) => {
  test.each<FaultFamily>(['agent', 'gate', 'time', 'lifecycle'])(
    'survives every single fault of the family %s, at every call that there is',
    async (family) => {
      const { findings, families, matrix } = await sweep(workflow, { families: [family] })
      expect(findings).toEqual([])
      const { hit, points, counted, scenarios = 0 } = families[family] ?? {}
      expect([hit, counted]).toEqual([points, points])
      expect(matrix).toHaveLength(points as number)
      expect(scenarios).toBe(matrix.reduce((sum, { cells }) => sum + Object.keys(cells).length, 0))
    },
  )
})

test('an attempt whose writing failed leaves nothing behind when the next one succeeds', async () => {
  const { findings } = await sweep(retrying, { families: ['disk'] })
  expect(findings).toEqual([])
})

test('the matrix says which faults were tried at a point', async () => {
  const { matrix } = await sweep(gated, { families: ['agent', 'gate', 'time', 'lifecycle'] })
  const words = (wanted: FaultFamily): readonly string[] =>
    Object.keys(matrix.find(({ family }) => family === wanted)?.cells ?? {})
  expect(words('agent')).toEqual([
    'agent-error before injected by the sweep',
    'agent-error partial injected by the sweep',
    'agent-error after injected by the sweep',
    'agent-answer malformed',
    'agent-answer empty',
    'agent-answer oversize',
    'step-timeout',
  ])
  expect(words('gate')).toEqual([
    'gate-failure fail injected by the sweep',
    'gate-failure throw injected by the sweep',
    'never-answers',
    'answers-otherwise-later',
  ])
  expect(words('time')).toEqual([
    'agent-delay before-limit',
    'agent-delay at-limit',
    'agent-delay after-limit',
    'clock-jump second',
    'clock-jump hour',
    'clock-jump year',
    'clock-jump back-second',
    'clock-jump back-hour',
    'clock-jump back-year',
  ])
  expect(words('lifecycle')).toEqual(['cancel', 'resume-meanwhile', 'change-definition'])
})

test('the tier smoke tries the first and the last of each class', async () => {
  const smoke = await sweep(fanOutOfFive, { families: ['agent', 'crash'], tier: 'smoke' })
  expect(smoke.findings).toEqual([])
  expect(smoke.families.agent).toMatchObject({ points: 6, counted: 6, hit: 2 })
  expect(smoke.families.crash?.hit).toBeLessThan((smoke.families.crash?.points ?? 0) / 2)
})

describe('a sweep finds', () => {
  const found = async (options: SweepOptions): Promise<readonly string[]> => {
    const { findings } = await sweep(gated, options)
    return findings.map(
      ({ faults: [fault], violations }) =>
        `${fault === undefined ? '' : faultWords(fault)}: ${violations.map(({ invariant }) => invariant).join()}`,
    )
  }

  test('an agent whose second call does not come to what the first would have', async () => {
    const written = new Set<string>()
    const agents: Agents = {
      async writer({ step, attempt, runId, artifacts }) {
        await artifacts.write(`out/${step}.txt`, attempt === 1 ? 'as expected' : `again ${written.size}`)
        written.add(runId)
        return null
      },
    }
    expect(await found({ agents, families: ['agent'] })).toContainEqual(
      expect.stringMatching(/^agent-error .*O1/),
    )
  })

  test('an engine that swallows what a gate says', async () => {
    const driver = withPorts(({ gates, ...ports }) => ({
      ...ports,
      gates: {
        decide: async (request) => {
          await gates.decide(request).catch(() => {})
          return { passed: true }
        },
      },
    }))
    expect(await found({ driver, families: ['gate'] })).toEqual([
      'gate-failure fail injected by the sweep: O11',
      'gate-failure throw injected by the sweep: O11',
    ])
  })

  test('an engine whose clock stands still, so that no limit is ever reached', async () => {
    const driver = withPorts((ports) => ({ ...ports, clock: { ...ports.clock, now: () => 0 } }))
    expect(await found({ driver, families: ['time'] })).toContainEqual(
      expect.stringMatching(/^agent-delay after-limit: .*O11/),
    )
  })

  test('an engine that lets two processes have one run', async () => {
    const driver = withPorts((ports) => ({
      ...ports,
      owner: { self: ports.owner.self, liveness: () => 'dead' },
    }))
    expect(await found({ driver, families: ['lifecycle'] })).toContainEqual(
      expect.stringMatching(/^resume-meanwhile: .*interference/),
    )
  })

  test('an engine that resumes under whatever definition it is given', async () => {
    const driver = withIncarnation((incarnation) => ({
      ...incarnation,
      recover: ({ expects: _expects, ...request }) => incarnation.recover(request),
    }))
    expect(await found({ driver, families: ['lifecycle'] })).toContainEqual(
      expect.stringMatching(/^change-definition: interference/),
    )
  })
})
