import { FaultlineError } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram, RecoverRequest } from '../../ports/index.ts'
import type { ArtifactRecord, ProducedArtifact } from '../../trace/index.ts'
import type { LiveRun } from './live-run.ts'
import { isSettledForGood } from './passage.ts'
import { undoneSteps } from './rollback.ts'
import type { RunState } from './run-state.ts'
import { newestArtifacts } from './state-view.ts'

/** Where a resume begins: the newest durable boundary at which all completed work verifies. */
export interface SafePoint {
  /** Steps that start again although they had started or completed before, in definition order. */
  readonly restarts: readonly string[]
  /** Changed files that the caller accepted, as they are now. */
  readonly accepted: readonly ArtifactRecord[]
}

/**
 * Verifies the artifacts of completed steps by digest and decides what runs again.
 *
 * @param undecided steps that have come to an end and begin anew all the same, see `undecidedAgain`
 * @throws FaultlineError `ARTIFACT_CHANGED` naming path and producer, unless the request says what to do.
 */
export function* safePoint(
  run: LiveRun,
  request: RecoverRequest,
  undecided: ReadonlySet<string>,
): FileProgram<SafePoint> {
  const changed = yield* changedArtifacts(run.state, run.ports.digest)
  const policy = request.artifacts ?? 'refuse'
  const started = [...unfinished(run.state, undecided), ...withDependants(run.state, undoneSteps(run.state))]
  const restarts = inOrder(run, started)
  if (changed.length === 0) return { restarts, accepted: [] }
  if (policy === 'accept') {
    const gone = changed.find(({ now }) => now === undefined)
    if (gone !== undefined)
      throw changedError(run, changed, `'${gone.record.path}' is missing and cannot be accepted`)
    return { restarts, accepted: changed.map(({ now }) => now as ArtifactRecord) }
  }
  const orphan = changed.find(({ record }) => record.producedBy === null)
  if (policy === 'refuse' || orphan !== undefined) throw changedError(run, changed)
  const producers = changed.map(
    ({ record }) => run.state.workflow.indexOf.get(record.producedBy as string) as number,
  )
  return {
    restarts: inOrder(run, [...started, ...withDependants(run.state, producers)]),
    accepted: [],
  }
}

/** An artifact of completed work that is not what the log says. */
export interface ChangedArtifact {
  readonly record: ProducedArtifact
  /** What stands there now, or undefined when nothing does. */
  readonly now: ArtifactRecord | undefined
}

/** Verifies by digest what completed steps and recorded edits have left. */
export function* changedArtifacts(
  state: RunState,
  digest: DigestPort,
): FileProgram<readonly ChangedArtifact[]> {
  const changed: ChangedArtifact[] = []
  for (const record of newestArtifacts(state)) {
    if (record.producedBy !== null && !hasCompleted(state, record.producedBy)) continue
    const bytes = yield* perform({ op: 'read', path: record.path })
    const sha256 = bytes === undefined ? undefined : digest.sha256(bytes)
    if (sha256 === record.sha256) continue
    const now =
      bytes === undefined || sha256 === undefined
        ? undefined
        : { path: record.path, sha256, sizeBytes: bytes.length }
    changed.push({ record, now })
  }
  return changed
}

function hasCompleted(state: RunState, step: string): boolean {
  const { status } = state.steps.get(state.workflow.indexOf.get(step) as number)
  return status === 'completed' || status === 'waiting'
}

/**
 * What has come to an end because of a failure that a resume takes back: what was skipped for it, what ran after it, and what
 * depends on either.
 */
export function undecidedAgain(state: RunState): ReadonlySet<string> {
  if (state.workflow.flow === undefined) return new Set()
  const failed: number[] = []
  for (let index = 0; index < state.steps.size; index++) {
    const { status, flow } = state.steps.get(index)
    const isTakenBack = status === 'failed' && (!flow.tolerated || flow.finishesOff)
    if (isTakenBack || flow.skipped?.reason === 'run_failed') failed.push(index)
  }
  return new Set(
    Array.from(withDependants(state, failed), (index) => state.workflow.steps[index]?.id as string),
  )
}

function unfinished({ steps, workflow }: RunState, undecided: ReadonlySet<string>): readonly number[] {
  const found: number[] = []
  for (let index = 0; index < steps.size; index++) {
    const step = steps.get(index)
    const { id } = workflow.steps[index] as StepDefinition
    const isUnfinished =
      undecided.has(id) || (step.status !== 'pending' && step.status !== 'waiting' && !isSettledForGood(step))
    if (isUnfinished) found.push(index)
  }
  return found
}

function inOrder({ state }: LiveRun, chosen: readonly number[]): readonly string[] {
  const indices = [...new Set(chosen)].sort((left, right) => left - right)
  return indices.map((index) => state.workflow.steps[index]?.id as string)
}

/** The given steps, and every step that has come to an end by what one of them came to. */
function withDependants(state: RunState, start: readonly number[]): ReadonlySet<number> {
  const found = new Set(start)
  const open = [...start]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const successor of state.workflow.successors[index] ?? []) {
      if (found.has(successor) || !isSettledForGood(state.steps.get(successor))) continue
      if (wasReachedOtherwise(state, successor, found)) continue
      found.add(successor)
      open.push(successor)
    }
  }
  return found
}

/** One connection was enough for it, and that stands. */
function wasReachedOtherwise(
  { workflow, steps }: RunState,
  index: number,
  found: ReadonlySet<number>,
): boolean {
  if (workflow.flow?.joinsAny.has(index) !== true || steps.get(index).status === 'skipped') return false
  const { takes } = steps.get(index).flow
  return takes?.some((id) => !found.has(workflow.indexOf.get(id) as number)) === true
}

function changedError(run: LiveRun, changed: readonly ChangedArtifact[], why?: string): FaultlineError {
  const list = changed.map(
    ({ record, now }) =>
      `'${record.path}' (${record.producedBy === null ? 'edited' : `from step '${record.producedBy}'`}) was ${now === undefined ? 'removed' : 'changed'}`,
  )
  return new FaultlineError(
    'ARTIFACT_CHANGED',
    `Run '${run.state.runId}' cannot resume: ${why ?? list.join(', ')}. Restore the file, or resume with artifacts 'rebuild' ` +
      `(runs its producer and what depends on it again) or 'accept' (goes on with the file as it is).`,
    { details: { runId: run.state.runId, paths: changed.map(({ record }) => record.path) } },
  )
}
