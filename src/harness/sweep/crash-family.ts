import { crashOutcomes } from '../../definition/index.ts'
import type { CrashFault } from './report.ts'
import { chosenPoints } from './smoke-tier.ts'
import type { Sweep } from './sweep.ts'
import { toCompletion } from './swept-life.ts'
import type { FaultPoint } from './swept-life.ts'
import { afterLife } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** The process dies just before a write; with `recoveryCrashes` the next one dies, too, while it takes the run over. */
export async function sweepCrashes(sweep: Sweep): Promise<void> {
  const { writes, countedWrites } = sweep.discovery
  const { recoveryCrashes = sweep.tier === 'deep' } = sweep.options
  sweep.begin(writes.length, countedWrites)
  for (const point of chosenPoints(sweep.tier, writes)) {
    for (const { fault, world } of crashesAt(sweep, point)) {
      if (sweep.hasFoundEnough) return
      if (!sweep.isNew(world)) {
        sweep.deduped([fault])
        continue
      }
      const recovery: FaultPoint[] = []
      const onPoint = (met: FaultPoint): void => {
        if (met.during === 'recovery') recovery.push(met)
      }
      await sweep.try([fault], () => toCompletion(sweep.workflow, world, { onPoint }))
      sweep.recovered(recovery.map(({ name }) => name).join('\n'))
      if (recoveryCrashes) await crashRecovery(sweep, fault, recovery)
    }
    sweep.pointDone()
  }
}

async function crashRecovery(
  sweep: Sweep,
  first: CrashFault,
  recovery: readonly FaultPoint[],
): Promise<void> {
  for (const point of recovery) {
    for (const { fault, world } of crashesAt(sweep, point)) {
      if (sweep.hasFoundEnough) return
      if (sweep.isNew(world)) await sweep.try([first, fault], () => toCompletion(sweep.workflow, world))
      else sweep.deduped([first, fault])
    }
  }
}

/** The different worlds that a crash just before a point can leave. */
function* crashesAt(
  { options, tier }: Sweep,
  { name, world, during }: FaultPoint,
): Generator<{ readonly fault: CrashFault; readonly world: SweptWorld }> {
  const { outcomes = tier === 'deep' ? 'subsets' : 'corners' } = options
  for (const outcome of world.disk.distinctOutcomes(outcomes === 'subsets' ? undefined : crashOutcomes)) {
    const fault = { family: 'crash', at: name, outcome } as const
    yield { fault, world: afterLife(world, during, world.disk.afterCrash(outcome)) }
  }
}
