import { describe, expect, test, vi } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import {
  createProject,
  defineInvariant,
  sweepFaults,
  sweepReportJson,
} from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import { liveOn } from '../../../../src/harness/sweep/swept-life.ts'
import type { Boundary, ForkPoint } from '../../../../src/harness/sweep/life-options.ts'
import { copyOf, freshWorld } from '../../../../src/harness/sweep/swept-world.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { chainOfSix, fanOutOfFive, reviewLoop, sweptAgents } from '../../../support/swept-workflows.ts'
import { sweptWorkflow } from '../../../support/swept-workflow.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const chain = { ...chainOfSix, steps: chainOfSix.steps.slice(0, 3) }

async function sweep(workflow: AgentWorkflow, options: SweepOptions = {}): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(defineWorkflow(workflow), { project, agents: sweptAgents, ...options })
}

describe.each([
  [chainOfSix, 6],
  // The branches are in flight together: it can be forked before the first of them and after the last.
  [fanOutOfFive, 2],
  [reviewLoop, 5],
] as const)('workflow $id', (source, expected) => {
  test('goes on from every fork of a life as it would have gone on without', async () => {
    const workflow = await sweptWorkflow(source, sweptAgents)
    const boundaries: Boundary[] = []
    const answered: ForkPoint[] = []
    const writes: string[] = []
    const whole = await liveOn(workflow, freshWorld(createVirtualFiles(), 0), {
      onBoundary: (boundary) => boundaries.push(boundary),
      onAnswered: (point) => answered.push(point),
      onWrite: ({ name }) => writes.push(name),
    })
    expect(boundaries).toHaveLength(expected)
    // Before the first tick, and whenever agents have answered and no gate is asked.
    expect(answered.length).toBeGreaterThan(expected)
    for (const from of [...boundaries, ...answered]) {
      for (const _time of ['once', 'again']) {
        const rest: string[] = []
        const ended = await liveOn(workflow, copyOf(from.world), {
          from,
          onWrite: ({ name }) => rest.push(name),
        })
        expect(ended.world.ending).toEqual(whole.world.ending)
        expect(ended.world.disk.digest()).toBe(whole.world.disk.digest())
        expect(ended.world.executions).toEqual(whole.world.executions)
        expect(rest).toEqual(writes.slice(-rest.length))
      }
    }
  })
})

test('a fork has what an agent had answered, whatever the agent has made of it since', async () => {
  const answer = { of: '' }
  const agents: Agents = {
    worker({ step }) {
      answer.of = step
      return answer
    },
  }
  const steps = ['first', 'second'].map((id) => ({ id, agent: 'worker' }))
  const workflow = await sweptWorkflow({ id: 'reuses', steps }, agents)
  const answered: ForkPoint[] = []
  const whole = await liveOn(workflow, freshWorld(createVirtualFiles(), 0), {
    onAnswered: (point) => answered.push(point),
  })
  for (const from of answered) {
    const ended = await liveOn(workflow, copyOf(from.world), { from })
    expect(ended.world.disk.digest()).toBe(whole.world.disk.digest())
  }
  expect(answered).toHaveLength(3)
})

test('a fork after a sleep has the time of there', async () => {
  const agents: Agents = {
    async sleeper({ clock }) {
      await clock.sleep(1_000)
      return null
    },
  }
  const workflow = await sweptWorkflow({ id: 'sleeps', steps: [{ id: 'only', agent: 'sleeper' }] }, agents)
  const answered: ForkPoint[] = []
  await liveOn(workflow, freshWorld(createVirtualFiles(), 0), {
    onAnswered: (point) => answered.push(point),
  })
  expect(answered.map(({ world }) => world.now)).toEqual([0, 1_000])
})

test('there is no fork while an agent is at work that nobody waits for any more', async () => {
  const agents: Agents = {
    async slow({ attempt, clock }) {
      if (attempt === 1) await clock.sleep(Infinity).catch(() => new Promise(() => {}))
      return null
    },
  }
  const steps = [{ id: 'only', agent: 'slow', timeout: '1s', retries: 1 } as const]
  const workflow = await sweptWorkflow({ id: 'slow', steps }, agents)
  const answered: ForkPoint[] = []
  const { world } = await liveOn(workflow, freshWorld(createVirtualFiles(), 0), {
    onAnswered: (point) => answered.push(point),
  })
  expect(world.ending.status).toBe('completed')
  expect(answered).toHaveLength(1)
})

test('two sweeps with the same seed say the same, byte for byte', async () => {
  const [first, second] = [await sweep(reviewLoop), await sweep(reviewLoop)]
  expect(sweepReportJson(second)).toBe(sweepReportJson(first))
  expect(sweepReportJson(first)).not.toContain('timings')
})

describe('a run that has come to what the run without faults had come to', () => {
  test('is left, and one in twenty of them is run to its end all the same', async () => {
    const { shortcuts, findings } = await sweep(chainOfSix, { families: ['crash', 'disk'] })
    expect(findings).toEqual([])
    expect(shortcuts.rejoined).toBeGreaterThan(200)
    expect(shortcuts.audited).toBeGreaterThan(shortcuts.rejoined / 40)
    expect(shortcuts.audited).toBeLessThan(shortcuts.rejoined / 10)
    expect(shortcuts.trusted).toBe(true)
  })

  test('is no longer left once that has hidden something', async () => {
    const onlyAtTheEnd = defineInvariant({
      name: 'no-second-life-at-the-end',
      title: 'who completes has lived once',
      check({ evidence: { ending, earlierLives } }, verdict) {
        if (ending.status === 'completed' && earlierLives.length > 0) verdict.broken('It had died before.')
      },
    })
    const options = { families: ['crash'], invariants: [onlyAtTheEnd], minimise: false } as const
    const { shortcuts, findings, families } = await sweep(chain, options)
    expect(shortcuts.trusted).toBe(false)
    expect(findings.length).toBeGreaterThan((families.crash?.scenarios ?? 0) / 2)
  })
})
