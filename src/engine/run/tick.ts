import { deepFreeze, formatDuration, messageOf } from '../../core/index.ts'
import type { FileProgram, GateDecision, TickPolicy, TickReport } from '../../ports/index.ts'
import { perform } from '../../ports/index.ts'
import type {
  ArtifactCreatedEvent,
  EventBody,
  LateResultEvent,
  StepError,
  WorkflowEvent,
} from '../../trace/index.ts'
import { hasFindings } from '../../trace/index.ts'
import { Attempt } from '../step/attempt.ts'
import { judgeResult, mayBeRetried } from '../step/judgement.ts'
import { placeArtifacts, settleStaged } from '../store/artifact-commit.ts'
import { releaseLock } from '../store/lock.ts'
import { askGate, callAgent } from './calls.ts'
import { dueCheckpoint, pauseCheckpoint, recordCheckpoints } from './checkpoint.ts'
import type { CompiledFlow } from './connections.ts'
import { decide } from './decision.ts'
import type { Decision } from './decision.ts'
import { gateNotPassed, noteAnswer, noteExpiry, routeOf, waitingStep } from './gate-decision.ts'
import { retryDelayMs, stepDeadline, stepTimeout, timeoutOf } from './limits.ts'
import { caught, closeFiles, commit, note, saveState } from './live-run.ts'
import type { LiveRun, ProcessMade, Result, Returned } from './live-run.ts'
import { goesOn, isStopping } from './passage.ts'
import {
  expired,
  heldSteps,
  isHalted,
  nextDue,
  overdue,
  overdueRetries,
  startable,
  workflowTimedOut,
  workflowWarningDue,
  worthWarning,
} from './planner.ts'
import { missingInput } from './pause.ts'
import { prepareStep } from './prepare-step.ts'
import type { Prepared } from './prepare-step.ts'
import {
  assertNotRollingBack,
  isRollingBack,
  nextUndo,
  undoContext,
  undoDeadline,
  undoDefinition,
  undoTimeout,
} from './rollback.ts'
import type { RunState } from './run-state.ts'
import { recordedOutputs } from './state-view.ts'
import { stepContext, stepFailed } from './step-context.ts'

/** A log smaller than twice this is read faster than a snapshot of it is worth. */
const leastSavedBytes = 8 * 1024

/** What a move has led to: the report, and what to do now that all of it is durable and no file program is running. */
export interface Moved {
  readonly report: TickReport
  readonly actions: readonly (() => void)[]
}

/** What one tick has in hand. */
interface Tick {
  readonly run: LiveRun
  readonly policy: TickPolicy
  readonly events: WorkflowEvent[]
  /** Calls to make and signals to send once the tick is over: what they rest on is durable by then. */
  readonly actions: (() => void)[]
  readonly endedAttempts: Attempt[]
  stopped: boolean
  /** The limit of the workflow has passed: nothing starts any more. */
  timedOut: boolean
  /** The instant by which it was decided what starts. Until the tick is durable, time goes on. */
  decidedAt: number
}

/**
 * One move of a run: takes in results, applies limits, starts what may start, and makes all of it durable before anybody
 * hears of it. The one place where events come from while a run moves.
 */
export function* tick(run: LiveRun, policy: TickPolicy): FileProgram<Moved> {
  run.log.assertUsable()
  const current = newTick(run, policy)
  yield* takeResults(current, run.inbox.splice(0, policy.maxResults))
  if (run.state.status === 'running') {
    if (!current.stopped) applyLimits(current)
    if (!current.stopped && !current.timedOut && !isRollingBack(run.state)) startSteps(current)
    endRun(current)
  }
  return yield* conclude(current)
}

/**
 * Ends a run for good: nothing more starts, and what is in flight is aborted, at once or after the workflow's time of grace. The
 * second time it is aborted at once.
 */
export function* cancelRun(run: LiveRun, reason: string): FileProgram<Moved> {
  run.log.assertUsable()
  assertNotRollingBack(run.state)
  const current = newTick(run, nothing)
  const { cancelledFor, workflow } = run.state
  const { cancelGraceMs = 0 } = workflow.definition.limits
  if (cancelGraceMs > 0 && run.attempts.size > 0 && cancelledFor === null) {
    const graceUntil = run.ports.clock.now() + cancelGraceMs
    emit(current, { kind: 'workflow_cancel', status: 'cancelled', reason, graceUntil })
  } else {
    abortAll(current, cancelledFor ?? reason)
    if (cancelledFor === null) emit(current, { kind: 'workflow_cancel', status: 'cancelled', reason })
    emit(current, { kind: 'workflow_end', status: 'cancelled' })
  }
  return yield* conclude(current)
}

