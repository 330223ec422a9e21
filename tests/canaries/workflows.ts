import type { AgentWorkflow } from '../../src/engine/index.ts'
import type { Agents } from '../../src/ports/index.ts'

/** The smallest workflows that show the bugs, and agents for them. */

export const agents: Agents = {
  async writer({ step, visit, artifacts }) {
    await artifacts.write(`out/${step}.txt`, `${step}, visit ${visit}\n`)
    return { step, visit }
  },
  async flaky({ attempt, artifacts }) {
    if (attempt % 2 === 1) throw new Error('not this time')
    await artifacts.write('out/one.txt', 'one\n')
    return null
  },
  async reviser({ artifacts }) {
    await artifacts.write('out/one.txt', `${await artifacts.readText('out/one.txt')}, revised`)
    return null
  },
  async talker({ step, artifacts }) {
    await artifacts.write(`out/${step}.txt`, `${step}\n`)
    return { step, told: 'at length '.repeat(1_000) }
  },
}

const one = { id: 'one', agent: 'writer', requires: [], creates: ['out/one.txt'] }
const two = { id: 'two', agent: 'writer', requires: ['out/one.txt'], creates: ['out/two.txt'] }

export const single: AgentWorkflow = { id: 'single', steps: [one] }

export const fanOutOfTwo: AgentWorkflow = { id: 'fan', steps: [one, { ...two, requires: [] }] }

/** Its log grows so much that a snapshot is saved in the middle. */
export const largeResults: AgentWorkflow = { id: 'large', steps: [{ ...one, agent: 'talker' }, two] }

/** Its gate asks for nothing. */
export const gated: AgentWorkflow = { id: 'gated', steps: [{ ...one, gate: { condition: 'true' } }] }

/** The second step writes the file of the first anew. */
export const rewriting: AgentWorkflow = {
  id: 'rewriting',
  steps: [one, { ...two, agent: 'reviser', creates: [] }],
}

/** Every other attempt fails. */
export const flaky: AgentWorkflow = { id: 'flaky', steps: [{ ...one, agent: 'flaky', retries: 1 }] }

export const retried: AgentWorkflow = { id: 'retried', steps: [{ ...one, retries: 1 }] }
