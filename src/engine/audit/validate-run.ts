import { decodeUtf8, isFaultlineError, jsonDiff, joinPath } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import { stateSchemaVersion } from '../../trace/index.ts'
import { foldLog } from '../run/fold-log.ts'
import type { RunState } from '../run/run-state.ts'
import { changedArtifacts } from '../run/safe-point.ts'
import { newestArtifacts, stateJson } from '../run/state-view.ts'
import { verifies } from '../store/artifact-commit.ts'
import { orphanedBlobs } from '../store/blobs.ts'
import { readLastPointer } from '../store/last-pointer.ts'
import { runLayout, stagingFolder } from '../store/layout.ts'
import type { RunLayout, StoreLayout } from '../store/layout.ts'
import { readStoredRun } from '../store/read-run.ts'
import type { StoredRun } from '../store/read-run.ts'
import type { SerialDisk } from '../store/serial-disk.ts'
import type { Finding, ValidationReport } from './findings.ts'

/**
 * Checks what a run has left on disk: log, snapshot, last pointer and artifacts. Changes nothing.
 *
 * @throws FaultlineError `RUN_NOT_FOUND`
 */
export async function validateRun(
  runId: string,
  store: StoreLayout,
  disk: SerialDisk,
  digest: DigestPort,
): Promise<ValidationReport> {
  try {
    const stored = await disk.run(readStoredRun(runId, store, digest))
    const state = await foldLog(stored)
    const told = await foldLog(stored, stored.state?.seq)
    return {
      runId,
      events: stored.log.events.length,
      artifacts: newestArtifacts(state).length,
      findings: await disk.run(besideLog(stored, { state, told }, store, digest)),
    }
  } catch (error) {
    return { runId, events: 0, artifacts: 0, findings: [damageOf(error, runLayout(store, runId))] }
  }
}

interface FoldedRun {
  readonly state: RunState
  /** As it was at the snapshot's last event. */
  readonly told: RunState
}

/** Everything but the log, which is good up to its end. */
function* besideLog(
  stored: StoredRun,
  { state, told }: FoldedRun,
  store: StoreLayout,
  digest: DigestPort,
): FileProgram<readonly Finding[]> {
  return [
    ...tailFindings(stored),
    ...(yield* snapshotFindings(stored, told)),
    ...(yield* pointerFindings(store, digest)),
    ...(yield* artifactFindings(state, digest)),
    ...(yield* preparedFindings(stored, state, digest)),
    ...(yield* orphanFindings(stored)),
  ]
}

function damageOf(error: unknown, layout: RunLayout): Finding {
  if (!isFaultlineError(error, 'STATE_CORRUPT')) throw error
  const { file, what, line, seq } = error.details
  return {
    severity: 'problem',
    file: typeof file === 'string' ? file : layout.log,
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof seq === 'number' ? { seq } : {}),
    what: String(what),
    advice:
      'Restore the file from a copy: the log is the truth about the run and nothing can stand in for it.',
  }
}

function tailFindings({ layout, log }: StoredRun): readonly Finding[] {
  if (log.end === undefined) return []
  const { line, seq, reason } = log.end
  return [
    {
      severity: 'note',
      file: layout.log,
      line,
      seq,
      what: `${reason}, as a crash leaves it, and nothing rests on it`,
      advice: 'The next resume drops what is behind the last whole line and says so.',
    },
  ]
}

function* snapshotFindings(stored: StoredRun, told: RunState): FileProgram<readonly Finding[]> {
  const { layout, stateProblem } = stored
  const problem = (what: string): readonly Finding[] => [
    {
      severity: 'problem',
      file: layout.state,
      what,
      advice: `Nothing is lost: write it anew from the log with 'faultline state restore ${told.runId}'.`,
    },
  ]
  if (stateProblem !== undefined) return problem(stateProblem)
  if (stored.state === undefined) return problem('it is missing')
  // An older version holds less than the log can tell.
  if ((yield* writtenVersion(layout)) !== stateSchemaVersion) return []
  const folded = JSON.parse(stateJson(told, stored.state.saveSeq)) as object
  const [difference] = jsonDiff(folded, stored.state.document())
  return difference === undefined
    ? []
    : problem(`${difference.path} differs from what the log says of event ${stored.state.seq}`)
}

function* writtenVersion(layout: RunLayout): FileProgram<unknown> {
  const bytes = (yield* perform({ op: 'read', path: layout.state })) as Uint8Array
  return (JSON.parse(decodeUtf8(bytes)) as { readonly schemaVersion?: unknown }).schemaVersion
}

function* pointerFindings(store: StoreLayout, digest: DigestPort): FileProgram<readonly Finding[]> {
  const problem = (what: string): readonly Finding[] => [
    {
      severity: 'problem',
      file: store.last,
      what,
      advice: 'Name the run in every command; the next start or resume of a run writes the pointer anew.',
    },
  ]
  const { pointer, damaged } = yield* readLastPointer(store, digest)
  if (pointer === undefined) return problem(damaged ? 'it is not a last pointer' : 'it is missing')
  if ((yield* perform({ op: 'stat', path: runLayout(store, pointer.runId).log })) === undefined)
    return problem(`it names run '${pointer.runId}', which has no log`)
  return []
}

function* artifactFindings(state: RunState, digest: DigestPort): FileProgram<readonly Finding[]> {
  const changed = yield* changedArtifacts(state, digest)
  return changed.map(({ record, now }) => ({
    severity: 'problem' as const,
    file: record.path,
    what:
      `it is ${now === undefined ? 'missing' : 'not what it was'}: ` +
      `${record.producedBy === null ? 'a recorded edit' : `step '${record.producedBy}'`} left ${record.sizeBytes} bytes with SHA-256 ` +
      `${record.sha256.slice(0, 12)}…`,
    advice:
      state.status === 'completed' || state.status === 'cancelled'
        ? 'Restore the file from a copy, or run the workflow again.'
        : `Restore the file, or resume with '--artifacts rebuild'${now === undefined ? '' : ` or '--artifacts accept'`}.`,
  }))
}

/** Artifacts that a crash has caught on their way: a resume moves them on, so each must be staged or in place. */
function* preparedFindings(
  { layout }: StoredRun,
  state: RunState,
  digest: DigestPort,
): FileProgram<readonly Finding[]> {
  const findings: Finding[] = []
  for (const index of state.active) {
    const { prepared, visit, attempt } = state.steps.get(index)
    const step = state.workflow.steps[index]?.id as string
    for (const artifact of prepared?.artifacts ?? []) {
      const staged = joinPath(stagingFolder(layout, { step, visit, attempt }), artifact.path)
      if ((yield* verifies({ ...artifact, path: staged }, digest)) || (yield* verifies(artifact, digest)))
        continue
      findings.push({
        severity: 'problem',
        file: artifact.path,
        seq: (prepared as { readonly seq: number }).seq,
        what: `step '${step}' announced it, and it is neither staged nor in place`,
        advice: 'Restore the file from a copy.',
      })
    }
  }
  return findings
}

function* orphanFindings({ layout, blobs }: StoredRun): FileProgram<readonly Finding[]> {
  const orphans = yield* orphanedBlobs(layout.blobs, blobs)
  return orphans.map((file) => ({
    severity: 'note' as const,
    file,
    what: 'no event names it: a crash left it, and nothing rests on it',
    advice: 'The next resume removes it.',
  }))
}
