import { jsonDiff } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { FileTree } from './evidence.ts'
import { foldLog, newestArtifacts } from './fold.ts'
import type { FoldedRun, FoldedStep } from './fold.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { sameJson } from './same-json.ts'
import { shown } from './words.ts'

/** O7 */
export const snapshot: Invariant = {
  name: 'O7',
  title: 'state.json is what the log adds up to, or it was ignored aloud',
  needsSoundLog: true,
  check(run, verdict) {
    const { evidence } = run
    for (const { incarnation, disk } of evidence.earlierLives) {
      judgeState(run, disk, `that incarnation ${incarnation} left`, verdict)
    }
    judgeState(run, evidence.files, 'at the end', verdict)
    if (!evidence.files.has(run.statePath) && hasEnded(run)) {
      verdict.broken(`The run has ended without a state.json.`, { path: run.statePath })
    }
    const pointed = run.pointedSeq(evidence.files)
    const last = run.events.at(-1)?.seq ?? -1
    if (pointed > last) {
      const sentence = `last.json vouches for event ${pointed}, and the log ends with event ${last}.`
      verdict.broken(sentence, { path: run.pointerPath, seq: pointed })
    }
  },
}

/** Snapshots with what they have been found equal to: runs that were forked from one another share both. */
const agreements = new WeakMap<object, WeakSet<FoldedRun>>()

function judgeState(run: RunReading, files: FileTree, which: string, verdict: Verdict): void {
  const state = run.stateIn(files)
  if (state === undefined) return
  const path = run.statePath
  if (state.problem !== undefined) {
    if (run.evidence.warnings.some((warning) => warning.includes('state.json'))) return
    verdict.broken(`The state.json ${which} ${state.problem}, and nobody said so.`, { path })
    return
  }
  const { body, seq } = state
  // A state.json of another run is nobody's snapshot of this one.
  if (body['runId'] !== run.evidence.runId) return
  const log = run.logIn(files)
  if (log.wholeEvents <= seq) {
    const sentence = `The state.json ${which} ends with event ${seq}, and the log has only ${log.wholeEvents} whole events.`
    verdict.broken(sentence, { path, seq })
    return
  }
  const folded = foldLog(log.events, seq)
  if (folded === undefined || agreements.get(body)?.has(folded) === true) return
  // How often it was saved, and in which format, the log does not say.
  const { saveSeq, schemaVersion } = body
  const expected = { ...stateOf(folded), saveSeq, schemaVersion }
  if (sameJson(body, expected)) {
    agreements.set(body, (agreements.get(body) ?? new WeakSet()).add(folded))
    return
  }
  for (const { path: member, before, after } of jsonDiff(expected, body)) {
    const sentence = `The state.json ${which} has ${member} ${shown(after)}, and the log adds up to ${shown(before)} at event ${seq}.`
    verdict.broken(sentence, { path, seq, ...stepOf(member) })
  }
}

/** The state document that a log adds up to. */
function stateOf(run: FoldedRun): Readonly<Record<string, unknown>> {
  const { start, definition, definitionSha256 } = run
  const steps = [...run.steps]
  const agents = new Map(definition.steps.map(({ id, agent }) => [id, agent]))
  const completed = steps.filter(([, { status }]) => status === 'completed')
  completed.sort(([, left], [, right]) => left.finishedSeq - right.finishedSeq)
  const last = completed.at(-1)
  const skipped = steps.filter(([, { status }]) => status === 'skipped').length
  const isRouted = definition.edges.some(({ condition }) => condition !== undefined)
  const artifacts = [...newestArtifacts(run).values()]
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
    steps: Object.fromEntries(
      steps.map(([id, step]) => [id, { agent: agents.get(id), ...stepDocument(step) }]),
    ),
    gateDecisions: run.gateDecisions.filter(({ step }) => run.steps.has(step)),
    artifacts: artifacts
      .sort((left, right) => (left.path < right.path ? -1 : 1))
      .map(({ path, sha256, sizeBytes, producedBy, visit, attempt }) => ({
        path,
        sha256,
        sizeBytes,
        producedBy,
        visit,
        attempt,
      })),
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

/** By the step: runs that were forked from one another share most of theirs. */
const documents = new WeakMap<FoldedStep, Readonly<Record<string, JsonValue>>>()

function stepDocument(step: FoldedStep): Readonly<Record<string, JsonValue>> {
  const document = documents.get(step) ?? writtenOut(step)
  documents.set(step, document)
  return document
}

function writtenOut(step: FoldedStep): Readonly<Record<string, JsonValue>> {
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

function stepOf(member: string): { readonly step?: string } {
  const [, step] = /^steps(?:\.([\w$-]+)|\["(.+?)"\])/.exec(member) ?? []
  return step === undefined ? {} : { step }
}

/** The log says so, and no fault could have kept the snapshot from being written. */
function hasEnded(run: RunReading): boolean {
  return run.hasSettled && run.events.at(-1)?.kind === 'workflow_end' && run.leniency === 'survivable'
}
