import { expect, test } from 'vitest'
import { canonicalJson } from '../../../src/core/index.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError, gateFailure } from '../../../src/fault-injection/index.ts'
import {
  createProject,
  normaliseEvents,
  normaliseState,
  runWorkflowStepByStep,
} from '../../../src/harness/index.ts'
import type { Agents } from '../../../src/harness/index.ts'
import { timelineOf } from '../../../src/trace/index.ts'
import type { StateDocument, WorkflowEvent } from '../../../src/trace/index.ts'

const workflow = defineWorkflow({
  id: 'braid',
  steps: [
    { id: 'left', agent: 'slow', creates: ['left.txt'], requires: [] },
    { id: 'right', agent: 'quick', creates: ['right.txt'], requires: [], retries: 1 },
    { id: 'join', agent: 'quick', creates: ['join.txt'], requires: ['left.txt', 'right.txt'] },
    {
      id: 'gate',
      agent: 'quick',
      creates: ['gate.txt'],
      dependsOn: 'join',
      gate: { condition: 'true', onFail: 'join' },
    },
  ],
})

const agents: Agents = {
  slow: async ({ artifacts, clock, random }) => {
    await Promise.all([clock.sleep(40), artifacts.write('left.txt', `${random.integer(1_000)}`)])
    return { waited: clock.now() > 0 }
  },
  quick: async ({ artifacts, step, random }) => {
    await Promise.resolve()
    await artifacts.write(`${step}.txt`, `${step} ${random.integer(1_000)}`)
    return { step }
  },
}

interface Ran {
  readonly events: readonly WorkflowEvent[]
  readonly state: StateDocument
}

async function run(disk: 'folder' | 'simulated', correlationId: string): Promise<Ran> {
  const project = await createProject()
  const session = await runWorkflowStepByStep(workflow, {
    project,
    agents,
    disk,
    correlationId,
    faults: [agentError('right'), gateFailure('gate'), agentError('gate', { visit: 2 })],
  })
  expect((await session.runToEnd()).status).toBe('failed')
  await session.resume()
  expect((await session.runToEnd()).status).toBe('completed')
  const ran = { events: session.events(), state: session.state() }
  await session.close()
  await project.remove()
  return ran
}

/** What two runs must agree in, byte by byte. */
function normal({ events, state }: Ran): readonly string[] {
  const rows = timelineOf(events).map(({ at: _at, ...row }) => row)
  return [canonicalJson(normaliseEvents(events)), canonicalJson(normaliseState(state)), canonicalJson(rows)]
}

test('the same session gives the same bytes again, on a simulated disk too, and beside other sessions', async () => {
  const first = await run('folder', 'first')
  const beside = await Promise.all([
    run('simulated', 'second'),
    run('folder', 'third'),
    run('simulated', 'fourth'),
  ])
  for (const other of beside) expect(normal(other)).toEqual(normal(first))
})

test('the comparison still sees swapped events, a changed output, and a changed attempt', async () => {
  const { events, state } = await run('simulated', 'first')
  const same = canonicalJson(normaliseEvents(events))
  const finish = events.findIndex(({ kind }) => kind === 'step_finish')
  const swapped = events.map(
    (event, index) => events[index === finish ? finish + 1 : index === finish + 1 ? finish : index] ?? event,
  )
  const changed = (change: object): readonly WorkflowEvent[] =>
    events.map((event, index) => (index === finish ? { ...event, ...change } : event))
  for (const other of [swapped, changed({ output: 'other' }), changed({ attempt: 9 })]) {
    expect(canonicalJson(normaliseEvents(other))).not.toBe(same)
  }
  const otherState = { ...state, completedSteps: state.completedSteps.toReversed() }
  expect(canonicalJson(normaliseState(otherState))).not.toBe(canonicalJson(normaliseState(state)))
})

test('an attempt draws from one stream of random numbers, and the next attempt of its visit draws the same again', async () => {
  const draws: number[][] = []
  const draw: Agents = {
    dice(context) {
      draws.push([context.random.integer(1e9), context.random.integer(1e9), context.random.integer(1e9)])
      if (context.attempt === 1) throw new Error('again')
      return null
    },
  }
  const dice = defineWorkflow({
    id: 'dice',
    steps: [
      { id: 'one', agent: 'dice', retries: 1 },
      { id: 'two', agent: 'dice', retries: 1 },
    ],
  })
  const project = await createProject()
  const session = await runWorkflowStepByStep(dice, { project, agents: draw, disk: 'simulated' })
  expect((await session.runToEnd()).status).toBe('completed')
  const [one, oneAgain, two] = draws
  expect(new Set([...(one ?? []), ...(two ?? [])]).size).toBe(6)
  expect(oneAgain).toEqual(one)
  await session.close()
  await project.remove()
})
