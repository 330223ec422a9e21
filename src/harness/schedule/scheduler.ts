import { deferred, FaultlineError } from '../../core/index.ts'
import type { Deferred } from '../../core/index.ts'
import type { ScheduleDeviation } from '../../definition/index.ts'
import { strategyOf } from './strategy.ts'
import type { Overtaking, Schedule } from './strategy.ts'
import { clockTask } from './task.ts'
import type { Task } from './task.ts'

/** A moment at which more than one task could go on. */
export interface Decision {
  /** Counted from 1, over all lives of a session. */
  readonly number: number
  /** Those that could, who had waited longest first. */
  readonly candidates: readonly Task[]
  readonly picked: Task
}

/** Lets agents and gates go on one at a time, in the order of a schedule. */
export interface Scheduler {
  /** Settles when it is this task's turn; never when its life ends before. */
  turnOf(task: Task): Promise<void>
  /**
   * Lets one task go on.
   *
   * @param withClock Whether time may go on instead.
   * @returns the task (`clockTask`: time is to be moved), or undefined when none waits.
   */
  release(withClock: boolean): Task | undefined
  /** A new life begins: what the dead one was about to do, nobody does. */
  begin(): void
  readonly decisions: readonly Decision[]
  /** All that went on, in order. */
  readonly order: readonly Task[]
  /** How often the task of an agent or gate went on while one of another could have. */
  readonly crossings: number
}

export function createScheduler(schedule: Schedule): Scheduler {
  const pick = strategyOf(schedule)
  const waiting = new Map<Task, Deferred<void>>()
  const decisions: Decision[] = []
  const order: Task[] = []
  let crossings = 0
  const decide = (candidates: readonly Task[]): Task => {
    const number = decisions.length + 1
    const picked = pick(number, candidates)
    decisions.push({ number, candidates, picked })
    return picked
  }
  return {
    turnOf(task) {
      const turn = deferred<void>()
      waiting.set(task, turn)
      return turn.promise
    },
    release(withClock) {
      const candidates = [...waiting.keys()]
      const [only] = candidates
      if (only === undefined) return undefined
      if (withClock) candidates.push(clockTask)
      const picked = candidates.length === 1 ? only : decide(candidates)
      order.push(picked)
      if (picked !== clockTask && candidates.some(({ thread }) => thread !== picked.thread)) crossings++
      waiting.get(picked)?.resolve()
      waiting.delete(picked)
      return picked
    },
    begin() {
      waiting.clear()
    },
    decisions,
    order,
    get crossings() {
      return crossings
    },
  }
}

/** What a schedule came to, as a plan can hold it: where another than the one who had waited longest went. */
export function deviationsOf(decisions: readonly Decision[]): readonly ScheduleDeviation[] {
  return decisions
    .filter(({ candidates, picked }) => candidates[0] !== picked)
    .map(({ number, picked }) => ({ decision: number, pick: picked.key }))
}

/** The same by name: who was overtaken by whom. */
export function overtakingsOf(decisions: readonly Decision[]): readonly Overtaking[] {
  return decisions.flatMap(({ candidates: [head], picked }) =>
    head === undefined || head === picked ? [] : [{ at: head.key, pick: picked.key, once: true }],
  )
}

/** Whether a task was overtaken; what picks itself leaves the order as it is. */
export function cameToPass({ at, pick, once }: Overtaking, decisions: readonly Decision[]): boolean {
  return decisions.some(({ candidates, picked }) =>
    once === true
      ? candidates[0]?.key === at && picked.key === pick
      : picked.key !== at && candidates.some(({ key }) => key === at),
  )
}

/** @throws FaultlineError `FAULT_UNFIRED` when a planned task could not be picked, or there was no such decision. */
export function judgeSchedule(planned: readonly ScheduleDeviation[], decisions: readonly Decision[]): void {
  for (const { decision, pick } of planned) {
    const made = decisions[decision - 1]
    if (made?.picked.key === pick) continue
    const found =
      made === undefined
        ? `there were ${decisions.length} decisions`
        : `those who could go on were ${made.candidates.map(({ key }) => `'${key}'`).join(', ')}`
    throw new FaultlineError(
      'FAULT_UNFIRED',
      `The schedule was not carried out: '${pick}' was to go first at decision ${decision}, and ${found}.`,
      { details: { decision, pick } },
    )
  }
}