/** Takes the answer of a person to a gate that waits for one. */
export function* answerGate(run: LiveRun, step: string, decision: GateDecision): FileProgram<Moved> {
  run.log.assertUsable()
  const current = newTick(run, nothing)
  const now = run.ports.clock.now()
  noteAnswer(run.state, waitingStep(run.state, step, now), decision, now, (body) =>
    emitDecided(current, body),
  )
  return yield* conclude(current)
}

const nothing: TickPolicy = { holds: new Set(), stopsAfter: () => false, maxResults: 0 }

function* conclude(current: Tick): FileProgram<Moved> {
  yield* flush(current)
  yield* tidy(current)
  return { report: report(current), actions: current.actions }
}

function abortAll(current: Tick, reason: string): void {
  for (const attempt of Array.from(current.run.attempts.values())) {
    endAttempt(current, attempt, {
      kind: 'cancelled',
      message: `Step '${attempt.key.step}' was cancelled: ${reason}`,
    })
  }
}

function newTick(run: LiveRun, policy: TickPolicy): Tick {
  const decidedAt = run.ports.clock.now()
  return {
    run,
    policy,
    events: [],
    actions: [],
    endedAttempts: [],
    stopped: false,
    timedOut: false,
    decidedAt,
  }
}

function* takeResults(current: Tick, results: readonly Result[]): FileProgram<void> {
  const { run } = current
  const commits: { attempt: Attempt; returned: Returned }[] = []
  for (const result of results) {
    const { attempt } = result
    if (result.type === 'process-made') noteProcess(current, result)
    else if (attempt.ended) noteLate(current, result)
    else if (attempt.undoes) takeUndone(current, result)
    else if (result.type === 'threw') endAttempt(current, attempt, caught(run, result.thrown))
    else if (result.type === 'gate-threw') endAttempt(current, attempt, gateError(attempt, result.thrown))
    else if (result.type === 'gate-decided') takeDecision(current, result)
    else {
      const schema = run.state.workflow.preparations.get(attempt.index)?.outputSchema
      const judged = judgeResult(attempt.definition, result.output, attempt.files, schema)
      if (!judged.good) endAttempt(current, attempt, judged.error)
      else if (attempt.files.size > 0) commits.push({ attempt, returned: judged })
      else settle(current, attempt, judged)
    }
  }
  if (commits.length > 0) yield* commitArtifacts(current, commits)
}

/** A process is let go once the log has its group; where its attempt has ended meanwhile, it has been ended with it. */
function noteProcess(current: Tick, { attempt, group, recorded }: ProcessMade): void {
  if (attempt.ended) return
  emit(current, { kind: 'process_start', status: 'running', ...attempt.context, group })
  current.actions.push(recorded)
}

/** Announces the artifacts of all given attempts in one commit, then moves them into place, then finishes the steps. */
function* commitArtifacts(
  current: Tick,
  commits: readonly { readonly attempt: Attempt; readonly returned: Returned }[],
): FileProgram<void> {
  const { run } = current
  try {
    for (const { attempt } of commits) yield* settleStaged(attempt.staging, [...attempt.staged.values()])
    for (const { attempt, returned } of commits) {
      emit(current, {
        kind: 'artifacts_prepared',
        status: 'running',
        ...attempt.context,
        artifacts: [...attempt.files.values()],
        output: returned.output,
        ...(returned.scoring === undefined ? {} : { scoring: returned.scoring }),
      })
    }
    yield* flush(current)
    for (const { attempt } of commits) {
      yield* placeArtifacts(attempt.staging, [...attempt.staged.values()], run.durableFolders)
      attempt.placed = true
    }
  } catch (error) {
    throw run.log.poison(error)
  }
  for (const { attempt, returned } of commits) settle(current, attempt, returned)
}

