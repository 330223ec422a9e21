import { expect, test, vi } from 'vitest'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { judged } from './judged.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

/**
 * The faults that runs were judged to have met, in the order in which they were tried; `-` where it was none. A run that went on in
 * another life may stand there twice: some of those that are left are run to their end as well.
 */
async function struck(workflow: AgentWorkflow, agents: Agents): Promise<readonly string[]> {
  const { evidences, findings } = await judged(workflow, { agents, families: ['agent'] })
  expect(findings).toEqual([])
  return evidences.map(({ faults: [fault] }) =>
    fault === undefined ? '-' : `${fault.fault} ${fault.key.replace(/^1\/(.+?):.*$/, '$1')}`,
  )
}

/** Before it works, in the middle, when it is done; three answers; a limit. */
const everyFault = (at: string): readonly string[] => [
  ...Array.from({ length: 3 }, () => `agent-error ${at}`),
  ...Array.from({ length: 3 }, () => `agent-answer ${at}`),
  `step-timeout ${at}`,
]
/** The same where the agent gives no answer. */
const unanswered = (at: string): readonly string[] =>
  everyFault(at).map((fault, index) => (index >= 2 && index <= 5 ? '-' : fault))

test('an agent that fails by itself, or is cut off, has met no fault that is about its answer', async () => {
  const failing = { id: 'failing', steps: [{ id: 'one', agent: 'one', retries: 1 }] }
  const failsFirst: Agents = {
    one({ attempt }) {
      if (attempt === 1) throw new Error('not yet')
      return null
    },
  }
  expect((await struck(failing, failsFirst)).slice(0, 7)).toEqual(unanswered('one#1@1'))

  const slow: AgentWorkflow = { id: 'slow', steps: [{ id: 'one', agent: 'one', retries: 1, timeout: '10s' }] }
  const isSlowFirst: Agents = {
    async one({ attempt, clock }) {
      if (attempt === 1) await clock.sleep(60_000)
      return null
    },
  }
  expect((await struck(slow, isSlowFirst)).slice(0, 7)).toEqual(unanswered('one#1@1'))

  const answersLate: Agents = {
    async one({ attempt, clock }) {
      if (attempt === 1) await clock.sleep(60_000).catch(() => {})
      return null
    },
  }
  expect((await struck(slow, answersLate)).slice(0, 7)).toEqual(unanswered('one#1@1'))
})

test('an agent whose neighbour fails by itself has met its fault all the same', async () => {
  const workflow: AgentWorkflow = {
    id: 'neighbours',
    steps: [
      { id: 'struck', agent: 'steady', requires: [] },
      { id: 'other', agent: 'unsteady', requires: [], retries: 1 },
    ],
  }
  const agents: Agents = {
    async steady({ clock }) {
      await clock.sleep(1)
      return null
    },
    async unsteady({ attempt, clock }) {
      await clock.sleep(5)
      if (attempt === 1) throw new Error('not yet')
      return null
    },
  }
  const faults = new Set(await struck(workflow, agents))
  expect([...faults].filter((fault) => fault.endsWith('struck#1@1'))).toEqual([
    ...new Set(everyFault('struck#1@1')),
  ])
  expect(faults).not.toContain('agent-answer other#1@1')
})

test('an agent whose answer has no scores has met no fault that is about them', async () => {
  const workflow: AgentWorkflow = {
    id: 'scores',
    steps: [{ id: 'review', agent: 'reviewer', gate: { condition: 'output.scoreless == true' } }],
  }
  const faults = await struck(workflow, { reviewer: () => ({ scoreless: true }) })
  expect([...new Set(faults)]).toEqual([
    'agent-error review#1@1',
    'agent-answer review#1@1',
    '-',
    'step-timeout review#1@1',
  ])
})

test('an error of the disk can be done without in the daily log alone, and when it goes away', async () => {
  const { evidences, findings } = await judged(
    { id: 'talking', steps: [{ id: 'one', agent: 'talker' }] },
    { agents: { talker: ({ log }) => log('here I am') }, families: ['disk'] },
  )
  expect(findings).toEqual([])
  const faults = evidences.flatMap(({ faults: [fault] }) => fault ?? [])
  const isOfDailyLog = ({ key }: { readonly key: string }): boolean => key.includes(':.workflow/logs')
  // Of the errors that are tried a full disk stays full.
  const stays = ({ fault, cause }: { readonly fault: string; readonly cause?: string }): boolean =>
    fault === 'disk before' && cause === 'ENOSPC'
  expect(faults.filter((fault) => isOfDailyLog(fault) && stays(fault))).not.toEqual([])
  expect(faults.filter((fault) => isOfDailyLog(fault) && !stays(fault))).not.toEqual([])
  for (const fault of faults) {
    const expected = isOfDailyLog(fault) && !stays(fault) ? 'survivable' : 'reportable'
    expect([fault.fault, fault.key, fault.class]).toEqual([fault.fault, fault.key, expected])
  }
})
