import { fileErrorCodes } from '../../definition/index.ts'
import { fileFaultOperations } from '../../fault-injection/index.ts'
import { crashRecovery } from './crash-family.ts'
import type { DiskFault, SweepTier } from './report.ts'
import type { Sweep } from './sweep.ts'
import { afterEnding, isOver, toCompletion } from './later-lives.ts'
import type { FaultPoint } from './life-options.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** A write fails, once or from then on. */
export async function sweepDiskErrors(sweep: Sweep): Promise<void> {
  const { writes, countedWrites } = sweep.discovery
  sweep.begin(writes.length, countedWrites)
  for (const point of sweep.chosen(writes)) {
    for (const fault of diskFaultsAt(point, sweep.tier)) {
      if (sweep.hasFoundEnough) return
      await tryError(sweep, fault, writes.indexOf(point))
    }
    sweep.pointDone()
  }
}

async function tryError(sweep: Sweep, fault: DiskFault, index: number): Promise<void> {
  const options = { diskFault: fault }
  const alone = await sweep.liveFrom(index, options)
  const left = isOver(alone) ? undefined : afterEnding(alone)
  if (left === undefined)
    await sweep.try([fault], (shortcuts) => sweep.liveFrom(index, { ...shortcuts, ...options }))
  else await sweep.tryFrom([fault], left)
  if (left !== undefined && sweep.tier === 'deep') await crashRecovery(sweep, [fault], left)
  if (fault.fault.mode !== 'dropped' || sweep.hasFoundEnough) return
  await tryPowerLoss(sweep, { ...fault, powerLoss: true }, left ?? alone.world)
}

/** What an fsync dropped is read like any other byte until the power fails. */
async function tryPowerLoss(sweep: Sweep, fault: DiskFault, left: SweptWorld): Promise<void> {
  const { workflow } = sweep
  // Other disks that read like this one would go the same way up to the power loss alone.
  if (!sweep.isNew(left, left.disk.digest())) return sweep.deduped([fault])
  await sweep.try([fault], async (shortcuts) => {
    const { world } = await toCompletion(workflow, copyOf(left), { endsAt: sweep.cameBy })
    return toCompletion(workflow, afterLife(world, 'run', world.disk.afterCrash('power-min')), shortcuts)
  })
}

/** What can go wrong with a write, as much of it as a tier tries. */
export function* diskFaultsAt(
  { name, operation }: Pick<FaultPoint, 'name' | 'operation'>,
  tier: SweepTier,
): Generator<DiskFault> {
  for (const { fault, sticky } of tier === 'deep' ? everyFault : representatives) {
    if (fileFaultOperations[fault.mode].includes(operation)) yield { family: 'disk', at: name, fault, sticky }
  }
}

type DiskFaultForm = Pick<DiskFault, 'fault' | 'sticky'>

/** One of each mode: the process finds out before the write, in its middle, after it; the disk stays full, or recovers. */
const representatives: readonly DiskFaultForm[] = [
  { fault: { mode: 'before', error: 'EIO' }, sticky: false },
  { fault: { mode: 'before', error: 'ENOSPC' }, sticky: true },
  { fault: { mode: 'short', error: 'ENOSPC' }, sticky: false },
  { fault: { mode: 'after', error: 'EIO' }, sticky: false },
  { fault: { mode: 'dropped', error: 'EIO' }, sticky: false },
]

const everyFault: readonly DiskFaultForm[] = [
  ...fileErrorCodes.map((error) => ({ mode: 'before', error }) as const),
  { mode: 'short', error: 'ENOSPC' } as const,
  { mode: 'after', error: 'EIO' } as const,
  { mode: 'dropped', error: 'EIO' } as const,
].flatMap((fault) => [
  { fault, sticky: false },
  { fault, sticky: true },
])
