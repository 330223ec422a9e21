import { afterEach, describe, expect, test } from 'vitest'
import { deferred } from '../../../../src/core/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { FaultPlan } from '../../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../../src/harness/index.ts'
import type { Agents, WorkflowSession, WorkflowSessionOptions } from '../../../../src/harness/index.ts'
import type { WorkflowDriver } from '../../../../src/ports/index.ts'
import { eventWords } from '../../../support/engine-run.ts'
import { listDriver } from '../../../support/list-driver.ts'

const open: WorkflowSession[] = []

afterEach(async () => {
  for (const session of open.splice(0)) await session.close().catch(() => {})
})

const pair = defineWorkflow({
  id: 'pair',
  steps: [
    { id: 'left', agent: 'left', requires: [] },
    { id: 'right', agent: 'right', requires: [] },
  ],
})

const writers: Agents = {
  left: ({ artifacts }) => artifacts.write('left.txt', 'left'),
  right: ({ artifacts }) => artifacts.write('right.txt', 'right'),
}

async function scheduled(
  schedule: FaultPlan['schedule'],
  options: WorkflowSessionOptions = {},
): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(pair, {
    project: await createProject({ storage: 'memory' }),
    agents: writers,
    faults: { version: 1, faults: [], ...(schedule === undefined ? {} : { schedule }) },
    ...options,
  })
  open.push(session)
  return session
}

const finished = (session: WorkflowSession): readonly string[] =>
  eventWords(session.events()).filter((words) => words.startsWith('step_finish'))

describe('a plan with a schedule', () => {
  const left = ['step_finish left#1@1', 'step_finish right#1@1']

  test('without deviations lets those go first who have waited longest', async () => {
    const session = await scheduled([])
    await session.runToEnd()
    expect(finished(session)).toEqual(left)
  })

  test('lets another go first where it says so', async () => {
    const session = await scheduled([
      { decision: 1, pick: '1/right#1@1:agent.invoke:right#1' },
      { decision: 2, pick: '1/right#1@1:files.write:right.txt#1' },
      { decision: 3, pick: '1/right#1@1:agent.answer:right#1' },
    ])
    await session.runToEnd()
    expect(finished(session)).toEqual([...left].reverse())
  })

  test('goes on step by step, and through a crash, where nothing of the dead life is left over', async () => {
    const session = await scheduled([{ decision: 1, pick: '1/right#1@1:agent.invoke:right#1' }])
    expect(await session.next()).toEqual({ status: 'stopped', step: 'right' })
    await session.crash()
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect((await session.executions()).map(({ step, incarnation }) => [step, incarnation])).toEqual([
      ['left', 1],
      ['right', 1],
      ['left', 2],
    ])
    expect(session.afterDeath).toEqual([])
  })

  test('puts requests to services in order, too', async () => {
    const asked: string[] = []
    const asking: Agents[string] = async ({ step, http }) => {
      await http.request({ method: 'GET', url: `http://shop/${step}` })
    }
    const session = await scheduled([{ decision: 3, pick: '1/right#1@1:http.request:http://shop/right#1' }], {
      agents: { left: asking, right: asking },
      http: ({ url }) => {
        asked.push(url)
        return { status: 200 }
      },
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(asked).toEqual(['http://shop/right', 'http://shop/left'])
  })

  test('fails the session when a task could not be picked, and says who could', async () => {
    const session = await scheduled([{ decision: 1, pick: '1/middle#1@1:agent.invoke:x#1' }])
    await expect(session.runToEnd()).rejects.toThrow(
      `The schedule was not carried out: '1/middle#1@1:agent.invoke:x#1' was to go first at decision 1, and those who could go on ` +
        `were '1/left#1@1:agent.invoke:left#1', '1/right#1@1:agent.invoke:right#1'.`,
    )
    const late = await scheduled([{ decision: 99, pick: 'clock.advance' }])
    await expect(late.runToEnd()).rejects.toThrow(
      /'clock.advance' was to go first at decision 99, and there were \d decisions/,
    )
  })

  test.each<[unknown, string]>([
    [{}, 'schedule must be a list'],
    [[{ pick: 'a' }], 'schedule[0].decision is missing'],
    [[{ decision: 0, pick: 'a' }], 'schedule[0].decision must be a whole number from 1, and it is 0'],
    [[{ decision: 1 }], 'schedule[0].pick must be the key of a task'],
    [[{ decision: 1, pick: 'a', delay: 1 }], 'schedule[0].delay is not known here.'],
    [[7], 'schedule[0] must be an object'],
    [
      [
        { decision: 2, pick: 'a' },
        { decision: 2, pick: 'b' },
      ],
      'schedule[1].decision is there twice: 2',
    ],
  ])('is refused when it is malformed: %j', async (schedule, sentence) => {
    await expect(scheduled(schedule as FaultPlan['schedule'])).rejects.toThrow(sentence)
  })

  test('needs the virtual clock', async () => {
    await expect(scheduled([], { clock: 'real' })).rejects.toThrow(
      'The fault plan has a schedule, which needs the virtual clock',
    )
  })
})

describe('those who wait for each other are named', () => {
  test('with the call after which they did', async () => {
    const [leftLock, rightLock] = [deferred<void>(), deferred<void>()]
    const waitingFor =
      (mine: string, other: Promise<void>): Agents[string] =>
      async ({ effect }) => {
        await effect(`take ${mine}`, () => {})
        await other
      }
    const session = await scheduled(undefined, {
      agents: { left: waitingFor('left', rightLock.promise), right: waitingFor('right', leftLock.promise) },
      limits: { realWaitMs: 20 },
    })
    await expect(session.runToEnd()).rejects.toThrow(
      `agent 'left' of step 'left' (after its call effect.run:take left) and agent 'right' of step 'right' (after its call ` +
        `effect.run:take right) waited for something that the virtual clock cannot see, perhaps for each other.`,
    )
  })

  test('with the call that never ends, under an engine without limits', async () => {
    const driver: WorkflowDriver = {
      ...listDriver,
      incarnate: (ports) =>
        listDriver.incarnate({
          ...ports,
          agents: {
            ...ports.agents,
            invoke: ({ context, ...call }) =>
              ports.agents.invoke({
                ...call,
                context: {
                  ...context,
                  signal: new AbortController().signal,
                  clock: { now: context.clock.now, sleep: () => new Promise(() => {}) },
                },
              }),
          },
        }),
    }
    const session = await scheduled(undefined, {
      driver,
      agents: { ...writers, left: ({ clock }) => clock.sleep(1) },
    })
    await expect(session.runToEnd()).rejects.toThrow(
      `Nothing can move: agent 'left' of step 'left' waits for clock.sleep, which never ends.`,
    )
  })
})
