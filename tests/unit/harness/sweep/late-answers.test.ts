import { expect, test, vi } from 'vitest'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agent } from '../../../../src/ports/index.ts'
import { withPorts } from './altered-engine.ts'
import { judged } from './judged.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const workflow = (retries: number): AgentWorkflow => ({
  id: 'late',
  steps: [{ id: 'slow', agent: 'slow', timeout: '10s', retries }],
})

/** Does not mind that its signal wakes it. */
const deaf: Agent = async ({ clock }) => {
  await clock.sleep(5_000).catch(() => {})
  return null
}
const sullen: Agent = async ({ clock }) => {
  await clock.sleep(5_000).catch(() => {
    throw new Error('I was not done')
  })
  return null
}
const obedient: Agent = async ({ clock }) => {
  await clock.sleep(5_000)
  return null
}

// Of the clocks that are set while it works two go beyond its limit.
test.each([
  ['answers after it was cut off', deaf, 1, ['slow@1', 'slow@1']],
  ['fails after it was cut off', sullen, 1, ['slow@1', 'slow@1']],
  ['obeys when it is cut off', obedient, 1, []],
  ['answers when the run that cut it off is over', deaf, 0, []],
])('an agent that %s is known to be late, or not to be', async (_title, slow, retries, expected) => {
  const { findings, evidences } = await judged(workflow(retries), { agents: { slow }, families: ['time'] })
  expect(findings).toEqual([])
  const late = evidences.flatMap(({ executions }) => executions.filter((each) => each.late === true))
  expect(late.map(({ step, attempt }) => `${step}@${attempt}`)).toEqual(expected)
  expect(evidences.length).toBeGreaterThan(expected.length)
})

test('an engine that throws a late answer away without a word is found', async () => {
  const driver = withPorts(({ agents, ...ports }) => ({
    ...ports,
    agents: {
      ...agents,
      has: (name) => agents.has(name),
      async invoke(call) {
        const output = await agents.invoke(call)
        return call.aborted() ? new Promise<never>(() => {}) : output
      },
    },
  }))
  const { findings } = await judged(workflow(1), { agents: { slow: deaf }, families: ['time'], driver })
  const sentences = findings.flatMap(({ violations }) => violations.map(({ sentence }) => sentence))
  expect(sentences).toContain(
    `The late result of step 'slow' (visit 1, attempt 1, incarnation 1) was thrown away without a word.`,
  )
})
