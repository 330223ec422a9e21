import type { AgentWorkflow, GraphWorkflow } from '../../src/engine/index.ts'
import type { Agents } from '../../src/ports/index.ts'

/** Small workflows whose every fault is tried, and agents for them. */

export const sweptAgents: Agents = {
  async writer({ step, visit, artifacts, random }) {
    await artifacts.write(`out/${step}.txt`, `${step}, visit ${visit}, ${random.integer(1_000)}\n`)
    return { step, visit }
  },
  decider: () => ({ big: false, failures: ['it is small'] }),
  refuser() {
    throw new Error('not here')
  },
  async joiner({ artifacts, requires }) {
    const parts: string[] = []
    for (const path of requires) parts.push(await artifacts.readText(path))
    await artifacts.write('out/joined.txt', parts.join(''))
    return { parts: parts.length }
  },
}

/** A branch not taken, findings, an early join, references and a schema. */
export const decisions: GraphWorkflow = {
  id: 'decisions',
  nodes: [
    { id: 'check', type: 'decider', outputSchema: { type: 'object', required: ['big'] } },
    { id: 'large', type: 'writer', creates: 'out/large.txt' },
    {
      id: 'small',
      type: 'writer',
      creates: 'out/small.txt',
      parameters: { why: '${check.output.failures[0]}' },
    },
    { id: 'triage', type: 'writer' },
    { id: 'tell', type: 'writer', creates: 'out/tell.txt', join: 'any' },
  ],
  connections: [
    { source: 'check', target: 'large', condition: 'big == true' },
    { source: 'check', target: 'small', condition: 'big == false' },
    { source: 'check', target: 'triage', condition: 'has_failures' },
    { source: 'large', target: 'tell' },
    { source: 'triage', target: 'tell' },
  ],
}

/** A failure that is tolerated, and what is done because of it. */
export const tolerating: AgentWorkflow = {
  id: 'tolerating',
  steps: [
    { id: 'probe', agent: 'refuser', retries: 1, retryDelayMs: 5, continueOnError: true },
    { id: 'go-on', agent: 'writer', creates: 'out/go-on.txt' },
    { id: 'tell', agent: 'writer', creates: 'out/tell.txt', condition: 'on_failure' },
    { id: 'praise', agent: 'writer', condition: 'on_success' },
  ],
}

/** A list that is finished off, whatever becomes of it. */
export const finishedOff: AgentWorkflow = {
  id: 'finished-off',
  steps: [
    { id: 'build', agent: 'writer', creates: 'out/build.txt' },
    { id: 'test', agent: 'writer', creates: 'out/test.txt' },
    { id: 'tell', agent: 'writer', creates: 'out/tell.txt', condition: 'on_failure' },
    { id: 'clean', agent: 'writer', creates: 'out/clean.txt', condition: 'always' },
    { id: 'publish', agent: 'writer', creates: 'out/publish.txt' },
  ],
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
