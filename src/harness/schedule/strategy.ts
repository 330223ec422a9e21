import { seededRandom } from '../../core/index.ts'
import type { ScheduleDeviation } from '../../definition/index.ts'
import type { Task } from './task.ts'

/**
 * In which order tasks that could go on at the same time do so. Without deviation the one goes first that has waited longest.
 * - `picks`: at each of these decisions another one goes, by name: what a plan holds, and what every schedule comes to.
 * - `overtakings`: at these tasks another one goes first, by name and not by number.
 * - `pct`: every thread has a chance priority, lowered at `depth - 1` chance moments among the first `decisions`
 *   (probabilistic concurrency testing): an ordering bug that takes `depth` constraints is found with a known probability.
 */
export type Schedule =
  | { readonly kind: 'picks'; readonly picks: readonly ScheduleDeviation[] }
  | { readonly kind: 'overtakings'; readonly overtakings: readonly Overtaking[] }
  | {
      readonly kind: 'pct'
      readonly seed: number | string
      readonly depth: number
      readonly decisions: number
    }

/** Somebody else goes first at a task, although it has waited longest. */
export interface Overtaking {
  /** Key of the task. Its thread stands still from there until nobody else can go on. */
  readonly at: string
  /** Key of the task that goes first instead. */
  readonly pick: string
  /** Only this one task goes first; what comes then is decided anew. */
  readonly once?: true
}

/** Whom a schedule picks; asked once for every decision, in order. */
export type Strategy = (decision: number, candidates: readonly Task[]) => Task

export function strategyOf(schedule: Schedule): Strategy {
  switch (schedule.kind) {
    case 'picks':
      return picking(schedule.picks)
    case 'overtakings':
      return overtaking(schedule.overtakings)
    case 'pct':
      return byPriority(schedule.seed, schedule.depth, schedule.decisions)
  }
}

function picking(picks: readonly ScheduleDeviation[]): Strategy {
  const names = new Map(picks.map(({ decision, pick }) => [decision, pick]))
  return (decision, candidates) => {
    const name = names.get(decision)
    return candidates.find(({ key }) => key === name) ?? first(candidates)
  }
}

function overtaking(overtakings: readonly Overtaking[]): Strategy {
  const tasks = new Set(overtakings.flatMap(({ at, once }) => (once === true ? [] : [at])))
  const single = overtakings.filter(({ once }) => once === true)
  const delayed = new Set<string>()
  return (_decision, candidates) => {
    const [next] = single
    if (next !== undefined && next.at === candidates[0]?.key) {
      const picked = candidates.find(({ key }) => key === next.pick)
      if (picked !== undefined) {
        single.shift()
        return picked
      }
    }
    for (const candidate of candidates) {
      if (delayed.has(candidate.thread)) continue
      if (!tasks.has(candidate.key)) return candidate
      delayed.add(candidate.thread)
    }
    // Whoever was delayed first goes on until it can no more.
    const [thread] = [...delayed].filter((name) => candidates.some((candidate) => candidate.thread === name))
    return candidates.find((candidate) => candidate.thread === thread) ?? first(candidates)
  }
}

function byPriority(seed: number | string, depth: number, decisions: number): Strategy {
  const random = seededRandom(seed).fork('schedule')
  const priorities = new Map<string, number>()
  const priorityOf = ({ thread }: Task): number => {
    const known = priorities.get(thread)
    if (known !== undefined) return known
    const drawn = random.fork(thread).next()
    priorities.set(thread, drawn)
    return drawn
  }
  const highest = (candidates: readonly Task[]): Task =>
    candidates.reduce((best, candidate) => (priorityOf(candidate) > priorityOf(best) ? candidate : best))
  const changes = new Map<number, number>()
  for (let change = 1; change < depth; change++) changes.set(1 + random.integer(decisions), -change)
  return (decision, candidates) => {
    const lowered = changes.get(decision)
    if (lowered !== undefined) priorities.set(highest(candidates).thread, lowered)
    return highest(candidates)
  }
}

function first(candidates: readonly Task[]): Task {
  return candidates[0] as Task
}
