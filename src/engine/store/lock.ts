import { decodeUtf8, FaultlineError, parentFolder } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileProgram, OwnerIdentity, OwnerPort } from '../../ports/index.ts'
import { replaceFile } from './durable-file.ts'
import type { RunLayout } from './layout.ts'

export interface LockRecord {
  readonly owner: OwnerIdentity
  readonly runId: string
  /** Under which the holder writes, from 1: every recovery raises it. */
  readonly epoch: number
}

/** How a lock reads: nobody's, or somebody's who lives, is dead, or cannot be asked. */
export type Holder =
  | { readonly state: 'free' }
  | { readonly state: 'alive' | 'dead' | 'elsewhere'; readonly owner: OwnerIdentity }

export function* readHolder(layout: RunLayout, owner: OwnerPort): FileProgram<Holder> {
  const bytes = yield* perform({ op: 'read', path: layout.lock })
  if (bytes === undefined) return { state: 'free' }
  const record = parseLock(bytes)
  // A lock that a crash cut short was never acknowledged to anybody.
  if (record === undefined) return { state: 'free' }
  return { state: owner.liveness(record.owner), owner: record.owner }
}

/**
 * Takes the lock of a run that nobody alive holds.
 *
 * @throws FaultlineError `RUN_OWNED` naming the holder.
 */
export function* takeLock(
  layout: RunLayout,
  { runId, epoch }: Pick<LockRecord, 'runId' | 'epoch'>,
  owner: OwnerPort,
  takeOver: boolean,
): FileProgram<void> {
  const holder = yield* readHolder(layout, owner)
  if (holder.state === 'alive') {
    throw owned(runId, holder.owner, 'which is alive. Wait for it, or end it first')
  }
  if (holder.state === 'elsewhere' && !takeOver) {
    throw owned(
      runId,
      holder.owner,
      `and a process on another host cannot be asked. If it is dead, take the run over`,
    )
  }
  const record: LockRecord = { owner: owner.self, runId, epoch }
  const data = `${JSON.stringify(record)}\n`
  if (holder.state === 'free' && (yield* perform({ op: 'writeNew', path: layout.lock, data }))) {
    yield* perform({ op: 'fsync', path: layout.lock })
    yield* perform({ op: 'fsyncFolder', path: parentFolder(layout.lock) })
    return
  }
  yield* replaceFile(layout.lock, data)
}

export function* releaseLock(layout: RunLayout): FileProgram<void> {
  yield* perform({ op: 'remove', path: layout.lock })
}

function owned(runId: string, owner: OwnerIdentity, why: string): FaultlineError {
  return new FaultlineError(
    'RUN_OWNED',
    `Run '${runId}' is held by process ${owner.pid} on host '${owner.host}', ${why}.`,
    { details: { runId, pid: owner.pid, host: owner.host } },
  )
}

function parseLock(bytes: Uint8Array): LockRecord | undefined {
  try {
    const value = JSON.parse(decodeUtf8(bytes)) as Partial<LockRecord> | null
    return typeof value?.owner?.nonce === 'string' ? (value as LockRecord) : undefined
  } catch {
    return undefined
  }
}
