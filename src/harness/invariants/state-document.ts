import { canonicalJson, encodeUtf8 } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { LoggedDefinition } from './event-shapes.ts'
import { newestArtifacts } from './fold.ts'
import type { FoldedRun, FoldedStep, PlacedArtifact } from './fold.ts'
import { Matching } from './matching.ts'

/** The state document that a log adds up to. */
export function stateOf(run: FoldedRun): Readonly<Record<string, unknown>> {
  const agents = agentsOf(run.definition)
  const steps = [...run.steps]
  return {
    ...factsOf(run),
    steps: Object.fromEntries(
      steps.map(([id, step]) => [id, { agent: agents.get(id), ...stepDocument(step) }]),
    ),
    artifacts: placedArtifacts(run).map(artifactDocument),
  }
}

/** All but the steps and the artifacts, of which there are many. */
function factsOf(run: FoldedRun): Readonly<Record<string, unknown>> {
  const { start, definition, definitionSha256 } = run
  const steps = [...run.steps]
  const completed = steps.filter(([, { status }]) => status === 'completed')
  completed.sort(([, left], [, right]) => left.finishedSeq - right.finishedSeq)
  const last = completed.at(-1)
  const skipped = steps.filter(([, { status }]) => status === 'skipped').length
  const isRouted = definition.edges.some(({ condition }) => condition !== undefined)
  return {
    seq: run.seq,
    epoch: run.epoch,
    workflowId: start.workflowId,
    runId: start.runId,
    correlationId: start.correlationId,
    status: run.status,
    reason: run.cancelledFor ?? run.error?.message ?? null,
    progress: {
      completed: completed.length,
      ...(skipped === 0 ? {} : { skipped }),
      total: steps.length,
    },
    ...(steps.some(([, { tolerated }]) => tolerated) ? { degraded: true } : {}),
    ...(completed.some(([, { output }]) => hasFindings(output)) ? { hasFailures: true } : {}),
    ...(isRouted
      ? { activeConnections: steps.flatMap(([to, { takes }]) => takes.map((from) => ({ from, to }))) }
      : {}),
    safePoint: { step: last?.[0] ?? null, seq: last?.[1].finishedSeq ?? 0 },
    monitoring: {
      errorCount: steps.flatMap(([, { attempts }]) => attempts).filter(({ outcome }) => outcome === 'failed')
        .length,
      recoveryAttempts: run.epoch - 1,
    },
    currentSteps: steps.flatMap(([id, { status }]) => (isCurrent(status) ? [id] : [])),
    completedSteps: completed.map(([id]) => id),
    gateDecisions: run.gateDecisions.filter(({ step }) => run.steps.has(step)),
    input: run.input,
    seed: start.seed,
    launch: start.launch,
    error: run.error,
    startedAt: start.at,
    updatedAt: run.updatedAt,
    definitionSha256,
    definition,
  }
}

function agentsOf({ steps }: LoggedDefinition): ReadonlyMap<string, string> {
  return new Map(steps.map(({ id, agent }) => [id, agent]))
}

function placedArtifacts(run: FoldedRun): readonly PlacedArtifact[] {
  return [...newestArtifacts(run).values()].sort((left, right) => (left.path < right.path ? -1 : 1))
}

function artifactDocument(artifact: PlacedArtifact): Readonly<Record<string, JsonValue>> {
  const { path, sha256, sizeBytes, producedBy, visit, attempt } = artifact
  return { path, sha256, sizeBytes, producedBy, visit, attempt }
}

function stepDocument(step: FoldedStep): Readonly<Record<string, JsonValue>> {
  const { status, visit, attempt, scoring, error, attempts, artifacts, loops } = step
  const output = step.outputBlob === undefined ? { output: step.output } : { outputBlob: step.outputBlob }
  const records = artifacts.map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes }))
  const { missingVar, waiting, undo, skipped, tolerated } = step
  const notes = {
    ...(skipped === undefined ? {} : { skipped }),
    ...(tolerated ? { tolerated } : {}),
    ...(missingVar === undefined ? {} : { missingVar }),
    ...(waiting === undefined ? {} : { waiting }),
    ...(undo === undefined ? {} : { undo }),
  }
  const document = { status, visit, attempt, ...output, scoring, error, attempts, loops, ...notes }
  return { ...document, artifacts: records } as unknown as Readonly<Record<string, JsonValue>>
}

function isCurrent(status: FoldedStep['status']): boolean {
  return status !== 'completed' && status !== 'pending' && status !== 'skipped'
}

/** It lists failures that the step has found. */
function hasFindings(output: JsonValue): boolean {
  if (typeof output !== 'object' || output === null || !('failures' in output)) return false
  return Array.isArray(output.failures) && output.failures.length > 0
}

/** Texts of what runs that were forked from one another share. */
const stepTexts = new WeakMap<FoldedStep, { readonly agent: string | undefined; readonly text: Uint8Array }>()
const artifactTexts = new WeakMap<PlacedArtifact, Uint8Array>()
const definitionTexts = new WeakMap<LoggedDefinition, Uint8Array>()

/** Numbers that only its writer knows: how often it was saved, and in which format. */
const ofTheWriter = ['saveSeq', 'schemaVersion']

/** Whether a text is the document of a run in canonical form, all but its closing brace, whatever its writer says. */
export function isTextOf(bytes: Uint8Array, run: FoldedRun): boolean {
  const text = new Matching(bytes)
  const facts = factsOf(run)
  const names = Object.keys(facts).filter((name) => facts[name] !== undefined)
  let isFirst = true
  for (const name of [...names, 'steps', 'artifacts', ...ofTheWriter].sort()) {
    text.takeText(`${isFirst ? '{' : ','}${JSON.stringify(name)}:`)
    isFirst = false
    if (name === 'steps') takeSteps(text, run)
    else if (name === 'artifacts') takeArtifacts(text, run)
    else if (name === 'definition') text.take(kept(definitionTexts, run.definition, canonicalBytes))
    else if (ofTheWriter.includes(name)) text.takeNumber()
    else text.takeText(canonicalJson(facts[name]))
    if (text.hasFailed) return false
  }
  return text.isOver
}

function takeSteps(text: Matching, run: FoldedRun): void {
  const agents = agentsOf(run.definition)
  let before = '{'
  for (const id of [...run.steps.keys()].sort()) {
    const step = run.steps.get(id) as FoldedStep
    text.takeText(`${before}${JSON.stringify(id)}:`)
    text.take(stepText(step, agents.get(id)))
    before = ','
  }
  text.takeText(run.steps.size === 0 ? '{}' : '}')
}

function stepText(step: FoldedStep, agent: string | undefined): Uint8Array {
  const known = stepTexts.get(step)
  if (known?.agent === agent && known !== undefined) return known.text
  const text = canonicalBytes({ agent, ...stepDocument(step) })
  stepTexts.set(step, { agent, text })
  return text
}

function takeArtifacts(text: Matching, run: FoldedRun): void {
  text.takeText('[')
  let isFirst = true
  for (const artifact of placedArtifacts(run)) {
    if (!isFirst) text.takeText(',')
    isFirst = false
    text.take(kept(artifactTexts, artifact, (placed) => canonicalBytes(artifactDocument(placed))))
  }
  text.takeText(']')
}

function kept<T extends object>(
  texts: WeakMap<T, Uint8Array>,
  of: T,
  write: (value: T) => Uint8Array,
): Uint8Array {
  const text = texts.get(of) ?? write(of)
  texts.set(of, text)
  return text
}

function canonicalBytes(value: unknown): Uint8Array {
  return encodeUtf8(canonicalJson(value))
}
