import { bytesEqual, checkId, FaultlineError, messageOf, suggestion } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import { decodeLog } from '../../trace/index.ts'
import type { DecodedLog, DecodedState, EventOf, KnownFiles, StoredState } from '../../trace/index.ts'
import { loadOutputs, referencedBlobs } from './blobs.ts'
import { corrupt } from './corrupt.ts'
import { listHistory } from './history.ts'
import { readLastPointer } from './last-pointer.ts'
import { runLayout } from './layout.ts'
import type { RunLayout, StoreLayout } from './layout.ts'
import { decodeState } from './state-file.ts'

/** What the disk says about a run, read and checked but not yet folded. */
export interface StoredRun {
  readonly layout: RunLayout
  readonly log: DecodedLog
  readonly logBytes: Uint8Array
  readonly start: EventOf<'workflow_start'>
  /** Digests of the blobs that the log names. */
  readonly blobs: ReadonlySet<string>
  /** The snapshot, when there is one that fits. */
  readonly state: StoredState | undefined
  /** Saves so far, as far as anybody knows. */
  readonly saveSeq: number
  /** What was wrong with a snapshot that had to be ignored. */
  readonly stateProblem: string | undefined
  /** Whether the last pointer names this run. */
  readonly isLast: boolean
  /** Whether there is a last pointer that cannot be used. */
  readonly pointerDamaged: boolean
  /** What was known of it before. */
  readonly known: KnownFiles | undefined
}

/**
 * @param named the run to read; undefined for the one that the last pointer names
 * @param known what need not be read again
 * @throws FaultlineError `RUN_NOT_FOUND`, or `STATE_CORRUPT` with file, line and sequence number.
 */
export function* readStoredRun(
  named: string | undefined,
  store: StoreLayout,
  digest: DigestPort,
  known?: KnownFiles,
): FileProgram<StoredRun> {
  if (named !== undefined) checkId('run id', named)
  const { pointer, damaged: pointerDamaged } = yield* readLastPointer(store, digest, known)
  const runId = named ?? pointer?.runId
  if (runId === undefined) throw noLastRun(store, yield* listRuns(store))
  const layout = runLayout(store, runId)
  const logBytes = yield* perform({ op: 'read', path: layout.log })
  const stateBytes = yield* perform({ op: 'read', path: layout.state })
  const isLast = pointer?.runId === runId
  // Both are written only once the first event is durable.
  const hasBegun = stateBytes !== undefined || isLast
  if (logBytes === undefined) throw notFound(runId, hasBegun, store, yield* listRuns(store))
  const decoded = stateBytes === undefined ? undefined : stateIn(stateBytes, digest, known)
  const foreign = decoded?.state !== undefined && decoded.state.runId !== runId
  const state = foreign ? undefined : decoded?.state
  const vouchedSeq = Math.max(state?.seq ?? -1, isLast ? pointer.seq : -1)
  const log = decodeLog(logBytes, digest.crc32, vouchedSeq, known?.log)
  if (log.end?.kind === 'corrupt') {
    throw corrupt(layout.log, `line ${log.end.line} (event ${log.end.seq}): ${log.end.reason}`, {
      line: log.end.line,
      seq: log.end.seq,
    })
  }
  const recorded = log.events[0]?.runId ?? runId
  if (recorded !== runId)
    throw corrupt(layout.log, `line 1 (event 0): it belongs to run '${recorded}'`, { line: 1, seq: 0 })
  const blobs = referencedBlobs(log.events)
  const events = blobs.size === 0 ? log.events : yield* loadOutputs(layout.blobs, log.events, digest)
  const start = events[0]
  if (start === undefined && !hasBegun) throw neverBegan(runId)
  if (start?.kind !== 'workflow_start')
    throw corrupt(layout.log, 'it holds no complete first event', { line: 1, seq: 0 })
  // The pointer is written after the first snapshot.
  const missing = stateBytes === undefined && isLast ? 'it is missing' : undefined
  const stateProblem = foreign ? `it belongs to run '${decoded.state.runId}'` : (decoded?.problem ?? missing)
  const saveSeq = state?.saveSeq ?? (yield* listHistory(layout)).at(-1)?.saveSeq ?? 0
  return {
    layout,
    log: { ...log, events },
    logBytes,
    start,
    blobs,
    state,
    saveSeq,
    stateProblem,
    isLast,
    pointerDamaged,
    known,
  }
}

function stateIn(bytes: Uint8Array, digest: DigestPort, known?: KnownFiles): DecodedState {
  const read = (): DecodedState => decodeState(bytes, digest)
  return known === undefined ? read() : known.states.read(bytes, read)
}

/** Whether somebody has written the log since it was read. Only the holder of the lock learns something that lasts. */
export function* hasMovedOn({ layout, logBytes }: StoredRun): FileProgram<boolean> {
  const now = yield* perform({ op: 'read', path: layout.log })
  return now === undefined || !bytesEqual(now, logBytes)
}

/** Ids of the runs on disk, sorted by name. */
export function* listRuns(store: StoreLayout): FileProgram<readonly string[]> {
  const entries = (yield* perform({ op: 'list', path: store.runs })) ?? []
  return entries.filter((entry) => entry.kind === 'folder').map((entry) => entry.name)
}

/**
 * Turns a system error of the disk into one that says which folder is at fault; hands anything else back as it is.
 *
 * @example catch (error) { throw unreadable(error, store) }
 */
export function unreadable(error: unknown, store: StoreLayout): unknown {
  const { code, path } = error as { code?: unknown; path?: unknown }
  if (error instanceof FaultlineError || typeof code !== 'string') return error
  return new FaultlineError(
    'STATE_UNREADABLE',
    `The state folder '${store.state}' cannot be used: ${messageOf(error)}. Check that it is a folder and that you may read and ` +
      `write it.`,
    { details: { code, path: typeof path === 'string' ? path : null }, cause: error },
  )
}

function noLastRun(store: StoreLayout, runs: readonly string[]): FaultlineError {
  return new FaultlineError(
    'RUN_NOT_FOUND',
    runs.length === 0
      ? `No run has been started here: '${store.runs}' holds none.`
      : `Nothing says which run was the last. Name one of: ${runs.map((run) => `'${run}'`).join(', ')}.`,
    { details: { runs } },
  )
}

function neverBegan(runId: string): FaultlineError {
  return new FaultlineError(
    'RUN_NOT_FOUND',
    `Run '${runId}' ended before its first event was recorded, so no step of it has run. Start a new run.`,
    { details: { runId } },
  )
}

function notFound(
  runId: string,
  hasBegun: boolean,
  store: StoreLayout,
  runs: readonly string[],
): FaultlineError {
  if (hasBegun) return corrupt(runLayout(store, runId).log, 'it is missing', {})
  if (runs.includes(runId)) return neverBegan(runId)
  const known = runs.length === 0 ? 'No run has been started here.' : suggestion(runId, runs)
  return new FaultlineError('RUN_NOT_FOUND', `There is no run '${runId}' in '${store.runs}'. ${known}`, {
    details: { runId },
  })
}
