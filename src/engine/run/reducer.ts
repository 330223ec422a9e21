import { assert, persistentVector, unreachable } from '../../core/index.ts'
import type { PersistentVector } from '../../core/index.ts'
import type { AttemptRecord, EventOf, WorkflowEvent } from '../../trace/index.ts'
import { stepIndex } from './compiled-workflow.ts'
import type { RunState, StepState } from './run-state.ts'

/** The only place where a run's state changes. Pure: the same state and event always give the same next state. */
export function reduce(state: RunState, event: WorkflowEvent): RunState {
  assert(event.seq === state.seq + 1, `event ${event.seq} follows event ${state.seq}`)
  assert(
    state.status === 'running' || event.kind === 'workflow_resume' || event.kind === 'late_result',
    `no ${event.kind} after the run has ${state.status}`,
  )
  return { ...apply(state, event), seq: event.seq, epoch: event.epoch, updatedAt: event.at }
}

function apply(state: RunState, event: WorkflowEvent): RunState {
  switch (event.kind) {
    case 'workflow_start':
      throw new Error('workflow_start makes the initial state and is never folded')
    case 'workflow_resume':
      return resumed(state, event)
    case 'workflow_cancel':
    case 'late_result':
      return state
    case 'workflow_end':
      return {
        ...state,
        status: event.status,
        failure:
          state.failure ?? (event.error === undefined ? null : { ...event.error, step: event.step ?? null }),
      }
    case 'artifact_edit':
      return {
        ...state,
        edits: [
          ...state.edits.filter((edit) => edit.path !== event.artifact.path),
          { ...event.artifact, producedBy: null, visit: 0, attempt: 0, seq: event.seq },
        ],
      }
    case 'step_start':
      return started(state, event)
    case 'artifacts_prepared':
      return updated(state, event.step, (step) => ({
        ...step,
        prepared: {
          artifacts: event.artifacts,
          output: event.output,
          scoring: event.scoring ?? null,
          seq: event.seq,
        },
      }))
    case 'gate_result':
      return gateDecided(state, event)
    case 'step_finish':
      return finished(state, event)
    case 'step_retry':
      return retryPlanned(state, event)
    case 'step_fail':
      return failed(state, event)
    default:
      return unreachable(event)
  }
}

function started(state: RunState, event: EventOf<'step_start'>): RunState {
  const index = stepIndex(state.workflow, event.step)
  const step = state.steps.get(index)
  assert(
    step.status === 'pending' || step.status === 'retrying',
    `step '${event.step}' starts from ${step.status}`,
  )
  assert(step.blockers === 0, `step '${event.step}' starts after all it depends on`)
  assert(
    event.visit === step.visit && event.attempt === step.attempt + 1,
    `attempts of '${event.step}' are numbered in order`,
  )
  const attempt: AttemptRecord = {
    attempt: event.attempt,
    durationMs: null,
    error: null,
    finishedAt: null,
    outcome: 'running',
    startedAt: event.at,
    visit: event.visit,
  }
  return {
    ...state,
    ready: step.status === 'pending' ? without(state.ready, index) : state.ready,
    retrying: step.status === 'retrying' ? without(state.retrying, index) : state.retrying,
    active: [...state.active, index],
    steps: state.steps.set(index, {
      ...step,
      status: 'running',
      attempt: event.attempt,
      error: null,
      prepared: null,
      startedAt: event.at,
      attempts: [...step.attempts, attempt],
    }),
  }
}

function finished(state: RunState, event: EventOf<'step_finish'>): RunState {
  const index = stepIndex(state.workflow, event.step)
  const step = placed(state.steps.get(index), event)
  assert(step.status === 'running', `step '${event.step}' finishes from ${step.status}`)
  let steps = state.steps.set(index, {
    ...step,
    status: 'completed',
    output: event.output,
    scoring: event.scoring ?? null,
    attempts: ended(step, event, 'completed'),
    finishedSeq: event.seq,
  })
  let ready = state.ready
  for (const successor of state.workflow.successors[index] ?? []) {
    const next = steps.get(successor)
    steps = steps.set(successor, { ...next, blockers: next.blockers - 1 })
    if (next.blockers === 1) ready = withIndex(ready, successor)
  }
  return { ...state, steps, ready, active: without(state.active, index), remaining: state.remaining - 1 }
}

