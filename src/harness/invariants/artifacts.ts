import { covers } from '../../core/index.ts'
import type { LoggedEvent, LoggedEventOf } from './event-shapes.ts'
import { newestArtifacts } from './fold.ts'
import type { PlacedArtifact } from './fold.ts'
import type { Invariant, Verdict } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
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
      const bytes = evidence.files.get(path)
      const found = bytes === undefined ? undefined : run.sha256Of(bytes)
      if (found === sha256) continue
      const place = { ...placeOfProducer(artifact), seq, path }
      if (found === undefined) {
        verdict.broken(`Artifact '${path}' of ${producerOf(artifact)} is missing.`, place)
        continue
      }
      if (isInFlux(path, found)) continue
      const sentence = `Artifact '${path}' of ${producerOf(artifact)} has other bytes than event ${seq} says.`
      verdict.broken(sentence, place)
    }
    resultWalks.through(run.events).tell(run, verdict)
    blobWalks.through(run.events).tell(run, verdict)

    /** An attempt that was announced and then died may have moved some of its files into place. */
    function isInFlux(path: string, sha256: string): boolean {
      const someStepIsOpen = [...(folded?.steps.values() ?? [])].some(({ status }) => status !== 'completed')
      return someStepIsOpen && folded?.announced.get(path)?.has(sha256) === true
    }
  },
}

/** An output that is too large for its event lies in a file of its own, and nowhere else. */
function judgeBlob(run: RunReading, event: LoggedResult, verdict: Verdict): void {
  if (event.outputBlob === undefined) return
  const { sha256 } = event.outputBlob
  const path = `${run.runFolder}/blobs/${sha256}`
  const bytes = run.evidence.files.get(path)
  if (bytes !== undefined && run.sha256Of(bytes) === sha256) return
  const what = bytes === undefined ? 'is missing' : 'has other bytes than its name says'
  verdict.broken(`The output that event ${event.seq} keeps in '${path}' ${what}.`, {
    ...placeOf(event),
    path,
  })
}

type LoggedResult = Extract<LoggedEvent, { outputBlob?: unknown }>

class BlobWalk extends LogWalk {
  follow(event: LoggedEvent): void {
    if ('outputBlob' in event) this.say((run, verdict) => judgeBlob(run, event, verdict))
  }
}

const blobWalks = new LogWalks(BlobWalk)

/** A step completes with what it declares to create, and with what it had announced: recovery goes by the announcement. */
class ResultWalk extends LogWalk {
  #announced = new Map<string, LoggedEventOf<'artifacts_prepared' | 'gate_result'>>()

  constructor(before?: ResultWalk) {
    super(before)
    if (before !== undefined) this.#announced = new Map(before.#announced)
  }

  follow(event: LoggedEvent): void {
    if (event.kind !== 'artifacts_prepared' && event.kind !== 'gate_result' && event.kind !== 'step_finish') {
      return
    }
    const { step } = event
    const key = tryKey(event)
    const earlier = this.#announced.get(key)
    for (const member of ['output', 'outputBlob', 'scoring'] as const) {
      if (earlier === undefined || sameJson(earlier[member], event[member])) continue
      const sentence = `Step '${step}' ${tryOf(event)} has another ${member} in event ${event.seq} than in event ${earlier.seq}.`
      this.broken(sentence, placeOf(event))
    }
    if (event.kind !== 'step_finish') {
      this.#announced.set(key, event)
      return
    }
    for (const declared of this.stepDefinition(event)?.creates ?? []) {
      if (event.artifacts.some(({ path }) => covers(declared, path))) continue
      const sentence = `Step '${step}' completed ${tryOf(event)} without '${declared}', which it declares to create.`
      this.broken(sentence, { ...placeOf(event), path: declared })
    }
  }
}

const resultWalks = new LogWalks(ResultWalk)

function producerOf({ producedBy, visit, attempt }: PlacedArtifact): string {
  return producedBy === null ? 'a recorded edit' : `step '${producedBy}' (visit ${visit}, attempt ${attempt})`
}

function placeOfProducer({ producedBy, visit, attempt }: PlacedArtifact) {
  return producedBy === null ? {} : { step: producedBy, visit, attempt }
}
