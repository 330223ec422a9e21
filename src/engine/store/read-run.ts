import {
  canonicalJson,
  checkId,
  decodeUtf8,
  FaultlineError,
  messageOf,
  suggestion,
} from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import { decodeLog } from '../../trace/index.ts'
import type { DecodedLog, EventOf, StateDocument } from '../../trace/index.ts'
import { lastPointerPath, runLayout, runsFolder } from './layout.ts'
import type { RunLayout } from './layout.ts'
import { decodeState, encodeState } from './state-file.ts'

/** What the disk says about a run, read and checked but not yet folded. */
export interface StoredRun {
  readonly layout: RunLayout
  readonly log: DecodedLog
  readonly logBytes: Uint8Array
  readonly start: EventOf<'workflow_start'>
  /** The snapshot, when there is one that fits. */
  readonly state: StateDocument | undefined
  /** What was wrong with a snapshot that had to be ignored. */
  readonly stateProblem: string | undefined
  /** Whether the last pointer names this run. */
  readonly isLast: boolean
  /** Whether there is a last pointer and it cannot be read. */
  readonly pointerDamaged: boolean
}

/** What `last.json` holds: the newest run, and how much of its log was durable when this was written. */
export interface LastPointer {
  readonly runId: string
  readonly seq: number
}

/**
 * @param named the run to read; undefined for the one that the last pointer names
 * @throws FaultlineError `RUN_NOT_FOUND`, or `STATE_CORRUPT` with file, line and sequence number.
 */
export function* readStoredRun(named: string | undefined, digest: DigestPort): FileProgram<StoredRun> {
  if (named !== undefined) checkId('run id', named)
  const pointerBytes = yield* perform({ op: 'read', path: lastPointerPath })
  const pointer = parsePointer(pointerBytes, digest)
  const runId = named ?? pointer?.runId
  if (runId === undefined) throw noLastRun(yield* listRuns())
  const layout = runLayout(runId)
  const logBytes = yield* perform({ op: 'read', path: layout.log })
  if (logBytes === undefined) throw notFound(runId, yield* listRuns())
  const stateBytes = yield* perform({ op: 'read', path: layout.state })
  const decoded = stateBytes === undefined ? undefined : decodeState(stateBytes, digest)
  const foreign = decoded?.document !== undefined && decoded.document.runId !== runId
  const state = foreign ? undefined : decoded?.document
  const isLast = pointer?.runId === runId
  const vouchedSeq = Math.max(state?.seq ?? -1, isLast ? pointer.seq : -1)
  const log = decodeLog(logBytes, digest.crc32, vouchedSeq)
  if (log.end?.kind === 'corrupt') {
    throw corrupt(layout.log, `line ${log.end.line} (event ${log.end.seq}): ${log.end.reason}`, {
      line: log.end.line,
      seq: log.end.seq,
    })
  }
  const start = log.events[0]
  if (start?.kind !== 'workflow_start')
    throw corrupt(layout.log, 'it holds no complete first event', { line: 1, seq: 0 })
  if (start.runId !== runId)
    throw corrupt(layout.log, `line 1 (event 0): it belongs to run '${start.runId}'`, { line: 1, seq: 0 })
  const stateProblem = foreign ? `it belongs to run '${decoded.document.runId}'` : decoded?.problem
  const pointerDamaged = pointerBytes !== undefined && pointer === undefined
  return { layout, log, logBytes, start, state, stateProblem, isLast, pointerDamaged }
}

/** The newest run, or undefined when none has been started or the pointer cannot be read. */
export function* readLastPointer(digest: DigestPort): FileProgram<LastPointer | undefined> {
  return parsePointer(yield* perform({ op: 'read', path: lastPointerPath }), digest)
}

export function encodePointer({ runId, seq }: LastPointer, digest: DigestPort): string {
  return encodeState(canonicalJson({ runId, seq }), digest)
}

/** One that has no checksum was written before there was one. */
function parsePointer(bytes: Uint8Array | undefined, digest: DigestPort): LastPointer | undefined {
  if (bytes === undefined) return undefined
  try {
    const { runId, seq, ...rest } = JSON.parse(decodeUtf8(bytes)) as Partial<LastPointer>
    if (typeof runId !== 'string' || typeof seq !== 'number') return undefined
    const pointer = { runId, seq }
    const intact =
      Object.keys(rest).length === 0 ||
      decodeUtf8(bytes).trimEnd() === encodePointer(pointer, digest).trimEnd()
    return intact ? pointer : undefined
  } catch {
    return undefined
  }
}

/** Ids of the runs on disk, sorted by name. */
export function* listRuns(): FileProgram<readonly string[]> {
  const entries = (yield* perform({ op: 'list', path: runsFolder })) ?? []
  return entries.filter((entry) => entry.kind === 'folder').map((entry) => entry.name)
}

/**
 * Turns a system error of the disk into one that says which folder is at fault; hands anything else back as it is.
 *
 * @example catch (error) { throw unreadable(error) }
 */
export function unreadable(error: unknown): unknown {
  const { code, path } = error as { code?: unknown; path?: unknown }
  if (error instanceof FaultlineError || typeof code !== 'string') return error
  return new FaultlineError(
    'STATE_UNREADABLE',
    `The state folder '.workflow' cannot be used: ${messageOf(error)}. Check that it is a folder and that you may read and ` +
      `write it.`,
    { details: { code, path: typeof path === 'string' ? path : null }, cause: error },
  )
}

export function corrupt(
  file: string,
  what: string,
  details: Readonly<Record<string, unknown>>,
): FaultlineError {
  return new FaultlineError(
    'STATE_CORRUPT',
    `${file} is damaged: ${what}. Nothing was changed. Restore the file from a copy; faultline never repairs this in silence.`,
    { details: { file, ...details } },
  )
}

function noLastRun(runs: readonly string[]): FaultlineError {
  return new FaultlineError(
    'RUN_NOT_FOUND',
    runs.length === 0
      ? `No run has been started here: '${runsFolder}' holds none.`
      : `Nothing says which run was the last. Name one of: ${runs.map((run) => `'${run}'`).join(', ')}.`,
    { details: { runs } },
  )
}

function notFound(runId: string, runs: readonly string[]): FaultlineError {
  if (runs.includes(runId)) return corrupt(runLayout(runId).log, 'it is missing', {})
  const known = runs.length === 0 ? 'No run has been started here.' : suggestion(runId, runs)
  return new FaultlineError('RUN_NOT_FOUND', `There is no run '${runId}' in '${runsFolder}'. ${known}`, {
    details: { runId },
  })
}
