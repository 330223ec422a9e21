import { canonicalJson, deepFreeze } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { GateStepView } from '../../ports/index.ts'
import { findingsOf, hasFindings, stateSchemaVersion } from '../../trace/index.ts'
import type { ProducedArtifact, StateDocument, StepDocument } from '../../trace/index.ts'
import type { RunState, StepState } from './run-state.ts'

/** The state as the document that is persisted and shown. Costs the size of the run: call it at snapshots, not per event. */
export function stateDocument(state: RunState, saveSeq: number): StateDocument {
  const [beforeDefinition, beforeSteps, plain, rest] = documentParts(state, saveSeq)
  const { definition, steps: definitions } = state.workflow
  const steps: Record<string, StepDocument> = {}
  for (const [index, { id, agent }] of definitions.entries()) {
    steps[id] = { agent, ...stepDocument(state.steps.get(index)) }
  }
  return { ...beforeDefinition, definition, ...beforeSteps, ...plain, steps, ...rest }
}

/**
 * Canonical JSON of `stateDocument`, large outputs left in their files. The definition and the steps that have not changed since they were last written keep
 * their text, so that a snapshot costs what has changed and not the size of the run.
 */
export function stateJson(state: RunState, saveSeq: number): string {
  const [beforeDefinition, beforeSteps, plain, rest] = documentParts(state, saveSeq)
  const { definitionJson, stepsByName } = state.workflow
  let steps = ''
  for (const { index, opening } of stepsByName) {
    steps += opening + stepMembers(state.steps.get(index))
  }
  return (
    `${JSON.stringify({ ...beforeDefinition, artifacts: beforeDefinition.artifacts.map(inTextOrder) }).slice(0, -1)},"definition":${definitionJson},${canonicalJson(beforeSteps).slice(1, -1)},` +
    `${JSON.stringify(plain).slice(1, -1)},"steps":{${steps}},${JSON.stringify(rest).slice(1)}`
  )
}

/** The members of the document in the order of their names, cut where `definition` and `steps` belong and before the plain ones. */
function documentParts(state: RunState, saveSeq: number) {
  const { workflow, failure } = state
  const finished: { seq: number; step: string }[] = []
  const decisions: StepState['decisions'][number][] = []
  const currentSteps: string[] = []
  const connections: { from: string; to: string }[] = []
  let [errorCount, skipped, degraded, hasFailures] = [0, 0, false, false]
  for (let index = 0; index < workflow.steps.length; index++) {
    const step = state.steps.get(index)
    const id = workflow.steps[index]?.id as string
    errorCount += failedAttempts(step)
    if (step.decisions.length > 0) decisions.push(...step.decisions)
    for (const from of step.flow.takes ?? []) connections.push({ from, to: id })
    if (step.status === 'completed') {
      finished.push({ seq: step.finishedSeq, step: id })
      hasFailures ||= hasFindings(step.output)
    } else if (step.status === 'skipped') skipped++
    else if (step.status !== 'pending') currentSteps.push(id)
    degraded ||= step.flow.tolerated
  }
  finished.sort((left, right) => left.seq - right.seq)
  decisions.sort((left, right) => left.seq - right.seq)
  return [
    {
      ...(workflow.flow?.isRouted === true ? { activeConnections: connections } : {}),
      artifacts: newestArtifacts(state),
      completedSteps: finished.map(({ step }) => step),
      correlationId: state.correlationId,
      currentSteps,
    },
    {
      definitionSha256: workflow.definitionSha256,
      ...(degraded ? { degraded: true as const } : {}),
      epoch: state.epoch,
      error: failure,
      gateDecisions: decisions.map(withoutSeq),
      ...(hasFailures ? { hasFailures: true as const } : {}),
      input: state.input,
      launch: state.launch,
    },
    {
      monitoring: { errorCount, recoveryAttempts: state.epoch - 1 },
      progress: {
        completed: finished.length,
        ...(skipped > 0 ? { skipped } : {}),
        total: workflow.steps.length,
      },
      reason: state.cancelledFor ?? failure?.message ?? null,
      runId: state.runId,
      safePoint: finished.at(-1) ?? { seq: 0, step: null },
      saveSeq,
      schemaVersion: stateSchemaVersion as typeof stateSchemaVersion,
      seed: state.seed,
      seq: state.seq,
      startedAt: state.startedAt,
      status: state.status,
    },
    { updatedAt: state.updatedAt, workflowId: workflow.definition.id },
  ] as const
}