/** A good result: the gate is asked if there is one, otherwise the step is finished. */
function settle(current: Tick, attempt: Attempt, returned: Returned): void {
  const { run } = current
  if (attempt.definition.gate === undefined) return finish(current, attempt, returned)
  if (attempt.definition.gate.condition === undefined) return putToPerson(current, attempt, returned)
  run.gating.add(attempt.index)
  current.actions.push(() => askGate(run, attempt, returned))
}

function finish(current: Tick, attempt: Attempt, returned: Returned): void {
  close(current, attempt)
  emit(current, {
    kind: 'step_finish',
    status: 'completed',
    ...attempt.context,
    output: returned.output,
    ...(returned.scoring === undefined ? {} : { scoring: returned.scoring }),
    artifacts: [...attempt.files.values()],
    durationMs: duration(current.run, attempt),
  })
  const checkpoint = dueCheckpoint(current.run, attempt.context)
  if (checkpoint !== undefined) emit(current, checkpoint)
}

/** The step is over as far as its agent goes; whether it is complete, a person has to say. */
function putToPerson(current: Tick, attempt: Attempt, { output, scoring }: Returned): void {
  const { expiresAfterMs } = attempt.definition.gate ?? {}
  close(current, attempt)
  emit(current, {
    kind: 'gate_wait',
    status: 'waiting',
    ...attempt.context,
    output,
    ...(scoring === undefined ? {} : { scoring }),
    ...(expiresAfterMs === undefined ? {} : { expiresAt: current.run.ports.clock.now() + expiresAfterMs }),
  })
}

function emitDecided(current: Tick, body: EventBody): void {
  emit(current, body)
  const checkpoint = body.kind === 'step_finish' ? dueCheckpoint(current.run, body) : undefined
  if (checkpoint !== undefined) emit(current, checkpoint)
}

function takeDecision(current: Tick, result: Extract<Result, { type: 'gate-decided' }>): void {
  const { attempt, decision, returned } = result
  const { state } = current.run
  const { passed, reason } = decision
  const route = routeOf(state, attempt.index, passed)
  emit(current, {
    kind: 'gate_result',
    status: passed ? 'passed' : 'failed',
    ...attempt.context,
    ...(reason === undefined ? {} : { reason }),
    ...(returned.scoring === undefined ? {} : { scoring: returned.scoring }),
    output: returned.output,
    route,
  })
  if (route.to === 'pass') return finish(current, attempt, returned)
  if (route.to === 'loop') return close(current, attempt)
  endAttempt(current, attempt, gateNotPassed(state, attempt.index, reason))
}

function applyLimits(current: Tick): void {
  const { run } = current
  const now = run.ports.clock.now()
  if (run.state.undoing !== null) return limitUndo(current, run.state.undoing, now)
  if (workflowTimedOut(run.state, now)) return endByWorkflowLimit(current)
  if (now >= workflowWarningDue(run.state)) {
    const { warnAfterMs = 0, timeoutMs = 0 } = run.state.workflow.definition.limits
    emit(current, { kind: 'workflow_warning', status: 'warned', warnAfterMs, timeoutMs })
  }
  for (const index of overdue(run.state, now, run.gating)) {
    endAttempt(current, run.attempts.get(index) as Attempt, timeoutOf(run.state, index, now))
  }
  for (const index of overdueRetries(run.state, now)) {
    failRetrying(current, index, stepTimeout(run.state, index))
  }
  for (const index of worthWarning(run.state, now, run.gating)) {
    const { warnAfterMs, timeoutMs } = run.state.workflow.steps[index] as Attempt['definition']
    emit(current, {
      kind: 'timeout_warning',
      status: 'warned',
      ...stepContext(run.state, index),
      warnAfterMs: warnAfterMs as number,
      timeoutMs,
    })
  }
  for (const index of expired(run.state, now))
    noteExpiry(run.state, index, now, (body) => emit(current, body))
  const { cancelledFor, graceUntil } = run.state
  if (cancelledFor !== null && now >= graceUntil) abortAll(current, cancelledFor)
}