function retryPlanned(state: RunState, event: EventOf<'step_retry'>): RunState {
  const index = stepIndex(state.workflow, event.step)
  const step = state.steps.get(index)
  assert(step.status === 'running', `step '${event.step}' is retried from ${step.status}`)
  return {
    ...state,
    active: without(state.active, index),
    retrying: [...state.retrying, index],
    steps: state.steps.set(index, {
      ...step,
      status: 'retrying',
      retriesUsed: step.retriesUsed + 1,
      notBefore: event.notBefore,
      error: event.error,
      prepared: null,
      attempts: ended(step, event, 'failed'),
    }),
  }
}

function failed(state: RunState, event: EventOf<'step_fail'>): RunState {
  const index = stepIndex(state.workflow, event.step)
  const step = placed(state.steps.get(index), event)
  assert(
    step.status === 'running' || step.status === 'retrying',
    `step '${event.step}' fails from ${step.status}`,
  )
  return {
    ...state,
    active: without(state.active, index),
    retrying: without(state.retrying, index),
    failure: state.failure ?? { ...event.error, step: event.step },
    steps: state.steps.set(index, {
      ...step,
      status: 'failed',
      error: event.error,
      attempts: ended(step, event, 'failed'),
    }),
  }
}

function gateDecided(state: RunState, event: EventOf<'gate_result'>): RunState {
  const index = stepIndex(state.workflow, event.step)
  const step = placed(state.steps.get(index), event)
  assert(step.status === 'running', `the gate of '${event.step}' is decided while the step is ${step.status}`)
  const decided: StepState = {
    ...step,
    output: event.output,
    scoring: event.scoring ?? null,
    decisions: [
      ...step.decisions,
      {
        step: event.step,
        visit: event.visit,
        attempt: event.attempt,
        passed: event.status === 'passed',
        reason: event.reason ?? null,
        scoring: event.scoring ?? null,
        route: event.route.to,
        seq: event.seq,
      },
    ],
  }
  if (event.route.to !== 'loop') return { ...state, steps: state.steps.set(index, decided) }
  const loop = state.workflow.loops.get(index)
  assert(loop !== undefined, `step '${event.step}' has a review loop`)
  const steps = state.steps.set(index, {
    ...decided,
    loops: event.route.loop,
    attempts: ended(decided, { at: event.at, durationMs: event.at - step.startedAt }, 'gate-failed'),
  })
  return reopened({ ...state, steps, active: without(state.active, index) }, loop.members, index)
}

/** Opens a new visit of every member of a review loop; what depends on them waits again. */
function reopened(state: RunState, members: readonly number[], gated: number): RunState {
  const inside = new Set(members)
  let { steps, ready, remaining } = state
  for (const member of members) {
    if (steps.get(member).status !== 'completed') continue
    remaining++
    for (const successor of state.workflow.successors[member] ?? []) {
      if (inside.has(successor)) continue
      const dependant = steps.get(successor)
      steps = steps.set(successor, { ...dependant, blockers: dependant.blockers + 1 })
      ready = without(ready, successor)
    }
  }
  for (const member of members) {
    const step = nextVisit(steps.get(member))
    // A gate inside the loop starts its own counting anew; only the gate that looped keeps its count.
    steps = steps.set(member, member === gated ? step : { ...step, loops: 0 })
  }
  for (const member of members) {
    const blockers = openPredecessors(steps, state.workflow.predecessors[member] ?? [])
    steps = steps.set(member, { ...steps.get(member), blockers })
    ready = blockers === 0 ? withIndex(without(ready, member), member) : without(ready, member)
  }
  return { ...state, steps, ready, remaining }
}

function nextVisit(step: StepState): StepState {
  return {
    ...step,
    status: 'pending',
    visit: step.visit + 1,
    attempt: 0,
    retriesUsed: 0,
    error: null,
    prepared: null,
  }
}

