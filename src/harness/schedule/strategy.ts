import { seededRandom } from '../../core/index.ts'
import type { ScheduleDeviation } from '../../definition/index.ts'
import type { Task } from './task.ts'

/**
 * In which order tasks that could go on at the same time do so. Without deviation the one goes first that has waited longest.
 * - `picks`: at each of these decisions another one goes, by name: what a plan holds, and what every schedule comes to.
 * - `delays`: whoever comes to one of these tasks goes on only when nobody else can.
 * - `pct`: every thread has a chance priority, lowered at `depth - 1` chance moments among the first `decisions`
 *   (probabilistic concurrency testing): an ordering bug that takes `depth` constraints is found with a known probability.
 */
export type Schedule =
  | { readonly kind: 'picks'; readonly picks: readonly ScheduleDeviation[] }
  | { readonly kind: 'delays'; readonly tasks: readonly string[] }
  | {
      readonly kind: 'pct'
      readonly seed: number | string
      readonly depth: number
      readonly decisions: number
    }

/** Whom a schedule picks; asked once for every decision, in order. */
export type Strategy = (decision: number, candidates: readonly Task[]) => Task

export function strategyOf(schedule: Schedule): Strategy {
  switch (schedule.kind) {
    case 'picks':
      return picking(schedule.picks)
    case 'delays':
      return delaying(schedule.tasks)
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

function delaying(tasks: readonly string[]): Strategy {
  const delayed = new Set<string>()
  return (_decision, candidates) => {
    for (const candidate of candidates) {
      if (delayed.has(candidate.thread)) continue
      if (!tasks.includes(candidate.key)) return candidate
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