function endByWorkflowLimit(current: Tick): void {
  const { run } = current
  const { definition } = run.state.workflow
  current.timedOut = true
  const error: StepError = {
    kind: 'workflow-timeout',
    message:
      `Workflow '${definition.id}' exceeded its limit of ${formatDuration(definition.limits.timeoutMs ?? 0)}` +
      `${run.attempts.size === 0 ? '' : ` while it was in ${[...run.attempts.values()].map(({ key }) => `'${key.step}'`).join(', ')}`}.`,
  }
  for (const attempt of Array.from(run.attempts.values())) endAttempt(current, attempt, error)
  if (definition.rollback === true)
    for (const index of run.state.retrying) failRetrying(current, index, error)
  if (run.state.failure === null) emit(current, { kind: 'workflow_end', status: 'failed', error })
}

function startSteps(current: Tick): void {
  const { run, policy } = current
  const { flow } = run.state.workflow
  current.decidedAt = run.ports.clock.now()
  if (run.state.cancelledFor !== null) return
  if (flow !== undefined) return decideSteps(current, flow)
  for (const index of startable(run.state, current.decidedAt, policy)) {
    // A step that cannot be prepared fails at once, and with it the run.
    if (current.stopped || run.state.failure !== null) return
    start(current, index, {})
  }
}

/** Starts what may start and skips what is not to run, until neither makes anything else due. */
function decideSteps(current: Tick, flow: CompiledFlow): void {
  const { run, policy } = current
  const { maxConcurrentSteps } = run.state.workflow.definition.limits
  const isOver = (): boolean => current.stopped || !goesOn(run.state)
  const hasPlace = (): boolean => run.state.active.length < maxConcurrentSteps
  for (let seq = -1; seq < run.state.seq && !isOver();) {
    ;({ seq } = run.state)
    for (const index of run.state.retrying) {
      if (isOver()) return
      const { notBefore, flow: reached } = run.state.steps.get(index)
      const { id, takes } = { id: idOf(run, index), takes: reached.takes ?? undefined }
      if (isStopping(run.state) && !reached.finishesOff)
        skip(current, index, { to: 'skip', reason: 'run_failed', because: [] })
      else if (hasPlace() && current.decidedAt >= notBefore && !policy.holds.has(id))
        start(current, index, takes === undefined ? {} : { takes })
    }
    run.state.ready.some((index) => {
      if (isOver() || !hasPlace()) return true
      const decision = decide(run.state, flow, index)
      if (decision.to === 'skip') skip(current, index, decision)
      else if (decision.to !== 'wait' && !policy.holds.has(idOf(run, index))) start(current, index, decision)
      return false
    })
  }
}

function start(
  current: Tick,
  index: number,
  { takes, error }: { readonly takes?: readonly string[]; readonly error?: StepError },
): void {
  const { run } = current
  const step = run.state.steps.get(index)
  const definition = run.state.workflow.steps[index] as Attempt['definition']
  const key = { step: definition.id, visit: step.visit, attempt: step.attempt + 1 }
  const attempt = new Attempt(index, key, definition, run.layout)
  const prepared: Prepared = error === undefined ? prepareStep(run.state, index) : { ok: false, error }
  const missingVar = missingInput(run.state, prepared)
  if (missingVar !== undefined)
    return emit(current, { kind: 'step_pause', status: 'paused', ...attempt.context, missingVar })
  run.attempts.set(index, attempt)
  emit(current, {
    kind: 'step_start',
    status: 'running',
    ...attempt.context,
    ...(takes === undefined ? {} : { takes }),
  })
  if (!prepared.ok) return endAttempt(current, attempt, prepared.error)
  attempt.parameters = deepFreeze(prepared.parameters)
  current.actions.push(() => callAgent(run, attempt))
}

function skip(
  current: Tick,
  index: number,
  { reason, because, takes }: Extract<Decision, { to: 'skip' }>,
): void {
  const { run } = current
  const { id, agent, action } = run.state.workflow.steps[index] as Attempt['definition']
  emit(current, {
    kind: 'step_skip',
    status: 'skipped',
    step: id,
    visit: run.state.steps.get(index).visit,
    agent,
    ...(action === undefined ? {} : { action }),
    reason,
    because,
    ...(takes === undefined ? {} : { takes }),
  })
}

function idOf(run: LiveRun, index: number): string {
  return run.state.workflow.steps[index]?.id as string
}

