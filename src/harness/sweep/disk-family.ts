import { fileErrorCodes } from '../../definition/index.ts'
import type { FileErrorCode, FileFault } from '../../definition/index.ts'
import { fileFaultOperations } from '../../fault-injection/index.ts'
import type { FileOperation } from '../../ports/index.ts'
import type { DiskFault, SweepTier } from './report.ts'
import { chosenPoints } from './smoke-tier.ts'
import type { Sweep } from './sweep.ts'
import { afterEnding, isOver, toCompletion } from './swept-life.ts'
import type { EndedLifeOf, FaultPoint, LifeOptions } from './swept-life.ts'
import { afterLife } from './swept-world.ts'

/** A write fails, once or from then on. */
export async function sweepDiskErrors(sweep: Sweep): Promise<void> {
  const { writes, countedWrites } = sweep.discovery
  sweep.begin(writes.length, countedWrites)
  for (const point of chosenPoints(sweep.tier, writes)) {
    for (const fault of faultsAt(point, sweep.tier)) {
      if (sweep.hasFoundEnough) return
      await tryError(sweep, fault, writes.indexOf(point))
    }
    sweep.pointDone()
  }
}

async function tryError(sweep: Sweep, fault: DiskFault, index: number): Promise<void> {
  const { workflow } = sweep
  const struck = async (options: Pick<LifeOptions, 'endsAt'>): Promise<EndedLifeOf> => {
    const ended = await sweep.liveFrom(index, { ...options, diskFault: fault })
    return isOver(ended) ? ended : toCompletion(workflow, afterEnding(ended), options)
  }
  await sweep.try([fault], struck)
  if (fault.fault.mode !== 'dropped' || sweep.hasFoundEnough) return
  // What an fsync dropped is read like any other byte until the power fails.
  await sweep.try([{ ...fault, powerLoss: true }], async (options) => {
    const { world } = await struck({})
    return toCompletion(workflow, afterLife(world, 'run', world.disk.afterCrash('power-min')), options)
  })
}

/** A write that a process may not do, and one that it may and the device cannot. */
const representative: readonly FileErrorCode[] = ['EIO', 'ENOSPC']

function* faultsAt({ name, operation }: FaultPoint, tier: SweepTier): Generator<DiskFault> {
  const errors = tier === 'deep' ? fileErrorCodes : representative
  for (const fault of faultsOf(operation, errors)) {
    for (const sticky of [false, true]) yield { family: 'disk', at: name, fault, sticky }
  }
}

function faultsOf(operation: FileOperation['op'], errors: readonly FileErrorCode[]): readonly FileFault[] {
  const fits = (mode: FileFault['mode']): boolean => fileFaultOperations[mode].includes(operation)
  return [
    ...errors.map((error) => ({ mode: 'before', error }) as const),
    ...(fits('short') ? ([{ mode: 'short', error: 'ENOSPC' }] as const) : []),
    { mode: 'after', error: 'EIO' },
    ...(fits('dropped') ? ([{ mode: 'dropped', error: 'EIO' }] as const) : []),
  ]
}
