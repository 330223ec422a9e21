import type { JsonObject, JsonValue, PersistentVector } from '../../core/index.ts'
import { IndexSet, persistentVector } from '../../core/index.ts'
import type {
  ArtifactRecord,
  AttemptRecord,
  BlobReference,
  EventOf,
  GateDecisionRecord,
  GateWaitRecord,
  ProcessGroup,
  ProducedArtifact,
  RunStatus,
  ScoringResult,
  SkipReason,
  StepError,
  StepStatus,
  UndoRecord,
} from '../../trace/index.ts'
import type { CompiledWorkflow } from './compiled-workflow.ts'

/**
 * The whole run as an immutable value: the fold of the events so far. What planning needs (ready set, open dependencies,
 * steps in flight) is part of it, so that planning costs what has changed and not the size of the run.
 */
export interface RunState {
  readonly workflow: CompiledWorkflow
  readonly runId: string
  readonly correlationId: string
  readonly input: JsonValue
  readonly seed: number | string
  readonly launch: JsonObject
  readonly seq: number
  readonly epoch: number
  readonly status: RunStatus
  readonly steps: PersistentVector<StepState>
  /** Steps that may start, in definition order. */
  readonly ready: IndexSet
  /** Steps whose agent or gate is being waited for, in the order in which they started. */
  readonly active: readonly number[]
  /** Steps that wait for a retry. */
  readonly retrying: readonly number[]
  /** Steps that wait for somebody from outside: an answer to their gate, or input. */
  readonly halted: readonly number[]
  /** The step that is being undone. */
  readonly undoing: number | null
  /** Steps that have not come to an end. */
  readonly remaining: number
  /** How often a step has completed, over all visits. */
  readonly finishes: number
  /** The first failure since the start or the latest resume. */
  readonly failure: (StepError & { readonly step: string | null }) | null
  /** What the run was cancelled for. */
  readonly cancelledFor: string | null
  /** Until when steps in flight may go on after that. */
  readonly graceUntil: number
  readonly edits: readonly (ProducedArtifact & { readonly seq: number })[]
  readonly startedAt: number
  /** The workflow's limit counts from here. */
  readonly limitFrom: number
  /** Since then it has been said that the limit is near. */
  readonly limitWarned: boolean
  readonly updatedAt: number
}

export interface StepState {
  readonly status: StepStatus
  /** Predecessors that have not come to an end. */
  readonly blockers: number
  readonly visit: number
  /** Within the visit, from 1; 0 before the first. */
  readonly attempt: number
  /** Spent since the start or the latest resume. */
  readonly retriesUsed: number
  /** Returns taken from this step's gate in a row. */
  readonly loops: number
  readonly output: JsonValue
  /** Where the output lies when it is too large for the log. */
  readonly outputBlob: BlobReference | null
  readonly scoring: ScoringResult | null
  readonly error: StepError | null
  readonly attempts: readonly AttemptRecord[]
  readonly decisions: readonly (GateDecisionRecord & { readonly seq: number })[]
  /** Artifacts on disk under their final names, newest visit last. */
  readonly artifacts: readonly (ProducedArtifact & { readonly seq: number })[]
  /** Announced by `artifacts_prepared`, not yet known to be in place. */
  readonly prepared: PreparedCommit | null
  /** What its attempts have started since it last completed or was taken over; some of it may still be running. */
  readonly processes: readonly ProcessGroup[]
  readonly startedAt: number
  readonly notBefore: number
  readonly finishedSeq: number
  /** What few steps have; null for all others. */
  readonly aside: StepAside | null
  readonly flow: StepFlow
  /** How its record reads in `state.json`, once somebody has asked: a memory of what follows from all the rest. */
  text: string | undefined
}

export interface StepAside {
  readonly missingVar?: string
  readonly waiting?: GateWaitRecord
  readonly undo?: UndoRecord
  /** The attempt for which a warning was given. */
  readonly warned?: number
}

/** How a step was reached and what came before it; `noFlow` where every step runs in its turn. */
export interface StepFlow {
  /** It has started in this visit: what was decided then stands. */
  readonly isReached: boolean
  readonly takes: readonly string[] | null
  readonly skipped: { readonly reason: SkipReason; readonly because: readonly string[] } | null
  /** Its failure does not end the run. */
  readonly tolerated: boolean
  /** Something that it depends on has failed: what depends on it is no better off. */
  readonly tainted: boolean
  /** Something before it has failed, be it tolerated. */
  readonly afterFailure: boolean
  /** Something before it has reported failures. */
  readonly afterFindings: boolean
  /** A connection `on_failure` has led to it, or to what leads to it. */
  readonly onErrorBranch: boolean
  /** It started while the run was stopping. */
  readonly finishesOff: boolean
}