function inTextOrder({
  attempt,
  path,
  producedBy,
  sha256,
  sizeBytes,
  visit,
}: ProducedArtifact): ProducedArtifact {
  return { attempt, path, producedBy, sha256, sizeBytes, visit }
}

function failedAttempts({ attempts }: StepState): number {
  let count = 0
  for (let index = 0; index < attempts.length; index++) if (attempts[index]?.outcome === 'failed') count++
  return count
}

/** The members of a step's record after `agent`, as canonical JSON with the closing brace. */
function stepMembers(step: StepState): string {
  return (step.text ??= canonicalJson(persisted(stepDocument(step))).slice(1))
}

/** A large output stays in its file. */
function persisted(document: Omit<StepDocument, 'agent'>): object {
  return document.outputBlob === undefined ? document : { ...document, output: undefined }
}

/** The newest record of every path, sorted by path. */
export function newestArtifacts(state: RunState): readonly ProducedArtifact[] {
  const newest = new Map<string, ProducedArtifact & { readonly seq: number }>()
  for (let index = 0; index < state.steps.size; index++) {
    for (const artifact of state.steps.get(index).artifacts) keepNewer(newest, artifact)
  }
  for (const edit of state.edits) keepNewer(newest, edit)
  const sorted = [...newest.values()].sort((left, right) => (left.path < right.path ? -1 : 1))
  return sorted.map(({ path, sha256, sizeBytes, producedBy, visit, attempt }) => ({
    path,
    sha256,
    sizeBytes,
    producedBy,
    visit,
    attempt,
  }))
}

/** What conditions and gates can ask about steps: all of them, or those that are named. */
export function stepViews(
  { workflow, steps }: RunState,
  ids: Iterable<string> = workflow.indexOf.keys(),
): Readonly<Record<string, GateStepView>> {
  const views: Record<string, GateStepView> = {}
  for (const id of ids) {
    const { status, output, scoring } = steps.get(workflow.indexOf.get(id) as number)
    views[id] = { status, output: deepFreeze(output), scoring, failures: findingsOf(output) }
  }
  return views
}

/** Outputs of every step that has returned one, or of those among `steps`, by step id. Frozen, since agents share them. */
export function recordedOutputs(
  state: RunState,
  steps?: ReadonlySet<number>,
): Readonly<Record<string, JsonValue>> {
  const outputs: Record<string, JsonValue> = {}
  for (const [index, definition] of state.workflow.steps.entries()) {
    const { output } = state.steps.get(index)
    if (output !== null && steps?.has(index) !== false) outputs[definition.id] = deepFreeze(output)
  }
  return outputs
}

/** All but the agent, which the definition knows. Keys in text order, so that the canonical form needs no copy. */
function stepDocument(step: StepState): Omit<StepDocument, 'agent'> {
  const document = {
    artifacts: step.artifacts.map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes })),
    attempt: step.attempt,
    attempts: step.attempts,
    error: step.error,
    loops: step.loops,
    output: step.output,
    scoring: step.scoring,
    status: step.status,
    visit: step.visit,
  }
  const { outputBlob, aside, flow } = step
  const { skipped, tolerated } = flow
  if (outputBlob === null && aside === null && skipped === null && !tolerated) return document
  const { missingVar, waiting, undo } = aside ?? {}
  return {
    ...document,
    ...(outputBlob === null ? {} : { outputBlob }),
    ...(skipped === null ? {} : { skipped }),
    ...(tolerated ? { tolerated } : {}),
    ...(missingVar === undefined ? {} : { missingVar }),
    ...(waiting === undefined ? {} : { waiting }),
    ...(undo === undefined ? {} : { undo }),
  }
}

function keepNewer(
  newest: Map<string, ProducedArtifact & { readonly seq: number }>,
  candidate: ProducedArtifact & { readonly seq: number },
): void {
  const known = newest.get(candidate.path)
  if (known === undefined || candidate.seq > known.seq) newest.set(candidate.path, candidate)
}

function withoutSeq<T extends { readonly seq: number }>(numbered: T): Omit<T, 'seq'> {
  const { seq, ...record } = numbered
  void seq
  return record
}
