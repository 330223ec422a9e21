import { bytesEqual, decodeUtf8, FaultlineError, parentFolder } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileProgram, OwnerIdentity, OwnerPort } from '../../ports/index.ts'
import { replaceFile } from './durable-file.ts'
import type { RunLayout } from './layout.ts'

/** Of the lock on replacing a dead holder's lock. */
const claimSuffix = '.claim'

/** Each try but the first follows on somebody else's success. */
const mostTries = 100

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
 * Takes the lock of a run that nobody alive holds. Of any number of processes that try at once, one gets it.
 *
 * @throws FaultlineError `RUN_OWNED` naming the holder.
 */
export function* takeLock(
  layout: RunLayout,
  { runId, epoch }: Pick<LockRecord, 'runId' | 'epoch'>,
  owner: OwnerPort,
  takeOver: boolean,
): FileProgram<HeldLock> {
  const record: LockRecord = { owner: owner.self, runId, epoch }
  const text = `${JSON.stringify(record)}\n`
  yield* seize(layout.lock, text, runId, owner, takeOver)
  return { path: layout.lock, text }
}

/** A lock that was taken, by what stands in it. */
export interface HeldLock {
  readonly path: string
  readonly text: string
}

/** Lets go of the lock, unless somebody on another host was told to take it over: then it is no longer ours. */
export function* releaseLock({ path, text }: HeldLock): FileProgram<void> {
  const bytes = yield* perform({ op: 'read', path })
  if (bytes !== undefined && decodeUtf8(bytes) === text) yield* perform({ op: 'remove', path })
}

/**
 * Makes a lock file ours. A new one is made by an operation that only one can succeed at. What a dead holder has left can only
 * be replaced, which any number can do: so whoever wants to first takes a second lock, on the replacing, and looks again.
 */
function* seize(
  path: string,
  data: string,
  runId: string,
  owner: OwnerPort,
  takeOver: boolean,
): FileProgram<void> {
  for (let tries = 0; tries < mostTries; tries++) {
    if (yield* perform({ op: 'writeNew', path, data })) {
      yield* perform({ op: 'fsync', path })
      yield* perform({ op: 'fsyncFolder', path: parentFolder(path) })
      return
    }
    const left = yield* perform({ op: 'read', path })
    if (left === undefined) continue
    assertLeft(left, runId, owner, takeOver)
    const claim = path + claimSuffix
    yield* seize(claim, data, runId, owner, takeOver)
    try {
      const now = yield* perform({ op: 'read', path })
      if (now !== undefined && bytesEqual(now, left)) return yield* replaceFile(path, data)
    } finally {
      yield* perform({ op: 'remove', path: claim })
    }
  }
  throw new FaultlineError(
    'RUN_OWNED',
    `Run '${runId}' is being taken over by others again and again, or '${path}' is not a file. Look at it, then try again.`,
    { details: { runId, path } },
  )
}

/** @throws FaultlineError `RUN_OWNED` unless the holder of a lock is gone. One that a crash cut short was never acknowledged. */
function assertLeft(lock: Uint8Array, runId: string, owner: OwnerPort, takeOver: boolean): void {
  const holder = parseLock(lock)?.owner
  const state = holder === undefined ? 'dead' : owner.liveness(holder)
  if (holder === undefined || state === 'dead') return
  if (state === 'alive') throw owned(runId, holder, 'which is alive. Wait for it, or end it first')
  if (!takeOver)
    throw owned(
      runId,
      holder,
      'and a process on another host cannot be asked. If it is dead, take the run over',
    )
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
