import { deepFreeze, formatDuration, messageOf } from '../../core/index.ts'
import type { FileProgram, TickPolicy, TickReport } from '../../ports/index.ts'
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
import { errorOf, judgeResult, mayBeRetried } from '../step/judgement.ts'
import { placeArtifacts, settleStaged } from '../store/artifact-commit.ts'
import { releaseLock } from '../store/lock.ts'
import { askGate, callAgent } from './calls.ts'
import { dueCheckpoint, recordCheckpoints } from './checkpoint.ts'
import type { CompiledFlow } from './connections.ts'
import { decide } from './decision.ts'
import type { Decision } from './decision.ts'
import { closeFiles, commit, note, saveState } from './live-run.ts'
import type { LiveRun, ProcessMade, Result, Returned } from './live-run.ts'
import { goesOn, isStopping } from './passage.ts'
import { heldSteps, nextDue, overdue, startable, workflowTimedOut } from './planner.ts'
import { prepareStep } from './prepare-step.ts'
import type { RunState } from './run-state.ts'

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
    if (!current.stopped && !current.timedOut) startSteps(current)
    endRun(current)
  }
  yield* flush(current)
  yield* tidy(current)
  return { report: report(current), actions: current.actions }
}

/** Ends a run for good: what is in flight is aborted, nothing more starts. */
export function* cancelRun(run: LiveRun, reason: string): FileProgram<Moved> {
  run.log.assertUsable()
  const current = newTick(run, { holds: new Set(), stopsAfter: () => false, maxResults: 0 })
  for (const attempt of Array.from(run.attempts.values())) {
    endAttempt(current, attempt, {
      kind: 'cancelled',
      message: `Step '${attempt.key.step}' was cancelled: ${reason}`,
    })
  }
  emit(current, { kind: 'workflow_cancel', status: 'cancelled', reason })
  emit(current, { kind: 'workflow_end', status: 'cancelled' })
  yield* flush(current)
  yield* tidy(current)
  return { report: report(current), actions: current.actions }
}

function newTick(run: LiveRun, policy: TickPolicy): Tick {
  return { run, policy, events: [], actions: [], endedAttempts: [], stopped: false, timedOut: false }
}

