import { crashOutcomes } from '../../definition/index.ts'
import type { CrashFault, FaultSequence } from './report.ts'
import type { Sweep } from './sweep.ts'
import { pointClass } from './smoke-tier.ts'
import { toCompletion } from './later-lives.ts'
import { liveOn } from './swept-life.ts'
import type { FaultPoint, LifeOptions } from './life-options.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** The process dies just before a write; with `recoveryCrashes` the next one dies, too, while it takes the run over. */
export async function sweepCrashes(sweep: Sweep): Promise<void> {
  const { writes, countedWrites } = sweep.discovery
  const { recoveryCrashes = recoveryCrashesIn[sweep.tier] } = sweep.options
  const known = new Set<string>()
  sweep.begin(writes.length, countedWrites)
  for (const point of sweep.chosen(writes)) {
    for (const { fault, world } of newCrashesAt(sweep, point, recoveryCrashes === true)) {
      if (sweep.hasFoundEnough) return
      let path: string[] = []
      const onWrite: LifeOptions['onWrite'] = ({ during, name }) => {
        if (during === 'recovery') path.push(name)
      }
      await sweep.try([fault], (options) => {
        path = []
        return toCompletion(sweep.workflow, copyOf(world), { ...options, onWrite })
      })
      sweep.recovered(path.join('\n'))
      if (recoveryCrashes === false) continue
      if (recoveryCrashes === 'each-kind') {
        if (fault.outcome !== 'kill') continue
        const kind = [point.name, ...path].map(pointClass).join('\n')
        if (known.has(kind)) continue
        known.add(kind)
      }
      await crashRecovery(sweep, [fault], world)
    }
    sweep.pointDone()
  }
}

/** The life that takes the run over after a fault dies, too: before each write of its recovery. */
export async function crashRecovery(
  sweep: Sweep,
  before: FaultSequence,
  world: SweptWorld,
  isComparable = true,
): Promise<void> {
  await crashAt(sweep, await recoveryFrom(sweep, world), before, isComparable)
}

/** A life that has met a fault dies before each of these writes. */
export async function crashAt(
  sweep: Sweep,
  points: Iterable<FaultPoint>,
  before: FaultSequence,
  isComparable: boolean,
): Promise<void> {
  for (const point of points) {
    for (const { fault, world: left } of newCrashesAt(sweep, point, false, before)) {
      if (sweep.hasFoundEnough) return
      await sweep.try(
        [...before, fault],
        (options) => toCompletion(sweep.workflow, copyOf(left), options),
        isComparable,
      )
    }
  }
}

/**
 * The tier `full` crashes one recovery of each kind: from a kill before the same operation on the same kind of file, by the same
 * operations. Of the disk that a power loss leaves everything is durable.
 */
const recoveryCrashesIn = { smoke: false, full: 'each-kind', deep: true } as const

/** Every write of the recovery from a crash. */
async function recoveryFrom(sweep: Sweep, world: SweptWorld): Promise<Iterable<FaultPoint>> {
  const points = new Map<string, FaultPoint>()
  await liveOn(sweep.workflow, copyOf(world), {
    endsOnceRecovered: () => true,
    onWrite(point, there) {
      if (point.during === 'recovery') points.set(point.name, { ...point, world: there() })
    },
  })
  return points.values()
}

/** The worlds that a crash just before a point can leave, and that no other fault has led to. */
function* newCrashesAt(
  sweep: Sweep,
  { name, world, during }: FaultPoint,
  mayCrashAgain: boolean,
  before: FaultSequence = [],
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
