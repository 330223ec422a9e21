import type { AgentWorkflow } from '../../src/engine/index.ts'
import type { Agents } from '../../src/ports/index.ts'

/** Small workflows whose every fault is tried, and agents for them. */

export const sweptAgents: Agents = {
  async writer({ step, visit, artifacts, random }) {
    await artifacts.write(`out/${step}.txt`, `${step}, visit ${visit}, ${random.integer(1_000)}\n`)
    return { step, visit }
  },
  async joiner({ artifacts, requires }) {
    const parts: string[] = []
    for (const path of requires) parts.push(await artifacts.readText(path))
    await artifacts.write('out/joined.txt', parts.join(''))
    return { parts: parts.length }
  },
}

export const chainOfSix: AgentWorkflow = {
  id: 'chain',
  steps: Array.from({ length: 6 }, (_, index) => ({
    id: `s${index}`,
    agent: 'writer',
    creates: [`out/s${index}.txt`],
    requires: index === 0 ? [] : [`out/s${index - 1}.txt`],
  })),
}

const branches = ['a', 'b', 'c', 'd', 'e'].map((id) => ({
  id,
  agent: 'writer',
  requires: [],
  creates: [`out/${id}.txt`],
}))

export const fanOutOfFive: AgentWorkflow = {
  id: 'fan',
  steps: [
    ...branches,
    {
      id: 'join',
      agent: 'joiner',
      requires: branches.flatMap(({ creates }) => creates),
      creates: ['out/joined.txt'],
    },
  ],
}

export const reviewLoop: AgentWorkflow = {
  id: 'review-loop',
  steps: [
    { id: 'draft', agent: 'writer', requires: [], creates: ['out/draft.txt'] },
    {
      id: 'review',
      agent: 'writer',
      requires: ['out/draft.txt'],
      creates: ['out/review.txt'],
      gate: { condition: 'output.visit >= 2', onFail: 'draft' },
    },
    {
      id: 'publish',
      agent: 'writer',
      dependsOn: 'review',
      requires: ['out/draft.txt'],
      creates: ['out/publish.txt'],
    },
  ],
}
