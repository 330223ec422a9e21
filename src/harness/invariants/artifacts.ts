import { covers } from '../../core/index.ts'
import type { LoggedEventOf } from './event-shapes.ts'
import { newestArtifacts } from './fold.ts'
import type { PlacedArtifact } from './fold.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { sameJson } from './same-json.ts'
import { placeOf, tryKey, tryOf } from './words.ts'

/** O3 */
export const artifacts: Invariant = {
  name: 'O3',
  title:
    'every completed step has its artifacts, with the bytes that its event names, and the result it announced',
  needsSoundLog: true,
  check(run, verdict) {
    const { folded, evidence } = run
    if (folded === undefined) {
      verdict.notJudged('artifacts: the log does not begin with event 0')
      return
    }
    for (const artifact of newestArtifacts(folded).values()) {
      const { producedBy, path, sha256, seq } = artifact
      if (producedBy !== null && folded.steps.get(producedBy)?.status !== 'completed') continue
      const place = { ...placeOfProducer(artifact), seq, path }
      const bytes = evidence.files.get(path)
      if (bytes === undefined) {
        verdict.broken(`Artifact '${path}' of ${producerOf(artifact)} is missing.`, place)
        continue
      }
      const found = run.sha256Of(bytes)
      if (found === sha256 || isInFlux(path, found)) continue
      const sentence = `Artifact '${path}' of ${producerOf(artifact)} has other bytes than event ${seq} says.`
      verdict.broken(sentence, place)
    }
    judgeResults(run, verdict)
    judgeBlobs(run, verdict)

    /** An attempt that was announced and then died may have moved some of its files into place. */
    function isInFlux(path: string, sha256: string): boolean {
      const someStepIsOpen = [...(folded?.steps.values() ?? [])].some(({ status }) => status !== 'completed')
      return someStepIsOpen && folded?.announced.get(path)?.has(sha256) === true
    }
  },
}

/** An output that is too large for its event lies in a file of its own, and nowhere else. */
function judgeBlobs(run: RunReading, verdict: Verdict): void {
  for (const event of run.events) {
    if (!('outputBlob' in event) || event.outputBlob === undefined) continue
    const { sha256 } = event.outputBlob
    const path = `${run.runFolder}/blobs/${sha256}`
    const bytes = run.evidence.files.get(path)
    if (bytes !== undefined && run.sha256Of(bytes) === sha256) continue
    const what = bytes === undefined ? 'is missing' : 'has other bytes than its name says'
    verdict.broken(`The output that event ${event.seq} keeps in '${path}' ${what}.`, {
      ...placeOf(event),
      path,
    })
  }
}

/** A step completes with what it declares to create, and with what it had announced: recovery goes by the announcement. */
function judgeResults(run: RunReading, verdict: Verdict): void {
  const announced = new Map<string, LoggedEventOf<'artifacts_prepared' | 'gate_result'>>()
  for (const event of run.events) {
    if (event.kind !== 'artifacts_prepared' && event.kind !== 'gate_result' && event.kind !== 'step_finish') {
      continue
    }
    const { step } = event
    const earlier = announced.get(tryKey(event))
    for (const member of ['output', 'outputBlob', 'scoring'] as const) {
      if (earlier === undefined || sameJson(earlier[member], event[member])) continue
      const sentence = `Step '${step}' ${tryOf(event)} has another ${member} in event ${event.seq} than in event ${earlier.seq}.`
      verdict.broken(sentence, placeOf(event))
    }
    if (event.kind !== 'step_finish') {
      announced.set(tryKey(event), event)
      continue
    }
    for (const declared of run.stepDefinition(event)?.creates ?? []) {
      if (event.artifacts.some(({ path }) => covers(declared, path))) continue
      const sentence = `Step '${step}' completed ${tryOf(event)} without '${declared}', which it declares to create.`
      verdict.broken(sentence, { ...placeOf(event), path: declared })
    }
  }
}

function producerOf({ producedBy, visit, attempt }: PlacedArtifact): string {
  return producedBy === null ? 'a recorded edit' : `step '${producedBy}' (visit ${visit}, attempt ${attempt})`
}

function placeOfProducer({ producedBy, visit, attempt }: PlacedArtifact) {
  return producedBy === null ? {} : { step: producedBy, visit, attempt }
}