function* takeResults(current: Tick, results: readonly Result[]): FileProgram<void> {
  const { run } = current
  const commits: { attempt: Attempt; returned: Returned }[] = []
  for (const result of results) {
    const { attempt } = result
    if (result.type === 'process-made') noteProcess(current, result)
    else if (attempt.ended) noteLate(current, result)
    else if (result.type === 'threw') endAttempt(current, attempt, errorOf(result.thrown))
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

function takeDecision(current: Tick, result: Extract<Result, { type: 'gate-decided' }>): void {
  const { attempt, decision, returned } = result
  const gate = attempt.definition.gate
  const { loops, flow } = current.run.state.steps.get(attempt.index)
  // What finishes a failed run off does not begin any of it anew.
  const mayReturn = gate !== undefined && loops < gate.maxLoops && !flow.finishesOff
  const returnsTo = mayReturn ? gate.onFail : undefined
  emit(current, {
    kind: 'gate_result',
    status: decision.passed ? 'passed' : 'failed',
    ...attempt.context,
    ...(decision.reason === undefined ? {} : { reason: decision.reason }),
    ...(returned.scoring === undefined ? {} : { scoring: returned.scoring }),
    output: returned.output,
    route: decision.passed
      ? { to: 'pass' }
      : returnsTo === undefined
        ? { to: 'fail' }
        : { to: 'loop', target: returnsTo, loop: loops + 1 },
  })
  if (decision.passed) return finish(current, attempt, returned)
  if (returnsTo !== undefined) return close(current, attempt)
  const evaluations = loops === 0 ? '' : ` after ${loops + 1} evaluations`
  const reason = decision.reason === undefined ? '' : `: ${decision.reason}`
  endAttempt(current, attempt, {
    kind: 'gate',
    message: `The gate of step '${attempt.key.step}' did not pass${evaluations}${reason}.`,
  })
}

function applyLimits(current: Tick): void {
  const { run } = current
  const now = run.ports.clock.now()
  if (workflowTimedOut(run.state, now)) return endByWorkflowLimit(current)
  for (const index of overdue(run.state, now, run.gating)) {
    const attempt = run.attempts.get(index) as Attempt
    endAttempt(current, attempt, {
      kind: 'timeout',
      message:
        `Step '${attempt.key.step}' (attempt ${attempt.key.attempt}) exceeded its limit of ` +
        `${formatDuration(attempt.definition.timeoutMs)}.`,
    })
  }
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
  if (run.state.failure === null) emit(current, { kind: 'workflow_end', status: 'failed', error })
}

function startSteps(current: Tick): void {
  const { run, policy } = current
  const { flow } = run.state.workflow
  if (flow !== undefined) return decideSteps(current, flow)
  for (const index of startable(run.state, run.ports.clock.now(), policy)) {
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
      else if (hasPlace() && run.ports.clock.now() >= notBefore && !policy.holds.has(id))
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
  run.attempts.set(index, attempt)
  emit(current, {
    kind: 'step_start',
    status: 'running',
    ...attempt.context,
    ...(takes === undefined ? {} : { takes }),
  })
  if (error !== undefined) return endAttempt(current, attempt, error)
  const prepared = prepareStep(run.state, index)
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
  if (failure === null) {
    if (remaining === 0) emit(current, { kind: 'workflow_end', status: 'completed', ...endNotes(state) })
    return
  }
  if (state.active.length > 0 || (remaining > 0 && goesOn(state) && !current.timedOut)) return
  const { step, ...error } = failure
  emit(current, {
    kind: 'workflow_end',
    status: 'failed',
    ...endNotes(state),
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

/** An attempt that did not succeed: retried if its error may pass and tries are left, otherwise the step has failed. */
function endAttempt(current: Tick, attempt: Attempt, error: StepError): void {
  const { run } = current
  const { definition } = attempt
  const { retriesUsed, flow } = run.state.steps.get(attempt.index)
  const durationMs = duration(run, attempt)
  close(current, attempt)
  current.actions.push(() => attempt.abort(error.message))
  const isGivenUp = isStopping(run.state) && !flow.finishesOff
  if (mayBeRetried(error) && retriesUsed < definition.retries && !isGivenUp) {
    const delayMs = definition.retryDelayMs * 2 ** retriesUsed
    emit(current, {
      kind: 'step_retry',
      status: 'retrying',
      ...attempt.context,
      error,
      durationMs,
      delayMs,
      notBefore: run.ports.clock.now() + delayMs,
    })
  } else {
    const tolerated = definition.continueOnError === true && !endsRun(error)
    emit(current, {
      kind: 'step_fail',
      status: 'failed',
      ...attempt.context,
      ...(tolerated ? { tolerated } : {}),
      error,
      durationMs,
    })
  }
}

/** No step can tolerate what ends the whole run. */
function endsRun({ kind }: StepError): boolean {
  return kind === 'workflow-timeout' || kind === 'cancelled'
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
  if (current.run.state.status !== 'running') return
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
      if (attempt.staged.size > 0) yield* perform({ op: 'removeFolder', path: attempt.staging })
    }
    yield* recordCheckpoints(run, current.events)
    const hasEnded = current.events.some((event) => event.kind === 'workflow_end')
    if (hasEnded || run.log.sizeBytes >= 2 * Math.max(run.savedAtBytes, leastSavedBytes))
      yield* saveState(run)
    if (!hasEnded) return
    yield* closeFiles(run)
    yield* releaseLock(run.layout, run.ports.owner)
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
    nextAt: nextDue(state, run.ports.clock.now(), run.gating),
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
