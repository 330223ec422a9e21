import { defineWorkflow } from '../../src/engine/index.ts'
import type { AgentStep, AgentWorkflow, GraphWorkflow, WorkflowSource } from '../../src/engine/index.ts'
import type { SweepOptions } from '../../src/harness/index.ts'
import type { Agents } from '../../src/ports/index.ts'
import { decisions, sweptAgents } from './swept-workflows.ts'

/** A workflow of one shape, with all that a sweep needs to run it. */
export interface WorkflowShape {
  readonly name: string
  readonly workflow: WorkflowSource
  readonly options?: Pick<SweepOptions, 'operator'>
}

const outOf = (id: string): string => `out/${id}.txt`

function step(id: string, needs: readonly string[] = [], more: Partial<AgentStep> = {}): AgentStep {
  return { id, agent: 'plain', requires: needs.map(outOf), creates: outOf(id), ...more }
}

/** What comes of a step depends on its inputs and its seed alone, not on how often it was tried. */
export const shapeAgents: Agents = {
  ...sweptAgents,
  async plain({ step: id, artifacts, requires, random }) {
    const parts: string[] = []
    for (const path of requires) parts.push(await artifacts.readText(path))
    await artifacts.write(outOf(id), `${id} ${random.integer(1_000)}\n${parts.join('')}`)
    return { id, parts: parts.length }
  },
  async effectful({ step: id, artifacts, effect }) {
    const receipt = await effect('charge', () => `receipt of ${id}`)
    await artifacts.write(outOf(id), `${receipt}\n`)
    return { receipt }
  },
  taker: () => null,
  async unsteady({ step: id, attempt, artifacts }) {
    if (attempt % 2 === 1) throw new Error('not this time')
    await artifacts.write(outOf(id), `${id}\n`)
    return { id }
  },
  async slow({ step: id, artifacts, clock }) {
    await clock.sleep(900)
    await artifacts.write(outOf(id), `${id}\n`)
    return { id }
  },
  async nester({ step: id, artifacts }) {
    for (const path of ['index.txt', 'deep/er/page.txt', 'deep/other.txt']) {
      await artifacts.write(`site/${id}/${path}`, `${id} ${path}\n`)
    }
    return { id }
  },
  greeter: ({ parameters }) => parameters,
}

const shape = (
  name: string,
  steps: readonly AgentStep[],
  more: Partial<AgentWorkflow> = {},
): WorkflowShape => ({
  name,
  workflow: defineWorkflow({ id: name.replaceAll(' ', '-'), steps, ...more }),
})

const graph: GraphWorkflow = { ...decisions, id: 'join-after-branch' }

/** A chain whose every fifth step fans out into four, which the next one joins. */
function twentyFive(): readonly AgentStep[] {
  const steps: AgentStep[] = []
  for (let block = 0; block < 5; block++) {
    const [before, middle] = [
      `b${block - 1}-join`,
      ['left', 'centre', 'right'].map((part) => `b${block}-${part}`),
    ]
    steps.push(step(`b${block}-begin`, block === 0 ? [] : [before]))
    for (const id of middle) steps.push(step(id, [`b${block}-begin`]))
    steps.push(step(`b${block}-join`, middle))
  }
  return steps
}

/** Every shape of a workflow that the engine knows how to run. */
export const workflowShapes: readonly WorkflowShape[] = [
  shape('chain', [step('one'), step('two', ['one']), step('three', ['two'])]),
  shape('fan-out', [step('root'), ...['a', 'b', 'c', 'd'].map((id) => step(id, ['root']))]),
  shape('diamond', [
    step('top'),
    step('left', ['top']),
    step('right', ['top']),
    step('foot', ['left', 'right']),
  ]),
  { name: 'join after branch', workflow: defineWorkflow(graph) },
  shape('loop', [
    step('draft'),
    step('review', ['draft'], { agent: 'writer', gate: { condition: 'output.visit >= 2', onFail: 'draft' } }),
    step('publish', ['draft'], { dependsOn: 'review' }),
  ]),
  {
    ...shape('human gate', [
      step('draft'),
      step('review', ['draft'], { gate: { human: true } }),
      step('publish', ['draft'], { dependsOn: 'review' }),
    ]),
    options: { operator: { answers: { review: true } } },
  },
  {
    ...shape(
      'compensation',
      [
        step('reserve', [], { agent: 'effectful', undo: { agent: 'taker' } }),
        step('charge', ['reserve'], { agent: 'effectful', undo: { agent: 'taker' } }),
        step('ship', ['charge']),
      ],
      { settings: { rollback: true } },
    ),
  },
  {
    ...shape('pause', [
      step('prepare'),
      { id: 'greet', agent: 'greeter', dependsOn: 'prepare', parameters: { to: '${input.name}' } },
      step('close', ['prepare'], { dependsOn: 'greet' }),
    ]),
    options: { operator: { input: { name: 'Ada' } } },
  },
  shape('retries', [
    step('one', [], { agent: 'unsteady', retries: 3, retryDelay: '2s' }),
    step('two', ['one'], { retries: 1, retryJitter: 0.2 }),
  ]),
  shape(
    'limits',
    [
      step('one', [], { agent: 'slow', timeout: '1s', warnAfter: '800ms', retries: 1, maxDuration: '10s' }),
      step('two', ['one'], { agent: 'slow', stage: 'late' }),
    ],
    { settings: { timeout: '1h', stages: { late: { timeout: '2s' } } } },
  ),
  shape('nested artifacts', [
    { id: 'pages', agent: 'nester', requires: [], creates: 'site/pages/' },
    {
      id: 'more',
      agent: 'nester',
      requires: ['site/pages/deep/er/page.txt'],
      creates: ['site/more/deep/', 'site/more/index.txt'],
    },
    step('last', [], { dependsOn: 'more' }),
  ]),
  shape('twenty-five steps', twentyFive()),
]