function resumed(state: RunState, event: EventOf<'workflow_resume'>): RunState {
  const workflow = state.workflow
  const restarts = new Set(event.restarts.map((step) => stepIndex(workflow, step)))
  const reopensLoopOf =
    event.reopensLoopOf === undefined ? undefined : stepIndex(workflow, event.reopensLoopOf)
  const loopMembers = new Set(reopensLoopOf === undefined ? [] : workflow.loops.get(reopensLoopOf)?.members)
  const steps = [...state.steps].map((step, index) => {
    const opensVisit = loopMembers.has(index) || (restarts.has(index) && step.status === 'completed')
    const idle = interrupted(step, event.at)
    const next = opensVisit ? nextVisit(idle) : idle
    return index === reopensLoopOf ? { ...next, loops: 0 } : next
  })
  const completed = steps.map((step) => step.status === 'completed')
  const settled = steps.map((step, index) => ({
    ...step,
    blockers: (workflow.predecessors[index] ?? []).filter((predecessor) => !completed[predecessor]).length,
  }))
  return {
    ...state,
    status: 'running',
    steps: persistentVector(settled),
    ready: settled.flatMap((step, index) =>
      step.status === 'pending' && step.blockers === 0 ? [index] : [],
    ),
    active: [],
    retrying: [],
    remaining: settled.filter((step) => step.status !== 'completed').length,
    failure: null,
    limitFrom: event.at,
  }
}

/** An unfinished step goes back to the beginning of its next attempt, with a fresh retry budget. */
function interrupted(step: StepState, at: number): StepState {
  if (step.status === 'pending' || step.status === 'completed') return step
  const attempts =
    step.attempts.at(-1)?.outcome === 'running'
      ? ended(step, { at, durationMs: null }, 'interrupted')
      : step.attempts
  return { ...step, status: 'pending', retriesUsed: 0, error: null, prepared: null, attempts }
}

function updated(state: RunState, stepId: string, change: (step: StepState) => StepState): RunState {
  const index = stepIndex(state.workflow, stepId)
  return { ...state, steps: state.steps.set(index, change(state.steps.get(index))) }
}

/** Prepared artifacts stand under their final names by the time anything else is said about their attempt. */
function placed(step: StepState, event: { readonly step: string; readonly seq: number }): StepState {
  if (step.prepared === null) return step
  const paths = new Set(step.prepared.artifacts.map((artifact) => artifact.path))
  const placedNow = step.prepared.artifacts.map((artifact) => ({
    ...artifact,
    producedBy: event.step,
    visit: step.visit,
    attempt: step.attempt,
    seq: event.seq,
  }))
  return {
    ...step,
    prepared: null,
    artifacts: [...step.artifacts.filter((artifact) => !paths.has(artifact.path)), ...placedNow],
  }
}

function ended(
  step: StepState,
  event: {
    readonly at: number
    readonly durationMs: number | null
    readonly error?: AttemptRecord['error']
  },
  outcome: AttemptRecord['outcome'],
): readonly AttemptRecord[] {
  const last = step.attempts.at(-1)
  if (last?.outcome !== 'running') return step.attempts
  const record: AttemptRecord = {
    ...last,
    outcome,
    finishedAt: event.at,
    durationMs: event.durationMs,
    error: event.error ?? null,
  }
  return [...step.attempts.slice(0, -1), record]
}

function openPredecessors(steps: PersistentVector<StepState>, predecessors: readonly number[]): number {
  return predecessors.filter((predecessor) => steps.get(predecessor).status !== 'completed').length
}

function without(indices: readonly number[], index: number): readonly number[] {
  return indices.includes(index) ? indices.filter((other) => other !== index) : indices
}

/** Inserts into an ascending list. */
function withIndex(indices: readonly number[], index: number): readonly number[] {
  const position = indices.findIndex((other) => other > index)
  return position < 0
    ? [...indices, index]
    : [...indices.slice(0, position), index, ...indices.slice(position)]
}
