import { assert, canonicalJson } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { GateStepView } from '../../ports/index.ts'
import { stateSchemaVersion } from '../../trace/index.ts'
import type { GateDecisionRecord, ProducedArtifact, StateDocument, StepDocument } from '../../trace/index.ts'
import type { RunState, StepState } from './run-state.ts'

/** The state as the document that is persisted and shown. Costs the size of the run: call it at snapshots, not per event. */
export function stateDocument(state: RunState, saveSeq: number): StateDocument {
  const steps: Record<string, StepDocument> = {}
  const finished: { step: string; seq: number }[] = []
  const decisions: (GateDecisionRecord & { seq: number })[] = []
  const currentSteps: string[] = []
  for (const [index, definition] of state.workflow.steps.entries()) {
    const step = state.steps.get(index)
    steps[definition.id] = stepDocument(step, definition.agent)
    decisions.push(...step.decisions)
    if (step.status === 'completed') finished.push({ step: definition.id, seq: step.finishedSeq })
    else if (step.status !== 'pending') currentSteps.push(definition.id)
  }
  finished.sort((left, right) => left.seq - right.seq)
  decisions.sort((left, right) => left.seq - right.seq)
  return {
    schemaVersion: stateSchemaVersion,
    saveSeq,
    seq: state.seq,
    epoch: state.epoch,
    workflowId: state.workflow.definition.id,
    runId: state.runId,
    correlationId: state.correlationId,
    status: state.status,
    currentSteps,
    completedSteps: finished.map(({ step }) => step),
    steps,
    gateDecisions: decisions.map(withoutSeq),
    artifacts: newestArtifacts(state),
    input: state.input,
    seed: state.seed,
    launch: state.launch,
    error: state.failure,
    startedAt: state.startedAt,
    updatedAt: state.updatedAt,
    definitionSha256: state.workflow.definitionSha256,
    definition: state.workflow.definition,
  }
}

/**
 * Canonical JSON of `stateDocument`. Steps that have not changed since they were last written keep their text, so that a
 * snapshot costs what has changed and not the size of the run.
 */
export function stateJson(state: RunState, saveSeq: number): string {
  const { definition, steps, ...rest } = stateDocument(state, saveSeq)
  const texts: Record<string, string> = {
    definition: state.workflow.definitionJson,
    steps: `{${state.workflow.stepsByName.map(({ index, key, agent }) => key + stepJson(state.steps.get(index), agent)).join(',')}}`,
  }
  for (const [name, value] of Object.entries(rest)) texts[name] = canonicalJson(value)
  const members = Object.keys(texts)
    .sort()
    .map((name) => `"${name}":${texts[name]}`)
  assert(definition.steps.length === Object.keys(steps).length, 'every step has a record')
  return `{${members.join(',')}}`
}

const stepTexts = new WeakMap<StepState, string>()

function stepJson(step: StepState, agent: string): string {
  const known = stepTexts.get(step)
  if (known !== undefined) return known
  const text = canonicalJson(stepDocument(step, agent))
  stepTexts.set(step, text)
  return text
}

/** The newest record of every path, sorted by path. */
export function newestArtifacts(state: RunState): readonly ProducedArtifact[] {
  const newest = new Map<string, ProducedArtifact & { readonly seq: number }>()
  for (const step of state.steps) {
    for (const artifact of step.artifacts) keepNewer(newest, artifact)
  }
  for (const edit of state.edits) keepNewer(newest, edit)
  return [...newest.values()].sort((left, right) => (left.path < right.path ? -1 : 1)).map(withoutSeq)
}

/** What a gate's condition can ask about other steps. */
export function gateViews(state: RunState): Readonly<Record<string, GateStepView>> {
  const views: Record<string, GateStepView> = {}
  for (const [index, definition] of state.workflow.steps.entries()) {
    const { status, output, scoring } = state.steps.get(index)
    views[definition.id] = { status, output, scoring }
  }
  return views
}

/** Outputs of every step that has returned one, by step id. */
export function recordedOutputs(state: RunState): Readonly<Record<string, JsonValue>> {
  const outputs: Record<string, JsonValue> = {}
  for (const [index, definition] of state.workflow.steps.entries()) {
    const { output } = state.steps.get(index)
    if (output !== null) outputs[definition.id] = output
  }
  return outputs
}

/** Keys in text order, so that the canonical form needs no copy. */
function stepDocument(step: StepState, agent: string): StepDocument {
  return {
    agent,
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
}

function keepNewer(
  newest: Map<string, ProducedArtifact & { readonly seq: number }>,
  candidate: ProducedArtifact & { readonly seq: number },
): void {
  const known = newest.get(candidate.path)
  if (known === undefined || candidate.seq > known.seq) newest.set(candidate.path, candidate)
}

function withoutSeq<T extends { readonly seq: number }>(record: T): Omit<T, 'seq'> {
  const { seq, ...rest } = record
  assert(seq >= 0, 'a record knows its event')
  return rest
}
