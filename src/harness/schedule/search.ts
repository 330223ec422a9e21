import type { ScheduleDeviation } from '../../definition/index.ts'
import { conflicts, orderOf } from './conflicts.ts'
import { deviationsOf } from './scheduler.ts'
import type { Decision } from './scheduler.ts'
import type { Schedule } from './strategy.ts'
import type { Task } from './task.ts'

/** What a run under a schedule did. */
export interface ScheduleTrace {
  readonly decisions: readonly Decision[]
  readonly order: readonly Task[]
}

export interface ScheduleSearch {
  /** Delays in one run: 1 (default) or 2 find most ordering bugs. */
  readonly bound?: number
  /** Where delays are tried: at tasks of which the order is known to matter (default), or at all. */
  readonly among?: 'conflicting' | 'all'
  /** Runs with chance priorities after these, see `Schedule`. */
  readonly pct?: { readonly runs: number; readonly depth: number; readonly seed: number | string }
}

/** One schedule that was tried. */
export interface TriedSchedule<T> {
  readonly schedule: Schedule
  /** The same as a plan can hold it. */
  readonly deviations: readonly ScheduleDeviation[]
  readonly trace: ScheduleTrace
  readonly result: T
  /** Whether no run before had the same order of all that can matter. */
  readonly isNew: boolean
}

/**
 * Tries every schedule with up to `bound` delays, the one without first, then those of chance. `run` makes a run under a schedule
 * from its beginning.
 */
export async function* searchSchedules<T>(
  run: (schedule: Schedule) => Promise<{ readonly trace: ScheduleTrace; readonly result: T }>,
  { bound = 1, among = 'conflicting', pct }: ScheduleSearch = {},
): AsyncGenerator<TriedSchedule<T>> {
  const seen = new Set<string>()
  const attempt = async (schedule: Schedule): Promise<TriedSchedule<T>> => {
    const { trace, result } = await run(schedule)
    const order = orderOf(trace.order)
    const isNew = !seen.has(order)
    seen.add(order)
    return { schedule, deviations: deviationsOf(trace.decisions), trace, result, isNew }
  }
  const undisturbed = await attempt({ kind: 'delays', tasks: [] })
  yield undisturbed
  let bases: readonly { readonly tasks: readonly string[]; readonly trace: ScheduleTrace }[] = [
    { tasks: [], trace: undisturbed.trace },
  ]
  for (let delays = 1; delays <= bound; delays++) {
    const next: (typeof bases)[number][] = []
    for (const base of bases) {
      for (const { key } of delayPoints(base.trace, among, base.tasks.at(-1))) {
        const tasks = [...base.tasks, key]
        const tried = await attempt({ kind: 'delays', tasks })
        yield tried
        // What follows an order that was seen has been tried from there.
        if (tried.isNew) next.push({ tasks, trace: tried.trace })
      }
    }
    bases = next
  }
  const { runs = 0, depth = 3, seed = 1 } = pct ?? {}
  const decisions = Math.max(1, undisturbed.trace.decisions.length)
  for (let number = 1; number <= runs; number++) {
    yield await attempt({ kind: 'pct', seed: `${seed}/${number}`, depth, decisions })
  }
}

/**
 * Tasks at which a delay of their thread can change something: another one could have gone, and a later task of another thread
 * conflicts with it. Between two of them a delay would come to the same.
 *
 * @param after Only those after this task.
 */
export function delayPoints(
  { decisions, order }: ScheduleTrace,
  among: 'conflicting' | 'all' = 'conflicting',
  after?: string,
): readonly Task[] {
  const places = new Map(order.map((task, place) => [task.key, place]))
  // The task of a delay itself comes late, which is why those that follow its decision are meant.
  const from = after === undefined ? 0 : decisions.findIndex(({ candidates }) => has(candidates, after))
  return decisions.slice(from).flatMap(({ candidates, picked }) => {
    if (picked.key === after || picked.operation === 'clock.advance') return []
    if (candidates.every(({ thread }) => thread === picked.thread)) return []
    const later = order.slice((places.get(picked.key) ?? 0) + 1)
    return among === 'all' || later.some((task) => conflicts(picked, task)) ? [picked] : []
  })
}

function has(candidates: readonly Task[], key: string): boolean {
  return candidates.some((candidate) => candidate.key === key)
}
