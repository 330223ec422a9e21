import { assert, IndexSet, isJsonObject, unreachable } from '../../core/index.ts'
import type { JsonValue, PersistentVector } from '../../core/index.ts'
import type { AttemptRecord, EventOf, WorkflowEvent } from '../../trace/index.ts'
import { stepIndex } from './compiled-workflow.ts'
import { flowInto, isSettled, isSettledForGood } from './passage.ts'
import { isRollingBack } from './rollback.ts'
import { copyOfRun, copyOfStep, noFlow } from './run-state.ts'
import type { Draft, RunState, StepAside, StepState } from './run-state.ts'

/** The only place where a run's state changes. Pure: the same state and event always give the same next state. */
export function reduce(state: RunState, event: WorkflowEvent): RunState {
  assert(event.seq === state.seq + 1, 'events follow one another without gaps', event.seq)
  assert(
    state.status === 'running' || mayFollowEnd(state.status, event.kind),
    'nothing follows the end of a run',
    event.kind,
  )
  const next = copyOfRun(state)
  next.seq = event.seq
  next.epoch = event.epoch
  next.updatedAt = event.at
  apply(next, event)
  return next
}

/** Only a run that has not ended for good can be taken up again. */
function mayFollowEnd(status: RunState['status'], kind: WorkflowEvent['kind']): boolean {
  return (
    (kind === 'workflow_resume' && status !== 'completed' && status !== 'cancelled') || kind === 'late_result'
  )
}

function apply(state: Draft<RunState>, event: WorkflowEvent): void {
  switch (event.kind) {
    case 'workflow_start':
      throw new Error('workflow_start makes the initial state and is never folded')
    case 'workflow_resume':
      return resume(state, event)
    case 'workflow_cancel':
      state.cancelledFor = event.reason
      state.graceUntil = event.graceUntil ?? event.at
      return
    case 'workflow_pause':
      state.status = event.status
      return
    case 'late_result':
    case 'artifact_created':
    case 'checkpoint':
      return
    case 'workflow_end':
      state.status = event.status
      if (event.error !== undefined) state.failure ??= { ...event.error, step: event.step ?? null }
      return
    case 'artifact_edit':
      state.edits = [
        ...state.edits.filter((edit) => edit.path !== event.artifact.path),
        { ...event.artifact, producedBy: null, visit: 0, attempt: 0, seq: event.seq },
      ]
      return
    case 'step_start':
      return startStep(state, event)
    case 'process_start':
      return startProcess(state, event)
    case 'step_skip':
      return skipStep(state, event)
    case 'artifacts_prepared':
      draftOf(state, stepIndex(state.workflow, event.step)).prepared = {
        artifacts: event.artifacts,
        output: event.output,
        scoring: event.scoring ?? null,
        seq: event.seq,
      }
      return
    case 'step_pause':
      return pauseStep(state, event)
    case 'workflow_warning':
      state.limitWarned = true
      return
    case 'timeout_warning':
      return setAside(state, stepIndex(state.workflow, event.step), { warned: event.attempt })
    case 'gate_wait':
      return awaitAnswer(state, event)
    case 'gate_result':
      return decideGate(state, event)
    case 'step_finish':
      return finishStep(state, event)
    case 'step_retry':
      return planRetry(state, event)
    case 'step_fail':
      return failStep(state, event)
    case 'undo_start':
    case 'undo_finish':
    case 'undo_fail':
      return undoStep(state, event)
    default:
      return unreachable(event)
  }
}

function startStep(state: Draft<RunState>, event: EventOf<'step_start'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(
    step.status === 'pending' || step.status === 'retrying',
    'a step that starts is pending or retrying',
    event.step,
  )
  const { flow } = state.workflow
  assert(
    step.blockers === 0 || flow?.joinsAny.has(index) === true,
    'a step starts after all it depends on',
    event.step,
  )
  assert(
    event.visit === step.visit && event.attempt === step.attempt + 1,
    'attempts are numbered in order',
    event.step,
  )
  // A step that was reached before a crash goes on from there.
  if (flow !== undefined && !step.flow.isReached) step.flow = flowInto(state, flow, index, event)
  if (step.status === 'pending') state.ready = state.ready.without(index)
  else state.retrying = without(state.retrying, index)
  state.active = [...state.active, index]
  step.status = 'running'
  step.attempt = event.attempt
  step.error = null
  step.prepared = null
  step.startedAt = event.at
  step.attempts = [
    ...step.attempts,
    {
      attempt: event.attempt,
      durationMs: null,
      error: null,
      finishedAt: null,
      outcome: 'running',
      startedAt: event.at,
      visit: event.visit,
    },
  ]
}

