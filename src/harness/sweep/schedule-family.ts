import { createScheduler } from '../schedule/scheduler.ts'
import { delaysIn, searchSchedules } from '../schedule/search.ts'
import type { ScheduledRun, ScheduleTrace } from '../schedule/search.ts'
import type { Overtaking, Schedule } from '../schedule/strategy.ts'
import type { FaultSequence } from './report.ts'
import type { Sweep } from './sweep.ts'
import { liveAttended, onward } from './later-lives.ts'
import type { EndedLifeOf } from './life-options.ts'

const chanceRuns = 50
const chanceDepth = 3

/**
 * Agents that run side by side go on in another order. Tried are a delay at every point at which somebody else could go on and
 * at which the order can matter; in the tier `deep` two delays in one run, and chance priorities.
 */
export async function sweepSchedules(sweep: Sweep): Promise<void> {
  const undisturbed = await runUnder(sweep, { kind: 'overtakings', overtakings: [] })
  const { trace } = undisturbed
  const all = delaysIn(trace, 'all')
  sweep.begin(all.length, undisturbed.crossings)
  const [first] = all
  if (first === undefined) return
  const conflicting = new Set(delaysIn(trace).map(({ at }) => at))
  for (const { name: at, pick } of sweep.chosen(all.map((delay) => ({ ...delay, name: delay.at })))) {
    if (sweep.hasFoundEnough) return
    // Nobody is overtaken; agents go on one at a time all the same, and not as they come.
    if (at === first.at)
      await sweep.try(faultsOf([{ at, pick: at, once: true }]), async () => undisturbed.result)
    if (conflicting.has(at)) await tryOrder(sweep, [{ at, pick }])
    else sweep.deduped(faultsOf([{ at, pick }]))
    sweep.pointDone()
  }
  // A search cannot be shared out: what it tries follows from what it has seen.
  if (sweep.tier === 'deep' && (sweep.options.shard?.index ?? 1) === 1) await searchDeeper(sweep)
}

async function searchDeeper(sweep: Sweep): Promise<void> {
  const run: ScheduledRun<EndedLifeOf> = (schedule) => runUnder(sweep, schedule)
  const pct = { runs: chanceRuns, depth: chanceDepth, seed: sweep.workflow.seed }
  for await (const { overtakings, isNew, result } of searchSchedules(run, { bound: 2, pct })) {
    if (sweep.hasFoundEnough) return
    // One delay has been tried before; no overtaking is what nobody did.
    if (overtakings.every(({ once }) => once !== true) && overtakings.length < 2) continue
    if (isNew) await sweep.try(faultsOf(overtakings), async () => result)
    else sweep.deduped(faultsOf(overtakings))
  }
}

async function tryOrder(sweep: Sweep, overtakings: readonly Overtaking[]): Promise<void> {
  await sweep.try(faultsOf(overtakings), async () => {
    const { result } = await runUnder(sweep, { kind: 'overtakings', overtakings })
    return result
  })
}

async function runUnder(
  sweep: Sweep,
  schedule: Schedule,
): Promise<{ readonly trace: ScheduleTrace; readonly result: EndedLifeOf; readonly crossings: number }> {
  const scheduler = createScheduler(schedule)
  const ended = await liveAttended(sweep.workflow, sweep.freshWorld(), { scheduler })
  const { decisions, order, crossings } = scheduler
  const trace = { decisions: [...decisions], order: [...order] }
  return {
    trace,
    crossings,
    result: await onward(sweep.workflow, ended),
  }
}

function faultsOf(overtakings: readonly Overtaking[]): FaultSequence {
  return overtakings.map((overtaking) => ({ family: 'schedule', ...overtaking }))
}