function endRun(current: Tick): void {
  const { state } = current.run
  if (state.status !== 'running') return
  const { failure, remaining } = state
  if (state.cancelledFor !== null) {
    if (state.active.length === 0)
      emit(current, { kind: 'workflow_end', status: 'cancelled', ...endNotes(state) })
    return
  }
  const halted = !current.stopped && isHalted(state, current.policy)
  if (failure === null) {
    if (remaining === 0) emit(current, { kind: 'workflow_end', status: 'completed', ...endNotes(state) })
    else if (halted) pause(current)
    return
  }
  if (state.active.length > 0) return
  if (remaining > 0 && goesOn(state) && !current.timedOut && !halted && !isRollingBack(state)) return
  if (goesOnUndoing(current)) return
  const { step, ...error } = failure
  emit(current, {
    kind: 'workflow_end',
    status: 'failed',
    ...endNotes(current.run.state),
    ...(step === null ? {} : { step }),
    error,
  })
}

function endNotes({ steps }: RunState): { readonly degraded?: true; readonly hasFailures?: true } {
  let [degraded, hasFailures] = [false, false]
  for (const { status, output, flow } of steps) {
    degraded ||= flow.tolerated
    hasFailures ||= status === 'completed' && hasFindings(output)
  }
  return { ...(degraded ? { degraded } : {}), ...(hasFailures ? { hasFailures } : {}) }
}

/** A step that waits for a retry has failed: no attempt of it is in flight. */
function failRetrying(current: Tick, index: number, error: StepError): void {
  emit(current, stepFailed(current.run.state, index, error, 0))
}

/** Lets go of a run that only somebody from outside can move. Input that is missing is asked for first. */
function pause(current: Tick): void {
  const { state } = current.run
  const paused = state.halted.find((index) => state.steps.get(index).status === 'paused')
  const index = paused ?? state.halted[0] ?? 0
  const step = state.workflow.steps[index]?.id as string
  const missingVar = state.steps.get(index).aside?.missingVar
  if (missingVar !== undefined) emit(current, pauseCheckpoint(current.run, stepContext(state, index)))
  emit(current, {
    kind: 'workflow_pause',
    status: paused === undefined ? 'waiting' : 'paused',
    step,
    ...(missingVar === undefined ? {} : { missingVar }),
  })
}

/** Undoes the next step of a rollback, if one is left; one that cannot even be asked for has failed. */
function goesOnUndoing(current: Tick): boolean {
  const { run } = current
  if (run.state.undoing !== null) return true
  for (let index = nextUndo(run.state); index !== undefined; index = nextUndo(run.state)) {
    if (current.stopped) return true
    const context = undoContext(run.state, index)
    emit(current, { kind: 'undo_start', status: 'running', ...context })
    try {
      const definition = undoDefinition(run.state, index, recordedOutputs(run.state))
      const { step, visit, attempt } = context
      const undo = new Attempt(index, { step, visit, attempt }, definition, run.layout, true)
      run.attempts.set(index, undo)
      current.actions.push(() => callAgent(run, undo))
      return true
    } catch (thrown) {
      emit(current, {
        kind: 'undo_fail',
        status: 'failed',
        ...context,
        error: caught(run, thrown),
        durationMs: 0,
      })
    }
  }
  return false
}

function takeUndone(current: Tick, result: Result): void {
  const { attempt } = result
  if (result.type === 'returned') {
    const judged = judgeResult(attempt.definition, result.output, attempt.staged)
    if (!judged.good) return failUndo(current, attempt, judged.error)
    const durationMs = undoDuration(current.run, attempt)
    close(current, attempt)
    const { output } = judged
    emit(current, { kind: 'undo_finish', status: 'completed', ...attempt.context, output, durationMs })
  } else if (result.type === 'threw') failUndo(current, attempt, caught(current.run, result.thrown))
}

function failUndo(current: Tick, attempt: Attempt, error: StepError): void {
  const durationMs = undoDuration(current.run, attempt)
  close(current, attempt)
  current.actions.push(() => attempt.abort(error.message))
  emit(current, { kind: 'undo_fail', status: 'failed', ...attempt.context, error, durationMs })
}

function undoDuration(run: LiveRun, { index, definition }: Attempt): number {
  return run.ports.clock.now() - undoDeadline(run.state, index) + definition.timeoutMs
}

function limitUndo(current: Tick, index: number, now: number): void {
  const { state, attempts } = current.run
  const attempt = attempts.get(index)
  if (attempt !== undefined && now >= undoDeadline(state, index))
    failUndo(current, attempt, undoTimeout(state, index))
}

