import { encodeUtf8, FaultlineError, joinPath, whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DriverPorts, FileProgram, GateDecision, RecoverRequest } from '../../ports/index.ts'
import type { EventBody, StepEventContext, WorkflowResumeEvent } from '../../trace/index.ts'
import { rollForward } from '../store/artifact-commit.ts'
import { corrupt } from '../store/corrupt.ts'
import { ensureFolder, replaceFile, temporarySuffix } from '../store/durable-file.ts'
import { referencedBlobs } from '../store/blobs.ts'
import { EventLog } from '../store/event-log.ts'
import { stagingFolder } from '../store/layout.ts'
import { readHolder, releaseLock, takeLock } from '../store/lock.ts'
import type { HeldLock } from '../store/lock.ts'
import { hasMovedOn, readStoredRun } from '../store/read-run.ts'
import type { StoredRun } from '../store/read-run.ts'
import { dueCheckpoint, recordCheckpoints } from './checkpoint.ts'
import { compileWorkflow, definitionDigest } from './compiled-workflow.ts'
import type { CompiledWorkflow } from './compiled-workflow.ts'
import { definitionChanges } from './definition-change.ts'
import { finishEdits } from './edit.ts'
import { foldLog } from './fold-log.ts'
import { noteAnswer, waitingStep } from './gate-decision.ts'
import { acknowledge, liveRun, note, saveLastPointer, saveState, warn } from './live-run.ts'
import type { LifeParts, LiveRun } from './live-run.ts'
import { endOrphans, warnOfOrphans } from './orphans.ts'
import { assertNotRollingBack, isRollingBack } from './rollback.ts'
import { underDefinition } from './run-state.ts'
import type { RunState } from './run-state.ts'
import { safePoint, undecidedAgain } from './safe-point.ts'

/**
 * Takes a run over from what is on disk. The valid prefix of the log is written to a new file under a new epoch, together with
 * what recovery has to say: pages that an earlier failed fsync left behind are never trusted, and an old writer finds out.
 */
export function recoverRun(request: RecoverRequest, life: LifeParts): MaybePromise<LiveRun> {
  const { ports, disk, store } = life
  const { digest, knownFiles } = ports
  return whenReady(disk.run(readStoredRun(request.runId, store, digest, knownFiles)), (stored) =>
    whenReady(foldLog(stored), (state) =>
      whenReady(adoptedWorkflow(request, state, ports), (adopted) =>
        whenReady(endOrphans(stored, state, life), (unreached) =>
          whenReady(disk.run(takeOver(request, stored, state, adopted, life)), (run) =>
            run === undefined
              ? recoverRun({ ...request, runId: state.runId }, life)
              : disk.run(warnOfOrphans(run, unreached)),
          ),
        ),
      ),
    ),
  )
}

/** Undefined when the run has been moved on between reading it and taking it over: then what was read is of no use. */
function* takeOver(
  request: RecoverRequest,
  stored: StoredRun,
  state: RunState,
  adopted: CompiledWorkflow | undefined,
  life: LifeParts,
): FileProgram<LiveRun | undefined> {
  const { layout } = stored
  const { owner } = life.ports
  const ended = hasEnded(state)
  // Letting go of the lock is the last thing a run does: while it lies there, the end has not been tidied up after.
  if (ended && (yield* readHolder(layout, owner)).state !== 'dead') throw notResumable(state)
  const { runId, epoch } = state
  const lock = yield* takeLock(layout, { runId, epoch: epoch + 1 }, owner, request.takeOver ?? false)
  try {
    if (yield* hasMovedOn(stored)) {
      yield* releaseLock(lock)
      return undefined
    }
    if (!ended && state.cancelledFor === null && request.cancel === undefined)
      return yield* recoverLocked(request, stored, state, adopted, lock, life)
    const run = heldRun(stored, state, lock, life)
    if (!ended) endCancelled(run, stored, request.cancel)
    yield* settle(run, stored)
    yield* saveState(run)
    throw notResumable(run.state)
  } catch (error) {
    // A resume that is refused must not keep the next one out.
    yield* releaseLock(lock)
    throw error
  }
}

/**
 * The run was cancelled, and died before all of it had come to an end, or is to be cancelled now: it is not taken up again.
 *
 * @throws FaultlineError `SESSION_MISUSE` for one that has still to take back what it did.
 */
function endCancelled(run: LiveRun, stored: StoredRun, reason: string | undefined): void {
  assertNotRollingBack(run.state)
  note(run, resumeEvent(run, stored, [], { request: {}, adopted: undefined }))
  if (run.state.cancelledFor === null && reason !== undefined)
    note(run, { kind: 'workflow_cancel', status: 'cancelled', reason })
  note(run, { kind: 'workflow_end', status: 'cancelled' })
}