export const noFlow: StepFlow = {
  isReached: false,
  takes: null,
  skipped: null,
  tolerated: false,
  tainted: false,
  afterFailure: false,
  afterFindings: false,
  onErrorBranch: false,
  finishesOff: false,
}

export interface PreparedCommit {
  readonly artifacts: readonly ArtifactRecord[]
  readonly output: JsonValue
  readonly scoring: ScoringResult | null
  readonly seq: number
}

const freshStep: StepState = {
  status: 'pending',
  blockers: 0,
  visit: 1,
  attempt: 0,
  retriesUsed: 0,
  loops: 0,
  output: null,
  outputBlob: null,
  scoring: null,
  error: null,
  attempts: [],
  decisions: [],
  artifacts: [],
  prepared: null,
  processes: [],
  startedAt: 0,
  notBefore: 0,
  finishedSeq: -1,
  aside: null,
  flow: noFlow,
  text: undefined,
}

/** By the number of predecessors: steps that wait for equally many begin as the same value, where nothing is decided of them. */
const freshSteps: StepState[] = []

/** The state after event 0. */
export function initialState(workflow: CompiledWorkflow, event: EventOf<'workflow_start'>): RunState {
  const steps = workflow.predecessors.map(({ length: blockers }) =>
    workflow.flow === undefined
      ? (freshSteps[blockers] ??= { ...freshStep, blockers })
      : { ...freshStep, blockers },
  )
  return {
    workflow,
    runId: event.runId,
    correlationId: event.correlationId,
    input: event.input,
    seed: event.seed,
    launch: event.launch,
    seq: event.seq,
    epoch: event.epoch,
    status: 'running',
    steps: persistentVector(steps),
    ready: IndexSet.of(
      steps.length,
      steps.flatMap((step, index) => (step.blockers === 0 ? [index] : [])),
    ),
    active: [],
    retrying: [],
    halted: [],
    undoing: null,
    remaining: steps.length,
    finishes: 0,
    failure: null,
    cancelledFor: null,
    graceUntil: 0,
    edits: [],
    startedAt: event.at,
    limitFrom: event.at,
    limitWarned: false,
    updatedAt: event.at,
  }
}

/**
 * The same run by another definition: steps keep what they have done under their id, new ones are pending, and those that the
 * definition no longer has leave the run. A step that was skipped is to be decided anew: it may have another condition now. What may start is counted anew by the `workflow_resume` that follows.
 */
export function underDefinition(state: RunState, workflow: CompiledWorkflow): RunState {
  const next = copyOfRun(state)
  next.workflow = workflow
  next.steps = persistentVector(
    workflow.steps.map(({ id }) => {
      const before = state.workflow.indexOf.get(id)
      const step = before === undefined ? freshStep : state.steps.get(before)
      return step.status === 'skipped' ? { ...step, status: 'pending', flow: noFlow, text: undefined } : step
    }),
  )
  next.ready = IndexSet.of(workflow.steps.length, [])
  next.active = []
  next.retrying = []
  next.halted = []
  return next
}

/** A value while it is being made: nobody else has seen it, so it may still be written to. */
export type Draft<T> = { -readonly [Key in keyof T]: T[Key] }

// Member by member, since a copy of a copy made with a spread costs the engine ten times as much.

export function copyOfRun(run: RunState): Draft<RunState> {
  return {
    workflow: run.workflow,
    runId: run.runId,
    correlationId: run.correlationId,
    input: run.input,
    seed: run.seed,
    launch: run.launch,
    seq: run.seq,
    epoch: run.epoch,
    status: run.status,
    steps: run.steps,
    ready: run.ready,
    active: run.active,
    retrying: run.retrying,
    halted: run.halted,
    undoing: run.undoing,
    remaining: run.remaining,
    finishes: run.finishes,
    failure: run.failure,
    cancelledFor: run.cancelledFor,
    graceUntil: run.graceUntil,
    edits: run.edits,
    startedAt: run.startedAt,
    limitFrom: run.limitFrom,
    limitWarned: run.limitWarned,
    updatedAt: run.updatedAt,
  }
}

export function copyOfStep(step: StepState): Draft<StepState> {
  return {
    status: step.status,
    blockers: step.blockers,
    visit: step.visit,
    attempt: step.attempt,
    retriesUsed: step.retriesUsed,
    loops: step.loops,
    output: step.output,
    outputBlob: step.outputBlob,
    scoring: step.scoring,
    error: step.error,
    attempts: step.attempts,
    decisions: step.decisions,
    artifacts: step.artifacts,
    prepared: step.prepared,
    processes: step.processes,
    startedAt: step.startedAt,
    notBefore: step.notBefore,
    finishedSeq: step.finishedSeq,
    aside: step.aside,
    flow: step.flow,
    text: undefined,
  }
}
