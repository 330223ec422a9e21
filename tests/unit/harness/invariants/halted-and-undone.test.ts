import { describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { builtInInvariants, judge } from '../../../../src/harness/invariants/index.ts'
import type { Agents, WorkflowSession } from '../../../../src/harness/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import type { WatchedRun } from '../../../support/evidence.ts'

// Runs that are let go of and taken up again, or that take back what they did, die at every write of every life; each is then
// brought to its end and judged by the invariants.

interface Story {
  readonly workflow: AgentWorkflow
  readonly agents: () => Agents
  /** How the run is taken up, whatever has become of it; undefined once it has come to its end. */
  readonly next: (session: WorkflowSession) => ((session: WorkflowSession) => Promise<unknown>) | undefined
  readonly ending: 'completed' | 'failed'
  readonly check: (run: WatchedRun) => void
}

const say = (what: string): Agents[string] => {
  return async ({ step, effect }) => {
    await effect(`${what} ${step}`, () => null)
    return { step }
  }
}

const rollback: Story = {
  workflow: {
    id: 'rollback',
    settings: { rollback: true },
    steps: [
      { id: 'reserve', agent: 'does', undo: { agent: 'undoes' } },
      { id: 'charge', agent: 'does', undo: { agent: 'undoes' } },
      { id: 'note', agent: 'does', undo: { agent: 'fails' } },
      { id: 'ship', agent: 'fails' },
    ],
  },
  agents: () => ({
    does: say('do'),
    undoes: say('undo'),
    fails() {
      throw new Error('no carrier')
    },
  }),
  next: (session) => (session.state().status === 'failed' ? undefined : (each) => each.resume()),
  ending: 'failed',
  check({ session }) {
    const over = session
      .events()
      .flatMap((event) => (event.kind === 'undo_finish' || event.kind === 'undo_fail' ? [event.step] : []))
    expect(over).toEqual(['note', 'charge', 'reserve'])
    for (const { name, count } of session.world.filter((each) => each.name.startsWith('undo'))) {
      const starts = session
        .events()
        .filter((event) => event.kind === 'undo_start' && name === `undo ${event.step}`)
      expect(count).toBeLessThanOrEqual(starts.length)
    }
  },
}

const humanGate: Story = {
  workflow: {
    id: 'approval',
    steps: [
      { id: 'draft', agent: 'writes', creates: ['draft.md'], gate: { human: true, onPass: 'send' } },
      { id: 'send', agent: 'does' },
    ],
  },
  agents: () => ({
    does: say('do'),
    async writes({ artifacts, effect, step }) {
      await effect('write', () => null)
      await artifacts.write('draft.md', 'dear all')
      return step
    },
  }),
  next(session) {
    const { status } = session.state()
    if (status === 'completed') return undefined
    return status === 'waiting' ? (each) => each.answerGate('draft', true) : (each) => each.resume()
  },
  ending: 'completed',
  check({ session }) {
    const asked = session.events().findIndex(({ kind }) => kind === 'gate_wait')
    const after = session.events().slice(asked)
    expect(after.filter((event) => event.kind === 'step_start' && event.step === 'draft')).toEqual([])
    expect(session.state().gateDecisions).toMatchObject([{ passed: true, by: 'person' }])
  },
}

const missingInput: Story = {
  workflow: {
    id: 'greeting',
    steps: [
      { id: 'before', agent: 'does' },
      { id: 'greet', agent: 'does', parameters: { to: '${input.name}' } },
    ],
  },
  agents: () => ({ does: say('do') }),
  next(session) {
    const { status } = session.state()
    if (status === 'completed') return undefined
    return status === 'paused' ? (each) => each.provideInput({ name: 'Ada' }) : (each) => each.resume()
  },
  ending: 'completed',
  check: ({ session }) => expect(session.state().input).toEqual({ name: 'Ada' }),
}

const stories = { rollback, 'a gate that a person answers': humanGate, 'input that is missing': missingInput }

/** Dies at the given write of each of two lives, then lives on to the end. */
async function lived(
  story: Story,
  deaths: readonly [life: number, write: number][],
  disk: 'kill' | 'power-min',
): Promise<{ readonly run: WatchedRun; readonly died: boolean; readonly settled: boolean }> {
  const run = await watchedRun(defineWorkflow(story.workflow), { agents: story.agents() })
  const writeOf = (life: number): number => deaths.find(([which]) => which === life)?.[1] ?? Infinity
  let died = await run.crashAtWrite(writeOf(0), { disk })
  let settled = !died
  for (let life = 1; life < 12; life++) {
    await run.session.capture()
    const call = story.next(run.session)
    if (call === undefined) return { run, died, settled }
    settled = !(await run.takeUp(call, writeOf(life), { disk }))
    if (!settled) died = true
    else await run.move((session) => session.runToEnd())
  }
  throw new Error('The run never comes to its end.')
}

async function violationsOf(run: WatchedRun): Promise<readonly object[]> {
  const { violations } = await judge(await run.evidence(), builtInInvariants)
  return violations
}

describe.each(Object.entries(stories))('%s', (_, story) => {
  test.each(['kill', 'power-min'] as const)(
    'comes to the same after a death (%s) at any write, also of what takes it up',
    { timeout: 300_000 },
    async (disk) => {
      let deaths = 0
      for (const life of [0, 1, 2]) {
        for (let write = 0; ; write++) {
          const before: [number, number][] = life === 2 ? [[0, 3]] : []
          const { run, died, settled } = await lived(story, [...before, [life, write]], disk)
          story.check(run)
          expect(run.session.state().status).toBe(story.ending)
          // A life that dies after the last event leaves its lock and tells nobody.
          const violations = settled ? await violationsOf(run) : []
          expect([life, write, violations]).toEqual([life, write, []])
          if (died) deaths++
          if (!died || write > 60) break
          if (life === 2 && write > 12) break
        }
      }
      expect(deaths).toBeGreaterThan(20)
    },
  )
})