function startProcess(state: Draft<RunState>, event: EventOf<'process_start'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(
    step.status === 'running' || state.undoing === index,
    'a step that starts a process is running, or being undone',
    event.step,
  )
  step.processes = [...step.processes, event.group]
}

function finishStep(state: Draft<RunState>, event: EventOf<'step_finish'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(isInHand(step), 'a step that finishes is running', event.step)
  placePrepared(step, event)
  leaveHalt(state, step, index)
  step.status = 'completed'
  step.processes = none
  step.output = event.output
  step.outputBlob = event.outputBlob ?? null
  step.scoring = event.scoring ?? null
  endAttempt(step, event, 'completed')
  step.finishedSeq = event.seq
  state.active = without(state.active, index)
  state.finishes++
  settle(state, index)
}

/** A step has come to an end: what depends on it has one less to wait for. */
function settle(state: Draft<RunState>, index: number): void {
  state.remaining--
  for (const successor of state.workflow.successors[index] ?? []) {
    const dependant = draftOf(state, successor)
    dependant.blockers--
    // A dependant may have completed already, under a definition that did not yet have this edge.
    if (dependant.status === 'pending' && mayBeDecided(state, successor, dependant.blockers))
      state.ready = state.ready.with(successor)
  }
}

function mayBeDecided({ workflow }: RunState, index: number, blockers: number): boolean {
  return blockers === 0 || workflow.flow?.joinsAny.has(index) === true
}

function skipStep(state: Draft<RunState>, event: EventOf<'step_skip'>): void {
  const { flow } = state.workflow
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(
    flow !== undefined && (step.status === 'pending' || step.status === 'retrying'),
    'a step that is skipped is pending or retrying',
    event.step,
  )
  assert(step.blockers === 0, 'a step is skipped after all it depends on', event.step)
  assert(event.visit === step.visit, 'a step is skipped in its visit', event.step)
  const { reason, because, takes = null } = event
  step.flow = flowInto(state, flow, index, { takes, skipped: { reason, because } })
  step.status = 'skipped'
  state.ready = state.ready.without(index)
  state.retrying = without(state.retrying, index)
  settle(state, index)
}

function planRetry(state: Draft<RunState>, event: EventOf<'step_retry'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(step.status === 'running', 'a step that is retried is running', event.step)
  state.active = without(state.active, index)
  state.retrying = [...state.retrying, index]
  step.status = 'retrying'
  step.retriesUsed++
  step.notBefore = event.notBefore
  step.error = event.error
  step.prepared = null
  endAttempt(step, event, 'failed')
}

function failStep(state: Draft<RunState>, event: EventOf<'step_fail'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(isInHand(step) || step.status === 'retrying', 'a step that fails is running or retrying', event.step)
  placePrepared(step, event)
  leaveHalt(state, step, index)
  state.active = without(state.active, index)
  state.retrying = without(state.retrying, index)
  const tolerated = event.tolerated === true
  if (!tolerated) state.failure ??= { ...event.error, step: event.step }
  step.status = 'failed'
  step.error = event.error
  endAttempt(step, event, 'failed')
  if (state.workflow.flow === undefined) return
  if (tolerated) step.flow = { ...step.flow, tolerated }
  settle(state, index)
}

function decideGate(state: Draft<RunState>, event: EventOf<'gate_result'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(isInHand(step), 'a gate is decided while its step is running', event.step)
  placePrepared(step, event)
  step.output = event.output
  step.outputBlob = event.outputBlob ?? null
  step.scoring = event.scoring ?? null
  step.decisions = [
    ...step.decisions,
    {
      step: event.step,
      visit: event.visit,
      attempt: event.attempt,
      passed: event.status === 'passed',
      reason: event.reason ?? null,
      scoring: event.scoring ?? null,
      route: event.route.to,
      ...(event.by === undefined ? {} : { by: event.by }),
      seq: event.seq,
    },
  ]
  if (event.route.to !== 'loop') return
  const loop = state.workflow.loops.get(index)
  assert(loop !== undefined, 'a gate that loops has a review loop', event.step)
  step.loops = event.route.loop
  endAttempt(step, { at: event.at, durationMs: event.at - step.startedAt }, 'gate-failed')
  state.active = without(state.active, index)
  leaveHalt(state, step, index)
  reopen(state, loop.members, index)
}

/** The step is done and in place; a person has to say whether it counts. */
function awaitAnswer(state: Draft<RunState>, event: EventOf<'gate_wait'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(step.status === 'running', 'a gate is put to somebody while its step is running', event.step)
  placePrepared(step, event)
  step.status = 'waiting'
  step.output = event.output
  step.outputBlob = event.outputBlob ?? null
  step.scoring = event.scoring ?? null
  step.aside = { ...step.aside, waiting: { since: event.at, expiresAt: event.expiresAt ?? null } }
  state.active = without(state.active, index)
  state.halted = [...state.halted, index]
}