/** An attempt that did not succeed: retried if its error may pass and tries are left, otherwise the step has failed. */
function endAttempt(current: Tick, attempt: Attempt, error: StepError): void {
  const { run } = current
  const { definition } = attempt
  const { state } = run
  const { retriesUsed, flow } = state.steps.get(attempt.index)
  const now = run.ports.clock.now()
  const durationMs = duration(run, attempt)
  close(current, attempt)
  current.actions.push(() => attempt.abort(error.message))
  const delayMs = retryDelayMs(state, attempt.index)
  const isGivenUp = (isStopping(state) && !flow.finishesOff) || state.cancelledFor !== null
  const isLeft = retriesUsed < definition.retries && now + delayMs < stepDeadline(state, attempt.index)
  if (mayBeRetried(error) && isLeft && !isGivenUp) {
    emit(current, {
      kind: 'step_retry',
      status: 'retrying',
      ...attempt.context,
      error,
      durationMs,
      delayMs,
      notBefore: now + delayMs,
    })
  } else {
    emit(current, stepFailed(state, attempt.index, error, durationMs))
  }
}

function close(current: Tick, attempt: Attempt): void {
  attempt.ended = true
  current.run.attempts.delete(attempt.index)
  current.run.gating.delete(attempt.index)
  current.endedAttempts.push(attempt)
  if (attempt.ownsProcesses) current.actions.push(() => attempt.endProcesses())
  if (!attempt.placed) return
  for (const artifact of attempt.files.values()) {
    explain(current, { kind: 'artifact_created', status: 'created', ...attempt.context, artifact })
  }
}

/** Says that a result came too late; an agent that merely obeyed its abort signal is not worth a line. */
function noteLate(current: Tick, result: Exclude<Result, ProcessMade>): void {
  if (current.run.state.status !== 'running' || result.attempt.undoes) return
  if ('thrown' in result && result.attempt.isAbortReason(result.thrown)) return
  explain(current, {
    kind: 'late_result',
    status: 'discarded',
    ...result.attempt.context,
    outcome: result.type === 'returned' || result.type === 'gate-decided' ? 'returned' : 'threw',
  })
}

function* flush(current: Tick): FileProgram<void> {
  current.events.push(...(yield* commit(current.run)))
}

/** Clears staging folders, saves the snapshot when it is due, and lets go of a run that has ended. */
function* tidy(current: Tick): FileProgram<void> {
  const { run } = current
  try {
    for (const attempt of current.endedAttempts) {
      if (attempt.hasStaged) yield* perform({ op: 'removeFolder', path: attempt.staging })
    }
    yield* recordCheckpoints(run, current.events)
    const isLetGo = current.events.some(({ kind }) => kind === 'workflow_end' || kind === 'workflow_pause')
    if (isLetGo || run.log.sizeBytes >= 2 * Math.max(run.savedAtBytes, leastSavedBytes)) yield* saveState(run)
    if (!isLetGo) return
    yield* closeFiles(run)
    yield* releaseLock(run.lock)
  } catch (error) {
    throw run.log.poison(error)
  }
}

function report(current: Tick): TickReport {
  const { run } = current
  const { state } = run
  return {
    status: state.status,
    events: current.events,
    held: heldSteps(state, current.policy),
    inFlight: [...run.attempts.values()].map(({ key }) => key.step),
    backlog: run.inbox.length,
    nextAt: nextDue(state, current.decidedAt, run.gating),
  }
}

function emit(current: Tick, body: EventBody): void {
  const event = note(current.run, body)
  if (current.policy.stopsAfter(event)) current.stopped = true
}

/** Notes an event that nothing is resumed from, unless the project does without them. */
function explain(current: Tick, body: ArtifactCreatedEvent | LateResultEvent): void {
  if (current.run.ports.eventLog !== false) emit(current, body)
}

function duration(run: LiveRun, attempt: Attempt): number {
  return run.ports.clock.now() - run.state.steps.get(attempt.index).startedAt
}

function gateError(attempt: Attempt, thrown: unknown): StepError {
  return {
    kind: 'gate',
    message: `The gate of step '${attempt.key.step}' cannot be judged: ${messageOf(thrown)}`,
  }
}
