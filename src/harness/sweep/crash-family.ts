import { crashOutcomes } from '../../definition/index.ts'
import type { CrashFault } from './report.ts'
import type { Sweep } from './sweep.ts'
import { toCompletion } from './swept-life.ts'
import type { FaultPoint, LifeOptions } from './swept-life.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** The process dies just before a write; with `recoveryCrashes` the next one dies, too, while it takes the run over. */
export async function sweepCrashes(sweep: Sweep): Promise<void> {
  const { writes, countedWrites } = sweep.discovery
  const { recoveryCrashes = sweep.tier === 'deep' } = sweep.options
  sweep.begin(writes.length, countedWrites)
  for (const point of sweep.chosen(writes)) {
    for (const { fault, world } of newCrashesAt(sweep, point, recoveryCrashes)) {
      if (sweep.hasFoundEnough) return
      const path = new Set<string>()
      const recovery = new Map<string, FaultPoint>()
      const onWrite: LifeOptions['onWrite'] = (met, worldThere) => {
        if (met.during !== 'recovery') return
        path.add(met.name)
        if (recoveryCrashes) recovery.set(met.name, { ...met, world: worldThere() })
      }
      await sweep.try([fault], (options) =>
        toCompletion(sweep.workflow, copyOf(world), { ...options, onWrite }),
      )
      sweep.recovered([...path].join('\n'))
      for (const second of recovery.values()) {
        for (const again of newCrashesAt(sweep, second, false, [fault])) {
          if (sweep.hasFoundEnough) return
          await sweep.try([fault, again.fault], (options) =>
            toCompletion(sweep.workflow, copyOf(again.world), options),
          )
        }
      }
    }
    sweep.pointDone()
  }
}

/** The worlds that a crash just before a point can leave, and that no other fault has led to. */
function* newCrashesAt(
  sweep: Sweep,
  { name, world, during }: FaultPoint,
  mayCrashAgain: boolean,
  before: readonly CrashFault[] = [],
): Generator<{ readonly fault: CrashFault; readonly world: SweptWorld }> {
  const { outcomes = sweep.tier === 'deep' ? 'subsets' : 'corners' } = sweep.options
  const among = outcomes === 'subsets' ? undefined : crashOutcomes
  // What of a disk is durable matters to those alone who crash on it once more.
  const by = mayCrashAgain ? 'digest' : 'visibleDigest'
  for (const { outcome, files, digest } of world.disk.distinctCrashes(by, among)) {
    const fault = { family: 'crash', at: name, outcome } as const
    const left = afterLife(world, during, files)
    if (sweep.isNew(left, digest)) yield { fault, world: left }
    else sweep.deduped([...before, fault])
  }
}