function* recoverLocked(
  request: RecoverRequest,
  stored: StoredRun,
  state: RunState,
  adopted: CompiledWorkflow | undefined,
  lock: HeldLock,
  life: LifeParts,
): FileProgram<LiveRun> {
  const run = heldRun(stored, state, lock, life)
  if (stored.stateProblem !== undefined)
    yield* warn(
      run,
      `${stored.layout.state} was ignored because ${stored.stateProblem}; the log stands in for it.`,
    )
  if (stored.pointerDamaged)
    yield* warn(run, `${life.store.last} was ignored because it names no run; it names this one now.`)
  yield* finishPreparedCommits(run)
  yield* finishEdits(run)
  const answers = answersOf(run, request)
  if (run.state.status === 'running' && isRollingBack(run.state)) {
    note(run, resumeEvent(run, stored, [], { request: {}, adopted: undefined }))
  } else {
    const undecided = undecidedAgain(run.state)
    if (adopted !== undefined) run.state = underDefinition(run.state, adopted)
    const point = yield* safePoint(run, request, undecided)
    note(run, resumeEvent(run, stored, point.restarts, { request, adopted }))
    for (const artifact of point.accepted) note(run, { kind: 'artifact_edit', status: 'edited', artifact })
  }
  for (const [index, decision] of answers)
    noteAnswer(run.state, index, decision, run.ports.clock.now(), (body) => noteDecided(run, body))
  yield* settle(run, stored)
  if (stored.state === undefined) yield* saveState(run)
  if (!stored.isLast) yield* saveLastPointer(run)
  return run
}

/** @throws FaultlineError `GATE_NOT_WAITING` before anything is written. */
function answersOf(
  run: LiveRun,
  { answers = {} }: RecoverRequest,
): readonly (readonly [number, GateDecision])[] {
  const now = run.ports.clock.now()
  return Object.entries(answers).map(([step, decision]) => [waitingStep(run.state, step, now), decision])
}

function noteDecided(run: LiveRun, body: EventBody): void {
  note(run, body)
  const checkpoint = body.kind === 'step_finish' ? dueCheckpoint(run, body) : undefined
  if (checkpoint !== undefined) note(run, checkpoint)
}

function heldRun(stored: StoredRun, state: RunState, lock: HeldLock, life: LifeParts): LiveRun {
  const { layout, log, start } = stored
  return liveRun(life, {
    layout,
    lock,
    log: new EventLog({
      layout,
      digest: life.ports.digest,
      identity: { workflowId: start.workflowId, runId: state.runId, correlationId: state.correlationId },
      epoch: state.epoch + 1,
      length: log.events.length,
      sizeBytes: log.validBytes,
      outputCapBytes: life.ports.outputCapBytes,
      blobs: referencedBlobs(log.events),
      durableFolders: life.durableFolders,
    }),
    state,
    saveSeq: stored.saveSeq,
  })
}

/** Steps whose artifacts were announced before the crash are finished from the log, without calling their agents again. */
function* finishPreparedCommits(run: LiveRun): FileProgram<void> {
  for (const index of run.state.active) {
    const step = run.state.steps.get(index)
    const definition = run.state.workflow.steps[index]
    if (step.prepared === null || definition === undefined) continue
    const key = { step: definition.id, visit: step.visit, attempt: step.attempt }
    const { prepared } = step
    const missing = yield* rollForward(
      stagingFolder(run.layout, key),
      prepared.artifacts,
      run.ports.digest,
      run.durableFolders,
    )
    if (missing !== undefined) {
      throw corrupt(missing, `it was announced in event ${prepared.seq} and is neither staged nor in place`, {
        path: missing,
        seq: prepared.seq,
      })
    }
    const context: StepEventContext = {
      ...key,
      agent: definition.agent,
      ...(definition.action === undefined ? {} : { action: definition.action }),
    }
    if (run.ports.eventLog !== false) {
      for (const artifact of prepared.artifacts)
        note(run, { kind: 'artifact_created', status: 'created', ...context, artifact })
    }
    if (definition.gate !== undefined) continue
    note(run, {
      kind: 'step_finish',
      status: 'completed',
      ...context,
      output: prepared.output,
      ...(prepared.scoring === null ? {} : { scoring: prepared.scoring }),
      artifacts: prepared.artifacts,
      durationMs: run.ports.clock.now() - step.startedAt,
    })
    const checkpoint = dueCheckpoint(run, context)
    if (checkpoint !== undefined) note(run, checkpoint)
  }
}

