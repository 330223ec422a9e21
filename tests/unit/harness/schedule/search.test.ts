import { describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../../src/harness/index.ts'
import { delaysIn, searchSchedules } from '../../../../src/harness/schedule/search.ts'
import { deviationsOf } from '../../../../src/harness/schedule/scheduler.ts'
import type { ScheduleSearch, TriedSchedule } from '../../../../src/harness/schedule/search.ts'
import type { ScheduleDeviation } from '../../../../src/definition/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { fanOutOfFive, sweptAgents } from '../../../support/swept-workflows.ts'
import { scheduledRuns } from '../../../support/scheduled-runs.ts'
import type { ScheduledEnd } from '../../../support/scheduled-runs.ts'

type Tried = TriedSchedule<ScheduledEnd>

const side = (id: string): NonNullable<AgentWorkflow['steps']>[number] => ({ id, agent: id, requires: [] })
const both = (...ids: readonly string[]): AgentWorkflow => ({ id: 'side-by-side', steps: ids.map(side) })

async function tryAll(
  workflow: AgentWorkflow,
  renew: () => Agents,
  search?: ScheduleSearch,
): Promise<readonly Tried[]> {
  const all: Tried[] = []
  for await (const tried of searchSchedules(scheduledRuns(workflow, renew), search)) all.push(tried)
  return all
}

const ends = (all: readonly Tried[]): ReadonlySet<string> =>
  new Set(all.map(({ result }) => JSON.stringify(result)))

describe('one delay finds', () => {
  test('a step that reads a file of which it does not say that it needs it', async () => {
    const all = await tryAll(both('data', 'report'), () => ({
      data: async ({ artifacts }) => {
        await artifacts.list()
        await artifacts.write('data.txt', '42')
      },
      report: async ({ artifacts }) => {
        const found = (await artifacts.list()).includes('data.txt')
        await artifacts.write('report.txt', found ? await artifacts.readText('data.txt') : 'no data')
      },
    }))
    expect(all[0]?.result.files['report.txt']).toBe('no data')
    expect(all.map(({ result }) => result.files['report.txt'])).toContain('42')
  })

  test('two effects of which the order was left to chance', async () => {
    const all = await tryAll(both('reserve', 'charge'), () => {
      let reserved = false
      return {
        reserve: ({ effect }) => effect('reserve', () => void (reserved = true)),
        charge: async ({ effect, artifacts }) => {
          await effect('charge', () => {})
          await artifacts.write('order.txt', reserved ? 'reserved before' : 'charged for nothing')
        },
      }
    })
    expect(all.map(({ result }) => result.files['order.txt'])).toEqual(
      expect.arrayContaining(['reserved before', 'charged for nothing']),
    )
  })

  test('an update that is lost when the other one comes between reading and writing', async () => {
    const add =
      (shared: { sum: number }): Agents[string] =>
      async ({ effect }) => {
        await effect('lock', () => {})
        const read = shared.sum
        await effect('add', () => void (shared.sum = read + 1))
      }
    const all = await tryAll(
      {
        ...both('one', 'two'),
        steps: [side('one'), side('two'), { ...side('sum'), dependsOn: ['one', 'two'] }],
      },
      () => {
        const shared = { sum: 0 }
        return {
          one: add(shared),
          two: add(shared),
          sum: ({ artifacts }) => artifacts.write('sum.txt', String(shared.sum)),
        }
      },
    )
    expect(new Set(all.map(({ result }) => result.files['sum.txt']))).toEqual(new Set(['1', '2']))
  })

  test('that a sleep is taken for an order', async () => {
    const all = await tryAll(both('late', 'slow'), () => ({
      late: async ({ clock, artifacts }) => {
        await clock.sleep(1_000)
        await artifacts.write('seen.txt', (await artifacts.list()).join())
      },
      slow: ({ artifacts }) => artifacts.write('slow.txt', ''),
    }))
    expect(all[0]?.result.files['seen.txt']).toBe('slow.txt')
    expect(all.map(({ result }) => result.files['seen.txt'])).toContain('')
  })
})

/** Goes wrong only when `one` stands still after its first effect, and `two`, that has overtaken it, after its second. */
const twoOrders = (): Agents => {
  const marks: string[] = []
  const mark =
    (name: string): (() => void) =>
    () =>
      void marks.push(name)
  return {
    one: async ({ effect }) => {
      for (const name of ['a1', 'a2', 'a3']) await effect(name, mark(name))
    },
    two: async ({ effect }) => {
      for (const name of ['b1', 'b2', 'b3']) await effect(name, mark(name))
    },
    check: ({ artifacts }) => artifacts.write('marks.txt', marks.join(' ')),
  }
}
const checked: AgentWorkflow = {
  id: 'two-orders',
  steps: [side('one'), side('two'), { ...side('check'), dependsOn: ['one', 'two'] }],
}
const wrong = 'a1 b1 b2 a2 a3 b3'
const goesWrong = ({ result }: Tried): boolean => result.files['marks.txt'] === wrong

describe('a bug of two orders', () => {
  test('is missed with one delay and found with two', async () => {
    expect((await tryAll(checked, twoOrders)).some(goesWrong)).toBe(false)
    expect((await tryAll(checked, twoOrders, { bound: 2 })).some(goesWrong)).toBe(true)
  })

  test('is found by chance priorities of depth 3', async () => {
    const all = await tryAll(checked, twoOrders, { bound: 0, pct: { runs: 400, depth: 3, seed: 'a' } })
    expect(all.some(goesWrong)).toBe(true)
  })

  test('chance priorities are the same for the same seed', async () => {
    const overtakings = async (seed: string): Promise<readonly Tried['overtakings'][]> =>
      (await tryAll(checked, twoOrders, { bound: 0, pct: { runs: 10, depth: 3, seed } })).map(
        (tried) => tried.overtakings,
      )
    const first = await overtakings('a')
    expect(await overtakings('a')).toEqual(first)
    expect(await overtakings('b')).not.toEqual(first)
  })

  test('is there again when those who were overtaken are, by name', async () => {
    const found = await tryAll(checked, twoOrders, { bound: 0, pct: { runs: 400, depth: 3, seed: 'a' } })
    const overtakings = found.find(goesWrong)?.overtakings ?? []
    expect(overtakings.length).toBeGreaterThan(2)
    const { result } = await scheduledRuns(checked, twoOrders)({ kind: 'overtakings', overtakings })
    expect(result.files['marks.txt']).toBe(wrong)
  })

  test('is there again when a session is given what the schedule came to, as JSON', async () => {
    const found = (await tryAll(checked, twoOrders, { bound: 2 })).find(goesWrong)
    const schedule = JSON.parse(
      JSON.stringify(deviationsOf(found?.trace.decisions ?? [])),
    ) as readonly ScheduleDeviation[]
    for (const disk of ['simulated', 'folder'] as const) {
      const session = await runWorkflowStepByStep(defineWorkflow(checked), {
        project: await createProject(),
        agents: twoOrders(),
        disk,
        faults: { version: 1, faults: [], schedule },
      })
      expect(await session.runToEnd()).toEqual({ status: 'completed' })
      expect(new TextDecoder().decode((await session.recording()).artifacts[0]?.bytes)).toBe(wrong)
      expect(session.faults.resolved.schedule).toEqual(schedule)
      await session.close()
      await session.project.remove()
    }
  })
})

test('a correct fan-out comes to the same end under every schedule of one delay and of chance', async () => {
  const all = await tryAll(fanOutOfFive, () => sweptAgents, {
    among: 'all',
    pct: { runs: 20, depth: 3, seed: 1 },
  })
  expect(all.length).toBeGreaterThan(30)
  expect(all.filter(({ isNew }) => isNew).length).toBeGreaterThan(10)
  expect([...ends(all)]).toEqual([JSON.stringify({ ...all[0]?.result, status: 'completed', errors: [] })])
})

test('delays are tried only where the order is known to matter', async () => {
  const [undisturbed] = await tryAll(fanOutOfFive, () => sweptAgents, { bound: 0 })
  const trace = undisturbed?.trace ?? { decisions: [], order: [] }
  expect(delaysIn(trace, 'all').length).toBeGreaterThan(delaysIn(trace).length)
  expect(delaysIn(trace).map(({ at }) => at)).toEqual([
    ...['a', 'b', 'c', 'd', 'e'].map((id) => `1/${id}#1@1:agent.invoke:writer#1`),
    ...['a', 'b', 'c', 'd'].map((id) => `1/${id}#1@1:agent.answer:writer#1`),
  ])
})

test('one step after the other leaves nothing to decide', async () => {
  const chain: AgentWorkflow = {
    id: 'chain',
    steps: [
      { id: 'one', agent: 'writer' },
      { id: 'two', agent: 'writer' },
    ],
  }
  const all = await tryAll(chain, () => sweptAgents, { bound: 2, among: 'all' })
  expect(all.map(({ trace }) => trace.decisions)).toEqual([[]])
})
