import { canonicalJson, encodeUtf8 } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { LoggedDefinition } from './event-shapes.ts'
import { newestArtifacts } from './fold.ts'
import type { FoldedRun, FoldedStep, PlacedArtifact } from './fold.ts'
import { Matching } from './matching.ts'

/** The state document that a log adds up to, all but the numbers that only its writer knows. */
export function stateOf(run: FoldedRun): Readonly<Record<string, unknown>> {
  const steps = stepsById(run.definition).map(({ id, agent }) => {
    const step = run.steps.get(id)
    return [id, step === undefined ? undefined : stepDocument(step, agent)] as const
  })
  return membersOf(run, Object.fromEntries(steps), placedArtifacts(run).map(artifactDocument))
}

/** In canonical order. Those that the document has not are undefined, as are those of its writer. */
function membersOf(run: FoldedRun, steps: unknown, artifacts: unknown): Readonly<Record<string, unknown>> {
  const { start, definition } = run
  const sums = sumsOf(run)
  const { completed } = sums
  const last = completed.at(-1)
  return {
    activeConnections: definition.edges.some(isConditional) ? sums.connections : undefined,
    artifacts,
    completedSteps: completed.map(([id]) => id),
    correlationId: start.correlationId,
    currentSteps: sums.current,
    definition,
    definitionSha256: run.definitionSha256,
    degraded: sums.isDegraded ? true : undefined,
    epoch: run.epoch,
    error: run.error,
    gateDecisions: run.gateDecisions.filter(({ step }) => run.steps.has(step)),
    hasFailures: sums.hasFailures ? true : undefined,
    input: run.input,
    launch: start.launch,
    monitoring: { errorCount: sums.errors, recoveryAttempts: run.epoch - 1 },
    progress: {
      completed: completed.length,
      skipped: sums.skipped === 0 ? undefined : sums.skipped,
      total: run.steps.size,
    },
    reason: run.cancelledFor ?? run.error?.message ?? null,
    runId: start.runId,
    safePoint: { seq: last?.[1].finishedSeq ?? 0, step: last?.[0] ?? null },
    saveSeq: undefined,
    schemaVersion: undefined,
    seed: start.seed,
    seq: run.seq,
    startedAt: start.at,
    status: run.status,
    steps,
    updatedAt: run.updatedAt,
    workflowId: start.workflowId,
  }
}

/** What the steps of a run come to together. */
function sumsOf({ steps }: FoldedRun) {
  const completed: [id: string, step: FoldedStep][] = []
  const current: string[] = []
  const connections: { readonly from: string; readonly to: string }[] = []
  let [skipped, errors, isDegraded, hasFailures] = [0, 0, false, false]
  for (const entry of steps) {
    const [id, step] = entry
    if (step.status === 'completed') {
      completed.push(entry)
      hasFailures ||= hasFindings(step.output)
    } else if (step.status === 'skipped') skipped++
    else if (step.status !== 'pending') current.push(id)
    isDegraded ||= step.tolerated
    for (const from of step.takes) connections.push({ from, to: id })
    for (const { outcome } of step.attempts) if (outcome === 'failed') errors++
  }
  completed.sort(([, left], [, right]) => left.finishedSeq - right.finishedSeq)
  return { completed, current, connections, skipped, errors, isDegraded, hasFailures }
}

function isConditional({ condition }: LoggedDefinition['edges'][number]): boolean {
  return condition !== undefined
}

const sortedSteps = new WeakMap<LoggedDefinition, LoggedDefinition['steps']>()

function stepsById(definition: LoggedDefinition): LoggedDefinition['steps'] {
  const known = sortedSteps.get(definition)
  if (known !== undefined) return known
  const sorted = definition.steps.toSorted((left, right) => (left.id < right.id ? -1 : 1))
  sortedSteps.set(definition, sorted)
  return sorted
}

function placedArtifacts(run: FoldedRun): readonly PlacedArtifact[] {
  return [...newestArtifacts(run).values()].sort((left, right) => (left.path < right.path ? -1 : 1))
}

function artifactDocument(artifact: PlacedArtifact): Readonly<Record<string, JsonValue>> {
  const { path, sha256, sizeBytes, producedBy, visit, attempt } = artifact
  return { path, sha256, sizeBytes, producedBy, visit, attempt }
}

function stepDocument(step: FoldedStep, agent: string): Readonly<Record<string, JsonValue>> {
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
  const document = { agent, status, visit, attempt, ...output, scoring, error, attempts, loops, ...notes }
  return { ...document, artifacts: records } as unknown as Readonly<Record<string, JsonValue>>
}

/** It lists failures that the step has found. */
function hasFindings(output: JsonValue): boolean {
  if (typeof output !== 'object' || output === null || !('failures' in output)) return false
  return Array.isArray(output.failures) && output.failures.length > 0
}

/** Texts of what runs that were forked from one another share. */
const stepTexts = new WeakMap<FoldedStep, StepText>()
const artifactTexts = new WeakMap<PlacedArtifact, string>()
const definitionTexts = new WeakMap<LoggedDefinition, Uint8Array>()

interface StepText {
  readonly agent: string
  readonly text: Uint8Array
}

/** Numbers that only its writer knows: how often it was saved, and in which format. */
const ofTheWriter = ['saveSeq', 'schemaVersion']

/** Whether a text is the document of a run in canonical form, all but its closing brace, whatever its writer says. */
export function isTextOf(bytes: Uint8Array, run: FoldedRun): boolean {
  const text = new Matching(bytes)
  const members = membersOf(run, run.steps, run.steps)
  let before = '{'
  for (const name of Object.keys(members)) {
    const member = members[name]
    const isOfTheWriter = ofTheWriter.includes(name)
    if (member === undefined && !isOfTheWriter) continue
    text.takeText(`${before}"${name}":`)
    before = ','
    if (isOfTheWriter) text.takeNumber()
    else if (name === 'artifacts') text.takeText(`[${placedArtifacts(run).map(artifactText).join()}]`)
    else if (name === 'definition') text.take(definitionText(run.definition))
    else if (name === 'steps') takeSteps(text, run)
    else text.takeText(canonicalJson(member))
    if (text.hasFailed) return false
  }
  return text.isOver()
}

function takeSteps(text: Matching, { definition, steps }: FoldedRun): void {
  text.takeText('{')
  let isFirst = true
  for (const { id, agent } of stepsById(definition)) {
    const step = steps.get(id)
    if (step === undefined) continue
    const member = stepText(id, step, agent)
    text.take(isFirst ? member.subarray(1) : member)
    isFirst = false
  }
  text.takeText('}')
}

/** With the comma before it. */
function stepText(id: string, step: FoldedStep, agent: string): Uint8Array {
  const known = stepTexts.get(step)
  if (known !== undefined && known.agent === agent) return known.text
  const text = encodeUtf8(`,${JSON.stringify(id)}:${canonicalJson(stepDocument(step, agent))}`)
  stepTexts.set(step, { agent, text })
  return text
}

function artifactText(artifact: PlacedArtifact): string {
  const text = artifactTexts.get(artifact) ?? canonicalJson(artifactDocument(artifact))
  artifactTexts.set(artifact, text)
  return text
}

function definitionText(definition: LoggedDefinition): Uint8Array {
  const text = definitionTexts.get(definition) ?? encodeUtf8(canonicalJson(definition))
  definitionTexts.set(definition, text)
  return text
}
