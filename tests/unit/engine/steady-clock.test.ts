import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/adapters/virtual/index.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { steadyClock } from '../../../src/engine/run/steady-clock.ts'
import { clockJump } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'

const hour = 3_600_000

/** A clock that can be set, over one that cannot. */
function machine() {
  const clock = createVirtualClock(1_000_000)
  let setMs = 0
  return {
    clock,
    set: (byMs: number) => void (setMs += byMs),
    now: () => clock.now() + setMs,
    schedule: (at: number, wake: () => void) => clock.schedule(at - setMs, wake),
  }
}

test('goes on when the machine is set back, and along when it is set forward', () => {
  const below = machine()
  const clock = steadyClock(below)
  expect(clock.now()).toBe(1_000_000)
  below.set(-hour)
  expect(clock.now()).toBe(1_000_000)
  below.clock.advanceTo(1_000_500)
  expect(clock.now()).toBe(1_000_500)
  expect(clock.ofMachine(1_000_700)).toBe(1_000_700 - hour)
  below.set(2 * hour)
  expect(clock.now()).toBe(1_000_500 + 2 * hour)
})

test('wakes after the time that was asked for, whatever was set', () => {
  const below = machine()
  const clock = steadyClock(below)
  clock.now()
  below.set(-hour)
  const woken: number[] = []
  clock.schedule(clock.now() + 300, () => woken.push(clock.now()))
  below.clock.advanceTo(1_000_299)
  expect(woken).toEqual([])
  below.clock.advanceTo(1_000_300)
  expect(woken).toEqual([1_000_300])
})

test('starts from what an earlier life has seen', () => {
  const below = machine()
  const clock = steadyClock(below)
  clock.startFrom(1_000_000 + hour)
  expect(clock.now()).toBe(1_000_000 + hour)
  below.clock.advanceTo(1_000_010)
  expect(clock.now()).toBe(1_000_010 + hour)
})

test('starts no earlier than it has been, whatever it is told to start from', () => {
  const below = machine()
  const clock = steadyClock(below)
  clock.startFrom(1_000_000 + hour)
  clock.startFrom(1_000_000)
  expect(clock.now()).toBe(1_000_000 + hour)
})

test('shows what the machine does from look to look, but for what it was set back', () => {
  const ms = fc.integer({ min: 0, max: 2 * hour })
  const turn = fc.oneof(
    fc.record({ advanceBy: ms }),
    fc.record({ setBy: ms.map((by) => by - hour) }),
    fc.constant('look' as const),
  )
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 30 }), (turns) => {
      const below = machine()
      const clock = steadyClock(below)
      const shown: number[] = []
      const expected: number[] = []
      let [now, machineWas] = [clock.now(), below.now()]
      for (const each of turns) {
        if (each === 'look') {
          now += Math.max(0, below.now() - machineWas)
          machineWas = below.now()
          shown.push(clock.now(), clock.ofMachine(now))
          expected.push(now, machineWas)
        } else if ('advanceBy' in each) below.clock.advanceTo(below.clock.now() + each.advanceBy)
        else below.set(each.setBy)
      }
      expect(shown).toEqual(expected)
    }),
    { seed: 20_260_106, numRuns: 200 },
  )
})

test('a run whose clock is set back while a step works counts no time twice, and keeps its limits', async () => {
  const workflow = defineWorkflow({
    id: 'set-back',
    steps: [{ id: 'wait', agent: 'waiter', timeout: '10s' }],
  })
  const project = await createProject({ storage: 'memory' })
  const session = await runWorkflowStepByStep(workflow, {
    project,
    agents: { waiter: ({ clock }) => clock.sleep(60_000) },
    faults: [clockJump('wait', { by: 'back-year' })],
  })
  expect((await session.runToEnd()).error?.kind).toBe('timeout')
  const times = session.events().map(({ at }) => at)
  expect(times).toEqual(times.toSorted((one, other) => one - other))
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBe(10_000)
  await session.close()
})
