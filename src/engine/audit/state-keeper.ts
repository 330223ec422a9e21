import { FaultlineError, joinPath } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DriverPorts, FileProgram, ReaderPorts } from '../../ports/index.ts'
import type { RunStatus } from '../../trace/index.ts'
import { foldLog } from '../run/fold-log.ts'
import type { RunState } from '../run/run-state.ts'
import { stateJson } from '../run/state-view.ts'
import { replaceFile } from '../store/durable-file.ts'
import { runLayout, storeLayout } from '../store/layout.ts'
import { releaseLock, takeLock } from '../store/lock.ts'
import { hasMovedOn, readStoredRun } from '../store/read-run.ts'
import type { StoredRun } from '../store/read-run.ts'
import { serialDisk } from '../store/serial-disk.ts'
import { encodeState } from '../store/state-file.ts'
import { diagnoseRun } from './diagnose.ts'
import type { Diagnostics } from './diagnose.ts'
import type { ValidationReport } from './findings.ts'
import { validateRun } from './validate-run.ts'

/** Looks after what runs have left on disk. Runs nothing and never changes a log. */
export interface StateKeeper {
  /** Bytes of all files of a run. */
  sizeOf(runId: string): Promise<number>
  /** Checks log, snapshot, last pointer and artifacts of a run; changes nothing. */
  validate(runId: string): Promise<ValidationReport>
  /** How a run is, whoever holds it; changes nothing. */
  diagnose(runId: string, now: number): Promise<Diagnostics>
  /**
   * Writes the snapshot of a run anew from its log.
   *
   * @throws FaultlineError `RUN_OWNED` while a live process holds the run.
   */
  restore(runId: string): Promise<RestoredState>
  /** The snapshot as it would have been written after event `seq`, as text; the run is not touched. */
  stateAt(runId: string, seq: number): Promise<string>
}

export interface RestoredState {
  readonly path: string
  readonly seq: number
  readonly status: RunStatus
}

export function createStateKeeper(ports: ReaderPorts): StateKeeper {
  const disk = serialDisk(ports.files)
  const { digest } = ports
  const store = storeLayout(ports.directories)
  const read = async (
    runId: string,
    throughSeq?: number,
  ): Promise<{ readonly stored: StoredRun; readonly state: RunState }> => {
    const stored = await disk.run(readStoredRun(runId, store, digest))
    return { stored, state: await foldLog(stored, throughSeq) }
  }
  return {
    sizeOf: async (runId) => disk.run(sizeBelow(runLayout(store, runId).folder)),
    validate: (runId) => validateRun(runId, store, disk, digest),
    diagnose: (runId, now) => diagnoseRun(runId, store, disk, ports, now),
    async restore(runId) {
      for (;;) {
        const { stored, state } = await read(runId)
        const text = stateText(state, stored.saveSeq + 1, ports)
        if (await disk.run(replaceState(stored, text, ports)))
          return { path: stored.layout.state, seq: state.seq, status: state.status }
      }
    },
    async stateAt(runId, seq) {
      const { stored, state } = await read(runId, seq)
      if (state.seq === seq) return stateText(state, stored.saveSeq, ports)
      throw new FaultlineError(
        'CONFIGURATION_INVALID',
        `Run '${runId}' has no event ${seq}: its log ends with event ${state.seq}.`,
        { details: { runId, seq, lastSeq: state.seq } },
      )
    },
  }
}

function stateText(state: RunState, saveSeq: number, { digest }: Pick<DriverPorts, 'digest'>): string {
  return encodeState(stateJson(state, saveSeq), digest)
}

/**
 * Replaces the snapshot while no other process can write it; false when the run has been moved on since it was read. The lock that a dead process has left is put back: it says that
 * what the process left half-done is still to be tidied up.
 */
function* replaceState(
  stored: StoredRun,
  text: string,
  { owner }: Pick<DriverPorts, 'owner'>,
): FileProgram<boolean> {
  const { layout, start, log } = stored
  const left = yield* perform({ op: 'read', path: layout.lock })
  const epoch = log.events.at(-1)?.epoch ?? start.epoch
  const lock = yield* takeLock(layout, { runId: start.runId, epoch }, owner, false)
  try {
    if (yield* hasMovedOn(stored)) return false
    yield* replaceFile(layout.state, text)
    return true
  } finally {
    if (left === undefined) yield* releaseLock(lock)
    else yield* replaceFile(layout.lock, left)
  }
}

function* sizeBelow(folder: string): FileProgram<number> {
  let sizeBytes = 0
  for (const entry of (yield* perform({ op: 'list', path: folder })) ?? []) {
    const path = joinPath(folder, entry.name)
    if (entry.kind === 'folder') sizeBytes += yield* sizeBelow(path)
    else sizeBytes += (yield* perform({ op: 'stat', path }))?.sizeBytes ?? 0
  }
  return sizeBytes
}
