import { whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { FileProgram } from '../../ports/index.ts'
import type { ProcessGroup } from '../../trace/index.ts'
import { readHolder } from '../store/lock.ts'
import type { StoredRun } from '../store/read-run.ts'
import { warn } from './live-run.ts'
import type { LifeParts, LiveRun } from './live-run.ts'
import type { RunState } from './run-state.ts'

/**
 * Ends the processes that a dead holder's steps have left running, before anything of the run is looked at: they may still be
 * writing. A holder that lives is left alone with them; it will be refused to us anyway.
 *
 * @returns those on another machine, which cannot be reached
 */
export function endOrphans(
  stored: StoredRun,
  state: RunState,
  { ports, disk }: LifeParts,
): MaybePromise<readonly ProcessGroup[]> {
  const groups = orphansOf(state)
  const { processes } = ports
  if (groups.length === 0 || processes === undefined) return []
  return whenReady(disk.run(readHolder(stored.layout, ports.owner)), async (holder) => {
    if (holder.state === 'alive') return []
    const ends = await Promise.all(groups.map((group) => processes.endGroup(group)))
    return groups.filter((_, index) => ends[index] === 'elsewhere')
  })
}

/** Says what could not be ended. */
export function* warnOfOrphans(run: LiveRun, unreached: readonly ProcessGroup[]): FileProgram<LiveRun> {
  for (const { pid, host } of unreached) {
    yield* warn(
      run,
      `Process group ${pid} on host '${host}' may still be running and writing: it cannot be ended from here.`,
    )
  }
  return run
}

function orphansOf(state: RunState): readonly ProcessGroup[] {
  const groups: ProcessGroup[] = []
  for (let index = 0; index < state.steps.size; index++) {
    const { processes } = state.steps.get(index)
    if (processes.length > 0) groups.push(...processes)
  }
  return groups
}