function resumeEvent(
  run: LiveRun,
  stored: StoredRun,
  restarts: readonly string[],
  { request, adopted }: { readonly request: RecoverRequest; readonly adopted: CompiledWorkflow | undefined },
): WorkflowResumeEvent {
  const reopens = request.from === 'loop-target' ? failedGate(run.state) : undefined
  return {
    kind: 'workflow_resume',
    status: 'running',
    owner: run.ports.owner.self.nonce,
    restarts,
    ...(stored.log.end === undefined ? {} : { tailCutAtSeq: stored.log.end.seq }),
    ...(stored.stateProblem === undefined ? {} : { stateIgnored: stored.stateProblem }),
    ...(reopens === undefined ? {} : { reopensLoopOf: reopens }),
    ...(request.input === undefined ? {} : { input: request.input }),
    ...(adopted === undefined
      ? {}
      : { adopts: { definition: adopted.definition, definitionSha256: adopted.definitionSha256 } }),
  }
}

function failedGate(state: RunState): string {
  const { failure, workflow } = state
  const index = failure?.step == null ? undefined : workflow.indexOf.get(failure.step)
  if (failure?.kind === 'gate' && index !== undefined && workflow.loops.has(index))
    return failure.step as string
  throw new FaultlineError(
    'SESSION_MISUSE',
    `Run '${state.runId}' cannot resume from a loop target: it did not fail at a gate with an 'on_fail' step. Resume it ` +
      `from the safe point instead.`,
    { details: { runId: state.runId, failedStep: failure?.step ?? null } },
  )
}

function* rewriteLog(run: LiveRun, prefix: Uint8Array): FileProgram<void> {
  yield* run.log.settleBlobs()
  const { events, text } = run.log.takePending()
  const added = encodeUtf8(text)
  const bytes = new Uint8Array(prefix.length + added.length)
  bytes.set(prefix)
  bytes.set(added, prefix.length)
  yield* replaceFile(run.layout.log, bytes)
  run.log.assumeDurable(bytes.length)
  yield* acknowledge(run, events)
  yield* recordCheckpoints(run, events)
}

/** Makes all that is known of the run durable, whoever wrote it, then clears away what the dead incarnation left half-done. */
function* settle(run: LiveRun, stored: StoredRun): FileProgram<void> {
  yield* ensureFolder(run.layout.folder, run.durableFolders)
  yield* rewriteLog(run, stored.logBytes.subarray(0, stored.log.validBytes))
  yield* sweep(run)
}

function* sweep(run: LiveRun): FileProgram<void> {
  yield* perform({ op: 'removeFolder', path: run.layout.staging })
  yield* run.log.sweepBlobs()
  yield* sweepTemporaries(run.layout.folder)
}

function* sweepTemporaries(folder: string): FileProgram<void> {
  for (const { name, kind } of (yield* perform({ op: 'list', path: folder })) ?? []) {
    const path = joinPath(folder, name)
    if (kind === 'folder') yield* sweepTemporaries(path)
    else if (name.endsWith(temporarySuffix)) yield* perform({ op: 'remove', path })
  }
}

function hasEnded({ status }: RunState): boolean {
  return status === 'completed' || status === 'cancelled'
}

function notResumable(state: RunState): FaultlineError {
  return new FaultlineError(
    'RUN_NOT_RESUMABLE',
    `Run '${state.runId}' has ${state.status === 'completed' ? 'completed' : 'been cancelled'}; there is nothing to resume.`,
    { details: { runId: state.runId, status: state.status } },
  )
}

/**
 * The definition that the run goes on under when it is not the one it went by.
 *
 * @throws FaultlineError `DEFINITION_CHANGED` with a diff, unless the request says to go on under the current one.
 */
function adoptedWorkflow(
  { expects, definition }: RecoverRequest,
  state: RunState,
  { digest }: DriverPorts,
): MaybePromise<CompiledWorkflow | undefined> {
  if (expects === undefined || hasEnded(state)) return undefined
  const expectedSha256 = definitionDigest(expects, digest)
  if (expectedSha256 === state.workflow.definitionSha256) return undefined
  const recorded = state.workflow.definition
  if (definition === 'current' && expects.id === recorded.id) return compileWorkflow(expects, expectedSha256)
  const changes = definitionChanges(recorded, expects)
  const shown = changes.slice(0, 5).join('; ')
  const goOn =
    expects.id === recorded.id
      ? `resume with definition 'current' (goes on under what it says now; completed steps stay completed)`
      : `start a new run`
  throw new FaultlineError(
    'DEFINITION_CHANGED',
    `Run '${state.runId}' goes by another definition of workflow '${recorded.id}': ${shown}` +
      `${changes.length > 5 ? `; and ${changes.length - 5} more` : ''}. Restore the definition, or ${goOn}.`,
    { details: { runId: state.runId, changes } },
  )
}
