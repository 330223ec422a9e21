import { conflicts, orderOf } from './conflicts.ts'
import { overtakingsOf } from './scheduler.ts'
import type { Decision } from './scheduler.ts'
import type { Overtaking, Schedule } from './strategy.ts'
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
  /** What makes it happen again. */
  readonly overtakings: readonly Overtaking[]
  readonly trace: ScheduleTrace
  readonly result: T
  /** Whether no run before had the same order of all that can matter. */
  readonly isNew: boolean
}

/** Makes a run under a schedule, from its beginning. */
export type ScheduledRun<T> = (
  schedule: Schedule,
) => Promise<{ readonly trace: ScheduleTrace; readonly result: T }>

/** Tries every schedule with up to `bound` delays, the one without first, then those of chance. */
export async function* searchSchedules<T>(
  run: ScheduledRun<T>,
  { bound = 1, among = 'conflicting', pct }: ScheduleSearch = {},
): AsyncGenerator<TriedSchedule<T>> {
  const seen = new Set<string>()
  const attempt = async (schedule: Schedule): Promise<TriedSchedule<T>> => {
    const { trace, result } = await run(schedule)
    const order = orderOf(trace.order)
    const isNew = !seen.has(order)
    seen.add(order)
    const overtakings =
      schedule.kind === 'overtakings' ? schedule.overtakings : overtakingsOf(trace.decisions)
    return { overtakings, trace, result, isNew }
  }
  const undisturbed = await attempt({ kind: 'overtakings', overtakings: [] })
  yield undisturbed
  let bases: readonly TriedSchedule<T>[] = [undisturbed]
  for (let delays = 1; delays <= bound; delays++) {
    const next: TriedSchedule<T>[] = []
    for (const { overtakings, trace } of bases) {
      for (const delay of delaysIn(trace, among, overtakings.at(-1)?.at)) {
        const tried = await attempt({ kind: 'overtakings', overtakings: [...overtakings, delay] })
        yield tried
        // What follows an order that was seen has been tried from there.
        if (tried.isNew) next.push(tried)
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
 * The delays that can change something: another thread could have gone on, and a later task of another one conflicts with the
 * one that is delayed. At a task in between, a delay would come to the same.
 *
 * @param after Only those after this task.
 */
export function delaysIn(
  { decisions, order }: ScheduleTrace,
  among: 'conflicting' | 'all' = 'conflicting',
  after?: string,
): readonly Overtaking[] {
  const places = new Map(order.map((task, place) => [task.key, place]))
  // A task that was delayed comes late itself: what follows the decision at which it was is meant.
  const from = after === undefined ? 0 : decisions.findIndex(({ candidates }) => has(candidates, after))
  return decisions.slice(from).flatMap(({ candidates, picked }) => {
    if (picked.key === after || picked.operation === 'clock.advance') return []
    const first = candidates.find(({ thread }) => thread !== picked.thread)
    if (first === undefined) return []
    const later = order.slice((places.get(picked.key) ?? 0) + 1)
    const matters = among === 'all' || later.some((task) => conflicts(picked, task))
    return matters ? [{ at: picked.key, pick: first.key }] : []
  })
}

function has(candidates: readonly Task[], key: string): boolean {
  return candidates.some((candidate) => candidate.key === key)
}