function pauseStep(state: Draft<RunState>, event: EventOf<'step_pause'>): void {
  const index = stepIndex(state.workflow, event.step)
  const step = draftOf(state, index)
  assert(step.status === 'pending' && step.blockers === 0, 'a step that pauses could start', event.step)
  step.status = 'paused'
  step.aside = { ...step.aside, missingVar: event.missingVar }
  state.ready = state.ready.without(index)
  state.halted = [...state.halted, index]
}

function undoStep(
  state: Draft<RunState>,
  event: EventOf<'undo_start'> | EventOf<'undo_finish'> | EventOf<'undo_fail'>,
): void {
  const index = stepIndex(state.workflow, event.step)
  const { status, aside } = state.steps.get(index)
  const starts = event.kind === 'undo_start'
  assert(status === 'completed', 'what is undone had completed', event.step)
  assert(
    starts ? aside?.undo?.finishedAt == null && state.undoing === null : state.undoing === index,
    'a step is undone once, and no other meanwhile',
    event.step,
  )
  const { attempt, at } = event
  state.undoing = starts ? index : null
  draftOf(state, index).processes = none
  setAside(state, index, {
    undo: {
      attempt,
      error: event.kind === 'undo_fail' ? event.error : null,
      finishedAt: starts ? null : at,
      output: event.kind === 'undo_finish' ? event.output : null,
      startedAt: starts ? at : (aside?.undo?.startedAt as number),
      status: event.status,
    },
  })
}

function setAside(state: Draft<RunState>, index: number, change: StepAside): void {
  const step = draftOf(state, index)
  step.aside = { ...step.aside, ...change }
}

/** Its agent has not been answered for, or its gate has not. */
function isInHand({ status }: StepState): boolean {
  return status === 'running' || status === 'waiting'
}

function leaveHalt(state: Draft<RunState>, step: Draft<StepState>, index: number): void {
  if (step.status !== 'waiting') return
  step.aside = withoutHalt(step.aside)
  state.halted = without(state.halted, index)
}

function withoutHalt(aside: StepAside | null): StepAside | null {
  if (aside === null) return null
  const { missingVar, waiting, ...kept } = aside
  void missingVar
  void waiting
  return Object.keys(kept).length === 0 ? null : kept
}

/** Opens a new visit of every member of a review loop; what depends on them waits again. */
function reopen(state: Draft<RunState>, members: readonly number[], gated: number): void {
  const inside = new Set(members)
  for (const member of members) {
    if (!isSettled(state.steps.get(member))) continue
    state.remaining++
    for (const successor of state.workflow.successors[member] ?? []) {
      if (inside.has(successor)) continue
      const dependant = draftOf(state, successor)
      dependant.blockers++
      if (!mayBeDecided(state, successor, dependant.blockers)) state.ready = state.ready.without(successor)
    }
  }
  for (const member of members) {
    const step = draftOf(state, member)
    openVisit(step)
    // A gate inside the loop starts its own counting anew; only the gate that looped keeps its count.
    if (member !== gated) step.loops = 0
  }
  for (const member of members) {
    const blockers = openPredecessors(state.steps, state.workflow.predecessors[member] ?? [])
    draftOf(state, member).blockers = blockers
    state.ready = mayBeDecided(state, member, blockers)
      ? state.ready.with(member)
      : state.ready.without(member)
  }
  const failedAt = state.failure?.step ?? null
  if (failedAt !== null && inside.has(stepIndex(state.workflow, failedAt))) state.failure = nextFailure(state)
}

/** After the step that failed first was sent back: the failure of another step, if one has failed too. */
function nextFailure({ workflow, steps }: RunState): RunState['failure'] {
  for (const [index, { id }] of workflow.steps.entries()) {
    const { status, flow, error } = steps.get(index)
    if (status === 'failed' && !flow.tolerated && error !== null) return { ...error, step: id }
  }
  return null
}

function openVisit(step: Draft<StepState>): void {
  step.aside = null
  step.status = 'pending'
  step.visit++
  step.attempt = 0
  step.retriesUsed = 0
  step.error = null
  step.prepared = null
  step.flow = noFlow
}

