import { isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import type {
  LoggedArtifact,
  LoggedDefinition,
  LoggedEvent,
  LoggedEventOf,
  LoggedSkip,
  LoggedStepEvent,
} from './event-shapes.ts'
import { stepGraph } from './graph.ts'
import { Walks } from './walks.ts'

type LoggedError = LoggedEventOf<'step_fail'>['error']
type LoggedBlob = NonNullable<LoggedEventOf<'step_finish'>['outputBlob']>
type LoggedScoring = NonNullable<LoggedEventOf<'step_finish'>['scoring']>

/** What the checkers' own fold of a log knows about one step. */
export interface FoldedStep {
  readonly status:
    'pending' | 'running' | 'retrying' | 'paused' | 'waiting' | 'completed' | 'failed' | 'skipped'
  readonly visit: number
  readonly attempt: number
  readonly output: JsonValue
  /** Where the output lies when it is too large for an event. */
  readonly outputBlob: LoggedBlob | undefined
  readonly scoring: LoggedScoring | null
  readonly error: LoggedError | null
  readonly loops: number
  readonly skipped: Pick<LoggedSkip, 'reason' | 'because'> | undefined
  readonly takes: readonly string[]
  readonly tolerated: boolean
  readonly attempts: readonly FoldedAttempt[]
  readonly artifacts: readonly PlacedArtifact[]
  readonly prepared: readonly LoggedArtifact[] | undefined
  readonly startedAt: number
  readonly finishedSeq: number
  /** What only some steps have, as members of their record. */
  readonly missingVar: string | undefined
  readonly waiting: { readonly since: number; readonly expiresAt: number | null } | undefined
  readonly undo: FoldedUndo | undefined
}

interface FoldedUndo {
  readonly attempt: number
  readonly status: 'running' | 'completed' | 'failed'
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly output: JsonValue
  readonly error: LoggedError | null
}

interface FoldedAttempt {
  readonly visit: number
  readonly attempt: number
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly durationMs: number | null
  readonly outcome: 'running' | 'completed' | 'failed' | 'gate-failed' | 'interrupted'
  readonly error: LoggedError | null
}

/** An artifact as the newest event about its path has it. */
export interface PlacedArtifact {
  readonly path: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly producedBy: string | null
  readonly visit: number
  readonly attempt: number
  readonly seq: number
}

/** A log folded by the checkers' own hand: what the events add up to, whether or not they should have been written. */
export interface FoldedRun {
  readonly start: LoggedEventOf<'workflow_start'>
  /** What the run goes by: the definition of event 0, or of the last resume that adopted another. */
  readonly definition: LoggedDefinition
  readonly definitionSha256: string
  readonly status: 'running' | 'paused' | 'waiting' | 'completed' | 'failed' | 'cancelled'
  readonly input: JsonValue
  readonly seq: number
  readonly epoch: number
  readonly updatedAt: number
  readonly error: (LoggedError & { readonly step: string | null }) | null
  readonly cancelledFor: string | null
  readonly steps: ReadonlyMap<string, FoldedStep>
  readonly edits: readonly PlacedArtifact[]
  readonly gateDecisions: readonly (JsonObject & { readonly step: string })[]
  /** Digests that a path may also have: announced by attempts that said nothing more. */
  readonly announced: ReadonlyMap<string, ReadonlySet<string>>
}

type Draft<T> = { -readonly [Key in keyof T]: T[Key] }

/** A run while it is being folded. What two of them share is copied before either writes to it. */
class Folding {
  readonly run: Draft<FoldedRun> & {
    steps: Map<string, FoldedStep>
    announced: Map<string, ReadonlySet<string>>
  }
  #own = new Set<FoldedStep>()

  constructor(run: FoldedRun) {
    this.run = { ...run, steps: new Map(run.steps), announced: new Map(run.announced) }
  }

  copy(): Folding {
    this.#own = new Set()
    return new Folding(this.run)
  }

  /** A step to write to. */
  step(id: string): Draft<FoldedStep> | undefined {
    const step = this.run.steps.get(id)
    if (step === undefined || this.#own.has(step)) return step
    const copy = { ...step }
    this.#own.add(copy)
    this.run.steps.set(id, copy)
    return copy
  }

  take(event: LoggedEvent): void {
    this.run.seq = event.seq
    this.run.epoch = event.epoch
    this.run.updatedAt = event.at
    apply(this, event)
  }
}

/** By what they start with. */
const folds = new WeakMap<LoggedEvent, Walks<LoggedEvent, Folding>>()

/** Nobody may change what it hands out: equal questions have one answer. */
export function foldLog(events: readonly LoggedEvent[], throughSeq = Infinity): FoldedRun | undefined {
  const [start] = events
  if (start?.kind !== 'workflow_start') return undefined
  const walks =
    folds.get(start) ??
    new Walks(
      () => new Folding(newRun(start)),
      (folding: Folding) => folding.copy(),
    )
  folds.set(start, walks)
  let end = 1
  while (end < events.length && (events[end] as LoggedEvent).seq <= throughSeq) end++
  return walks.through(events, end).run
}

function newRun(start: LoggedEventOf<'workflow_start'>): FoldedRun {
  return {
    start,
    definition: start.definition,
    definitionSha256: start.definitionSha256,
    status: 'running',
    input: start.input,
    seq: start.seq,
    epoch: start.epoch,
    updatedAt: start.at,
    error: null,
    cancelledFor: null,
    steps: new Map(start.definition.steps.map(({ id }) => [id, newStep()])),
    edits: [],
    gateDecisions: [],
    announced: new Map(),
  }
}

const knownArtifacts = new WeakMap<FoldedRun, ReadonlyMap<string, PlacedArtifact>>()

/** The newest record of every path, by path. */
export function newestArtifacts(run: FoldedRun): ReadonlyMap<string, PlacedArtifact> {
  const known = knownArtifacts.get(run) ?? placedLast(run)
  knownArtifacts.set(run, known)
  return known
}

function placedLast(run: FoldedRun): ReadonlyMap<string, PlacedArtifact> {
  const newest = new Map<string, PlacedArtifact>()
  const all = [...run.edits]
  for (const { artifacts } of run.steps.values()) all.push(...artifacts)
  for (const artifact of all.sort((left, right) => left.seq - right.seq)) newest.set(artifact.path, artifact)
  return newest
}

function apply(folding: Folding, event: LoggedEvent): void {
  const { run } = folding
  if (event.kind === 'workflow_resume') return resume(folding, event)
  if (event.kind === 'workflow_end') {
    run.status = event.status
    if (event.error !== undefined) run.error ??= { ...event.error, step: event.step ?? null }
    return
  }
  if (event.kind === 'workflow_pause') {
    run.status = event.status
    return
  }
  if (event.kind === 'workflow_cancel') {
    run.cancelledFor = event.reason
    return
  }
  if (event.kind === 'artifact_edit') {
    const { path } = event.artifact
    const edit = { ...event.artifact, producedBy: null, visit: 0, attempt: 0, seq: event.seq }
    run.edits = [...run.edits.filter((other) => other.path !== path), edit]
    return
  }
  if (event.kind === 'step_skip') {
    const { reason, because, takes = [] } = event
    const step = folding.step(event.step)
    if (step !== undefined) Object.assign(step, { status: 'skipped', skipped: { reason, because }, takes })
    return
  }
  if (!('attempt' in event) || changesNothing(event)) return
  const step = folding.step(event.step)
  if (step !== undefined) applyToStep(folding, step, event)
}

const asides = ['process_start', 'artifact_created', 'late_result', 'checkpoint', 'timeout_warning'] as const

type Aside = Extract<LoggedStepEvent, { readonly kind: (typeof asides)[number] }>

function changesNothing(event: LoggedStepEvent): event is Aside {
  return (asides as readonly string[]).includes(event.kind)
}

function applyToStep(
  folding: Folding,
  step: Draft<FoldedStep>,
  event: Exclude<LoggedStepEvent, Aside>,
): void {
  const { run } = folding
  switch (event.kind) {
    case 'step_start': {
      const { visit, attempt, at } = event
      step.status = 'running'
      step.attempt = attempt
      step.error = null
      step.prepared = undefined
      step.startedAt = at
      step.takes = event.takes ?? []
      step.attempts = [
        ...step.attempts,
        {
          visit,
          attempt,
          startedAt: at,
          finishedAt: null,
          durationMs: null,
          error: null,
          outcome: 'running',
        },
      ]
      return
    }
    case 'artifacts_prepared':
      step.prepared = event.artifacts
      for (const { path, sha256 } of event.artifacts) {
        run.announced.set(path, new Set([...(run.announced.get(path) ?? []), sha256]))
      }
      return
    case 'step_pause':
      step.status = 'paused'
      step.missingVar = event.missingVar
      return
    case 'gate_wait':
      placePrepared(step, event)
      step.status = 'waiting'
      step.output = event.output ?? null
      step.outputBlob = event.outputBlob
      step.scoring = event.scoring ?? null
      step.waiting = { since: event.at, expiresAt: event.expiresAt ?? null }
      return
    case 'gate_result':
      return decideGate(folding, step, event)
    case 'undo_start':
    case 'undo_finish':
    case 'undo_fail':
      step.undo = {
        attempt: event.attempt,
        status: event.status,
        startedAt: event.kind === 'undo_start' ? event.at : (step.undo?.startedAt ?? event.at),
        finishedAt: event.kind === 'undo_start' ? null : event.at,
        output: event.kind === 'undo_finish' ? (event.output ?? null) : null,
        error: event.kind === 'undo_fail' ? event.error : null,
      }
      return
    case 'step_finish':
      placePrepared(step, event)
      step.waiting = undefined
      step.status = 'completed'
      step.output = event.output ?? null
      step.outputBlob = event.outputBlob
      step.scoring = event.scoring ?? null
      step.finishedSeq = event.seq
      endAttempt(step, event.at, event.durationMs, 'completed')
      return
    case 'step_retry':
      step.status = 'retrying'
      step.error = event.error
      step.prepared = undefined
      endAttempt(step, event.at, event.durationMs, 'failed', event.error)
      return
    case 'step_fail':
      placePrepared(step, event)
      step.tolerated = event.tolerated === true
      if (!step.tolerated) run.error ??= { ...event.error, step: event.step }
      step.status = 'failed'
      step.waiting = undefined
      step.error = event.error
      endAttempt(step, event.at, event.durationMs, 'failed', event.error)
      return
  }
}

function decideGate(folding: Folding, step: Draft<FoldedStep>, event: LoggedEventOf<'gate_result'>): void {
  const { run } = folding
  placePrepared(step, event)
  step.output = event.output ?? null
  step.outputBlob = event.outputBlob
  step.scoring = event.scoring ?? null
  const decision = {
    step: event.step,
    visit: event.visit,
    attempt: event.attempt,
    passed: event.status === 'passed',
    reason: event.reason ?? null,
    scoring: event.scoring ?? null,
    route: event.route.to,
    ...(event.by === undefined ? {} : { by: event.by }),
  }
  run.gateDecisions = [...run.gateDecisions, decision]
  if (event.route.to !== 'loop') return
  endAttempt(step, event.at, event.at - step.startedAt, 'gate-failed')
  for (const member of loopMembers(run, event.step)) {
    const other = folding.step(member)
    if (other === undefined) continue
    openVisit(other)
    other.loops = 0
  }
  step.loops = event.route.loop
  const failedAt = run.error?.step ?? null
  if (failedAt !== null && run.steps.get(failedAt)?.status === 'pending') run.error = nextFailure(run)
}

/** What failed first was sent back: the failure of another step, if one has failed too. */
function nextFailure(run: FoldedRun): FoldedRun['error'] {
  const failed = [...run.steps].find(([, { status, tolerated }]) => status === 'failed' && !tolerated)
  return failed?.[1].error == null ? null : { ...failed[1].error, step: failed[0] }
}

function resume(folding: Folding, event: LoggedEventOf<'workflow_resume'>): void {
  const { run } = folding
  // A rollback that was interrupted goes on.
  if (run.status === 'running' && [...run.steps.values()].some(({ undo }) => undo !== undefined)) return
  if (event.adopts !== undefined) adopt(folding, event.adopts)
  const reopened = event.reopensLoopOf === undefined ? [] : loopMembers(run, event.reopensLoopOf)
  for (const [id, before] of run.steps) {
    const isAgain = event.restarts.includes(id)
    const wasDone = before.status === 'completed' || before.status === 'waiting'
    const stands = wasDone || before.status === 'skipped' || before.tolerated
    const isOpen = before.status !== 'completed' && before.status !== 'pending' && !(stands && !isAgain)
    const isReopened = [...reopened].includes(id) || (wasDone && isAgain)
    const step = isOpen || isReopened || id === event.reopensLoopOf ? folding.step(id) : undefined
    if (step === undefined) continue
    if (isOpen) {
      if (step.status === 'failed' || step.status === 'skipped') forgetFlow(step)
      step.status = 'pending'
      step.missingVar = undefined
      step.waiting = undefined
      step.error = null
      step.prepared = undefined
      endAttempt(step, event.at, null, 'interrupted')
    }
    if (isReopened) openVisit(step)
    if (id === event.reopensLoopOf) step.loops = 0
  }
  run.status = 'running'
  run.error = null
  if (event.input !== undefined)
    run.input =
      isJsonObject(run.input) && isJsonObject(event.input) ? { ...run.input, ...event.input } : event.input
  forgetDecisions(folding)
}

/** A step that had been reached stands where it stood, unless what led to it begins anew. */
function forgetDecisions(folding: Folding): void {
  const { run } = folding
  const isOpen = (id: string): boolean => {
    const status = run.steps.get(id)?.status
    return status !== 'completed' && status !== 'skipped' && status !== 'failed'
  }
  const { before, joinsAny } = stepGraph(run.definition)
  for (const [id, step] of run.steps) {
    if (step.status !== 'pending' || !hasFlow(step)) continue
    const sources = joinsAny.has(id) ? step.takes : [...(before.get(id) ?? [])]
    const begin = joinsAny.has(id) ? sources.length > 0 && sources.every(isOpen) : sources.some(isOpen)
    if (begin) forgetFlow(folding.step(id))
  }
}

function hasFlow({ skipped, takes, tolerated }: FoldedStep): boolean {
  return skipped !== undefined || takes.length > 0 || tolerated
}

function forgetFlow(step: Draft<FoldedStep> | undefined): void {
  if (step !== undefined) Object.assign(step, { skipped: undefined, takes: [], tolerated: false })
}

/** Steps keep what they have done under their id; those that the definition no longer has leave the run. */
function adopt(
  folding: Folding,
  { definition, definitionSha256 }: NonNullable<LoggedEventOf<'workflow_resume'>['adopts']>,
): void {
  const { run } = folding
  run.definition = definition
  run.definitionSha256 = definitionSha256
  run.steps = new Map(definition.steps.map(({ id }) => [id, run.steps.get(id) ?? newStep()]))
  for (const [id, { status }] of run.steps) {
    const step = status === 'skipped' ? folding.step(id) : undefined
    if (step === undefined) continue
    forgetFlow(step)
    step.status = 'pending'
  }
}

function loopMembers(run: FoldedRun, gated: string): Iterable<string> {
  return stepGraph(run.definition).loops.get(gated) ?? []
}

function openVisit(step: Draft<FoldedStep>): void {
  step.status = 'pending'
  step.visit++
  step.attempt = 0
  step.error = null
  step.prepared = undefined
  step.missingVar = undefined
  step.waiting = undefined
  step.undo = undefined
  forgetFlow(step)
}

function placePrepared(step: Draft<FoldedStep>, event: LoggedStepEvent): void {
  const { prepared } = step
  if (prepared === undefined) return
  const paths = new Set(prepared.map(({ path }) => path))
  const { step: producedBy, visit, attempt, seq } = event
  const placed = prepared.map((artifact) => ({ ...artifact, producedBy, visit, attempt, seq }))
  step.artifacts = [...step.artifacts.filter(({ path }) => !paths.has(path)), ...placed]
  step.prepared = undefined
}

function endAttempt(
  step: Draft<FoldedStep>,
  at: number,
  durationMs: number | null,
  outcome: FoldedAttempt['outcome'],
  error: LoggedError | null = null,
): void {
  const last = step.attempts.at(-1)
  if (last?.outcome !== 'running') return
  step.attempts = [...step.attempts.slice(0, -1), { ...last, finishedAt: at, durationMs, outcome, error }]
}

function newStep(): FoldedStep {
  return {
    status: 'pending',
    visit: 1,
    attempt: 0,
    output: null,
    outputBlob: undefined,
    scoring: null,
    error: null,
    loops: 0,
    skipped: undefined,
    takes: [],
    tolerated: false,
    attempts: [],
    artifacts: [],
    prepared: undefined,
    startedAt: 0,
    finishedSeq: -1,
    missingVar: undefined,
    waiting: undefined,
    undo: undefined,
  }
}
