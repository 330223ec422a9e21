import type { AgentWorkflow, GraphWorkflow } from '../../src/engine/index.ts'
import type { SimulatedPrograms } from '../../src/adapters/virtual/index.ts'
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
  sleeper: ({ clock, parameters }) => clock.sleep(Number(parameters['ms'])),
  refuser() {
    throw new Error('not here')
  },
  async talker({ step, artifacts }) {
    await artifacts.write(`out/${step}.txt`, `${step}\n`)
    return { step, told: 'at length '.repeat(1_000) }
  },
}

export const programs: SimulatedPrograms = {
  compile: ({ write }) => write('out/built/app.js', 'built'),
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
/** A program writes in place, and what it leaves is adopted. */
export const inPlace: AgentWorkflow = {
  id: 'in-place',
  steps: [
    { id: 'build', agent: 'command', parameters: { command: ['compile'] }, creates: ['out/built/app.js'] },
    { ...two, requires: ['out/built/app.js'] },
  ],
}

/** A failure that is tolerated, a step that is skipped, and one that runs because of the failure. */
export const decided: AgentWorkflow = {
  id: 'decided',
  steps: [
    { id: 'probe', agent: 'refuser', continueOnError: true },
    { ...one, condition: 'on_success' },
    { id: 'two', agent: 'writer', creates: ['out/two.txt'], condition: 'on_failure' },
  ],
}

/** Begins with whichever comes first, and is still at it when the other comes. */
export const joined: GraphWorkflow = {
  id: 'joined',
  nodes: [
    { id: 'early', type: 'writer', creates: 'out/early.txt' },
    { id: 'late', type: 'sleeper', parameters: { ms: 10 } },
    { id: 'join', type: 'sleeper', parameters: { ms: 20 }, join: 'any' },
  ],
  connections: [
    { source: 'early', target: 'join' },
    { source: 'late', target: 'join' },
  ],
}