function resume(state: Draft<RunState>, event: EventOf<'workflow_resume'>): void {
  const { workflow } = state
  assert(
    event.adopts === undefined || event.adopts.definitionSha256 === workflow.definitionSha256,
    'a resume under another definition finds the state already by that definition',
  )
  // A rollback that was interrupted goes on: the step that was being undone is undone anew, and nothing else starts.
  if (state.status === 'running' && isRollingBack(state)) {
    state.undoing = null
    return
  }
  const restarts = new Set(event.restarts.map((step) => stepIndex(workflow, step)))
  const reopensLoopOf =
    event.reopensLoopOf === undefined ? undefined : stepIndex(workflow, event.reopensLoopOf)
  const loopMembers = new Set(reopensLoopOf === undefined ? [] : workflow.loops.get(reopensLoopOf)?.members)
  // A step that nothing happens to stays the same value.
  for (let index = 0; index < state.steps.size; index++) {
    const before = state.steps.get(index)
    const stays = isSettledForGood(before) || before.status === 'waiting'
    const isDone = before.status === 'completed' || before.status === 'waiting'
    if ((!stays || restarts.has(index)) && isUnderWay(before)) interrupt(draftOf(state, index), event.at)
    if (loopMembers.has(index) || (restarts.has(index) && isDone)) openVisit(draftOf(state, index))
    if (index === reopensLoopOf) draftOf(state, index).loops = 0
  }
  const ready: number[] = []
  const halted: number[] = []
  let remaining = 0
  for (let index = 0; index < state.steps.size; index++) {
    const blockers = openPredecessors(state.steps, workflow.predecessors[index] ?? [])
    if (blockers !== state.steps.get(index).blockers) draftOf(state, index).blockers = blockers
    const step = state.steps.get(index)
    if (isSettled(step)) continue
    remaining++
    if (step.status === 'waiting') {
      halted.push(index)
      continue
    }
    const mayStart = mayBeDecided(state, index, blockers)
    if (mayStart) ready.push(index)
    // What led to it starts again, and may end in another way.
    const { takes } = step.flow
    const isDecidedAnew =
      !mayStart || takes?.every((id) => !isSettled(state.steps.get(stepIndex(workflow, id)))) === true
    if (isDecidedAnew && step.flow !== noFlow) draftOf(state, index).flow = noFlow
  }
  state.status = 'running'
  state.ready = IndexSet.of(state.steps.size, ready)
  state.active = []
  state.retrying = []
  state.halted = halted
  state.remaining = remaining
  state.limitFrom = event.at
  state.limitWarned = false
  if (event.input !== undefined) state.input = mergedInput(state.input, event.input)
  state.failure = null
}

/** What is provided later stands beside what was there, and wins. */
function mergedInput(before: JsonValue, provided: JsonValue): JsonValue {
  return isJsonObject(before) && isJsonObject(provided) ? { ...before, ...provided } : provided
}

function isUnderWay({ status }: StepState): boolean {
  return status !== 'pending' && status !== 'completed'
}

/** An unfinished step goes back to the beginning of its next attempt, with a fresh retry budget. */
function interrupt(step: Draft<StepState>, at: number): void {
  // Recovery has ended what of them was left.
  step.processes = none
  step.aside = withoutHalt(step.aside)
  if (isSettled(step)) step.flow = noFlow
  step.status = 'pending'
  step.retriesUsed = 0
  step.error = null
  step.prepared = null
  endAttempt(step, { at, durationMs: null }, 'interrupted')
}

const none: readonly never[] = []

/** A step of the next state, as a copy that may be written to while the event is being folded. */
function draftOf(state: Draft<RunState>, index: number): Draft<StepState> {
  const step = copyOfStep(state.steps.get(index))
  state.steps = state.steps.set(index, step)
  return step
}

/** Prepared artifacts stand under their final names by the time anything else is said about their attempt. */
function placePrepared(step: Draft<StepState>, event: { readonly step: string; readonly seq: number }): void {
  const { prepared } = step
  if (prepared === null) return
  const { visit, attempt } = step
  const placed = prepared.artifacts.map(({ path, sha256, sizeBytes }) => ({
    path,
    sha256,
    sizeBytes,
    producedBy: event.step,
    visit,
    attempt,
    seq: event.seq,
  }))
  const paths = new Set(placed.map(({ path }) => path))
  step.artifacts = [...step.artifacts.filter(({ path }) => !paths.has(path)), ...placed]
  step.prepared = null
}

/** Closes the attempt that is running, if one is. */
function endAttempt(
  step: Draft<StepState>,
  event: {
    readonly at: number
    readonly durationMs: number | null
    readonly error?: AttemptRecord['error']
  },
  outcome: AttemptRecord['outcome'],
): void {
  const last = step.attempts.at(-1)
  if (last?.outcome !== 'running') return
  const record: Draft<AttemptRecord> = { ...last }
  record.outcome = outcome
  record.finishedAt = event.at
  record.durationMs = event.durationMs
  record.error = event.error ?? null
  step.attempts = step.attempts.with(-1, record)
}

function openPredecessors(steps: PersistentVector<StepState>, predecessors: readonly number[]): number {
  let open = 0
  for (const predecessor of predecessors) if (!isSettled(steps.get(predecessor))) open++
  return open
}

function without(indices: readonly number[], index: number): readonly number[] {
  return indices.includes(index) ? indices.filter((other) => other !== index) : indices
}
