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
const stepTexts = new WeakMap<FoldedStep, StepText>()
const artifactTexts = new WeakMap<PlacedArtifact, Uint8Array>()
const definitionTexts = new WeakMap<LoggedDefinition, Uint8Array>()

interface StepText {
  readonly agent: string | undefined
  readonly text: Uint8Array
}

/** Numbers that only its writer knows: how often it was saved, and in which format. */
const ofTheWriter = ['saveSeq', 'schemaVersion']

/** Whether a text is the document of a run in canonical form, all but its closing brace, whatever its writer says. */
export function isTextOf(bytes: Uint8Array, run: FoldedRun): boolean {
  const text = new Matching(bytes)
  const facts = factsOf(run)
  const names = Object.keys(facts).filter((name) => facts[name] !== undefined)
  let before = '{'
  for (const name of [...names, 'steps', 'artifacts', ...ofTheWriter].sort()) {
    const key = `${before}${JSON.stringify(name)}:`
    before = ','
    if (name === 'steps') takeList(text, `${key}{`, stepTextsOf(run), '}')
    else if (name === 'artifacts') takeList(text, `${key}[`, placedArtifacts(run).map(artifactText), ']')
    else if (name === 'definition') takeList(text, key, [definitionText(run.definition)], '')
    else if (ofTheWriter.includes(name)) text.takeNumberAfter(key)
    else text.takeText(`${key}${canonicalJson(facts[name])}`)
    if (text.hasFailed) return false
  }
  return text.isOver
}

function takeList(text: Matching, before: string, items: readonly Uint8Array[], after: string): void {
  text.takeText(before)
  for (const [index, item] of items.entries()) {
    if (index > 0) text.takeByte(comma)
    text.take(item)
  }
  text.takeText(after)
}

const comma = 0x2c

function stepTextsOf({ definition, steps }: FoldedRun): readonly Uint8Array[] {
  const agents = agentsOf(definition)
  return [...steps]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([id, step]) => stepText(id, step, agents.get(id)))
}

function stepText(id: string, step: FoldedStep, agent: string | undefined): Uint8Array {
  const known = stepTexts.get(step)
  if (known !== undefined && known.agent === agent) return known.text
  const text = encodeUtf8(`${JSON.stringify(id)}:${canonicalJson({ agent, ...stepDocument(step) })}`)
  stepTexts.set(step, { agent, text })
  return text
}

function artifactText(artifact: PlacedArtifact): Uint8Array {
  const text = artifactTexts.get(artifact) ?? encodeUtf8(canonicalJson(artifactDocument(artifact)))
  artifactTexts.set(artifact, text)
  return text
}

function definitionText(definition: LoggedDefinition): Uint8Array {
  const text = definitionTexts.get(definition) ?? encodeUtf8(canonicalJson(definition))
  definitionTexts.set(definition, text)
  return text
}
