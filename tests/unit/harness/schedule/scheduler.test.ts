import { expect, test } from 'vitest'
import { createScheduler } from '../../../../src/harness/schedule/scheduler.ts'
import { clockTask, taskNames } from '../../../../src/harness/schedule/task.ts'

const nameOf = taskNames(1)
const [one, two] = ['one', 'two'].map((step) =>
  nameOf({ step, visit: 1, attempt: 1 }, 'agent.invoke', 'writer'),
) as [ReturnType<typeof nameOf>, ReturnType<typeof nameOf>]

test('tasks of one name are told apart by how often it came', () => {
  const again = nameOf({ step: 'one', visit: 1, attempt: 1 }, 'agent.invoke', 'writer')
  expect([one.key, again.key]).toEqual(['1/one#1@1:agent.invoke:writer#1', '1/one#1@1:agent.invoke:writer#2'])
})

test('a new life begins with nobody waiting', () => {
  const scheduler = createScheduler({ kind: 'picks', picks: [] })
  void scheduler.turnOf(one)
  scheduler.begin()
  expect(scheduler.release(false)).toBeUndefined()
})

test('only a moment at which there is a choice is a decision', () => {
  const scheduler = createScheduler({ kind: 'picks', picks: [{ decision: 1, pick: 'clock.advance' }] })
  void scheduler.turnOf(one)
  expect(scheduler.release(false)).toBe(one)
  void scheduler.turnOf(one)
  void scheduler.turnOf(two)
  expect([scheduler.release(true), scheduler.release(false), scheduler.release(false)]).toEqual([
    clockTask,
    one,
    two,
  ])
  expect(scheduler.decisions.map(({ number, picked }) => [number, picked])).toEqual([
    [1, clockTask],
    [2, one],
  ])
  expect(scheduler.crossings).toBe(1)
})
