import { whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { ProcessGroup } from '../../trace/index.ts'
import { readHolder } from '../store/lock.ts'
import type { StoredRun } from '../store/read-run.ts'
import type { LifeParts } from './live-run.ts'
import type { RunState } from './run-state.ts'

/**
 * Ends the processes that a dead holder's steps have left running, before anything of the run is looked at: they may still be
 * writing. A holder that lives is left alone with them; it will be refused to us anyway.
 */
export function endOrphans(
  stored: StoredRun,
  state: RunState,
  { ports, disk }: LifeParts,
): MaybePromise<void> {
  const groups = orphansOf(state)
  const { processes } = ports
  if (groups.length === 0 || processes === undefined) return
  return whenReady(disk.run(readHolder(stored.layout, ports.owner)), async (holder) => {
    if (holder.state === 'alive') return
    await Promise.all(groups.map((group) => processes.endGroup(group)))
  })
}

function orphansOf(state: RunState): readonly ProcessGroup[] {
  const groups: ProcessGroup[] = []
  for (const step of state.steps) groups.push(...step.processes)
  return groups
}
