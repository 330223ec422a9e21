import { covers } from '../../core/index.ts'
import { newestArtifacts } from './fold.ts'
import type { PlacedArtifact } from './fold.ts'
import type { Invariant } from './invariant.ts'

/** O3 */
export const artifacts: Invariant = {
  name: 'O3',
  title: 'every completed step has its artifacts, with the bytes that its event names',
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
    for (const event of run.events) {
      if (event.kind !== 'step_finish') continue
      for (const declared of run.stepDefinition(event)?.creates ?? []) {
        if (event.artifacts.some(({ path }) => covers(declared, path))) continue
        const { step, visit, attempt, seq } = event
        const sentence = `Step '${step}' completed (visit ${visit}, attempt ${attempt}) without '${declared}', which it declares to create.`
        verdict.broken(sentence, { step, visit, attempt, seq, path: declared })
      }
    }

    /** An attempt that was announced and then died may have moved some of its files into place. */
    function isInFlux(path: string, sha256: string): boolean {
      const someStepIsOpen = [...(folded?.steps.values() ?? [])].some(({ status }) => status !== 'completed')
      return someStepIsOpen && folded?.announced.get(path)?.has(sha256) === true
    }
  },
}

function producerOf({ producedBy, visit, attempt }: PlacedArtifact): string {
  return producedBy === null ? 'a recorded edit' : `step '${producedBy}' (visit ${visit}, attempt ${attempt})`
}

function placeOfProducer({ producedBy, visit, attempt }: PlacedArtifact) {
  return producedBy === null ? {} : { step: producedBy, visit, attempt }
}
