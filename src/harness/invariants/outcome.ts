import { jsonDiff } from '../../core/index.ts'
import type { CanonicalOutcome, CanonicalStep } from './evidence.ts'
import type { FoldedStep } from './fold.ts'
import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { sameJson } from './same-json.ts'
import { shown } from './words.ts'

/** O1 */
export const outcome: Invariant = {
  name: 'O1',
  title: 'the run comes to the end of the run without faults, or to a failure that says why',
  check(run, verdict) {
    const { reference, ending } = run.evidence
    if (reference === undefined) {
      verdict.notJudged('what the run should have come to: the evidence has no reference')
      return
    }
    if (comesTo(run, reference)) return
    const actual = outcomeOf(run)
    const mayFail = run.leniency !== 'survivable' && reference.status !== ending.status
    if (!mayFail) {
      compareOutcomes(actual, reference, 'in the run without faults', verdict)
      return
    }
    const { error } = ending
    if (run.leniency === 'reportable' && run.wasResumedWithoutFaults) {
      verdict.broken(
        `The run ended ${ending.status} although it was resumed when nothing went wrong any more; without faults it ended ${reference.status}.`,
      )
    } else if (ending.status !== 'failed' && ending.status !== 'refused') {
      verdict.broken(`The run ended ${ending.status}; without faults it ended ${reference.status}.`)
    } else if (error === undefined || (error.code ?? error.kind) === undefined) {
      verdict.broken(`The run ended ${ending.status} and does not say why with a code or a kind of error.`)
    }
    compareFinishedSteps(actual, reference, verdict)
  },
}

/** Whether a run came to an outcome: the same as holding against it what the run came to, without making that. */
function comesTo(run: RunReading, { status, steps, files }: CanonicalOutcome): boolean {
  const { evidence, folded } = run
  if (evidence.ending.status !== status) return false
  const project = run.projectFiles(evidence.files)
  if (project.size !== Object.keys(files).length) return false
  if ((folded?.steps.size ?? 0) !== Object.keys(steps).length) return false
  for (const [path, bytes] of project) if (ownMember(files, path) !== run.sha256Of(bytes)) return false
  for (const [id, step] of folded?.steps ?? [])
    if (!sameJson(canonicalStep(step), ownMember(steps, id))) return false
  return true
}

/** What a run came to, from its log and its files. */
export function outcomeOf(run: RunReading): CanonicalOutcome {
  const { evidence, folded } = run
  const digests = Array.from(run.projectFiles(evidence.files), ([path, bytes]) => [path, run.sha256Of(bytes)])
  const files = Object.fromEntries(digests) as Record<string, string>
  const steps = Array.from(folded?.steps ?? [], ([id, step]) => [id, canonicalStep(step)] as const)
  return { status: evidence.ending.status, steps: Object.fromEntries(steps), files }
}

/** By the step: runs that were forked from one another share most of theirs. */
const known = new WeakMap<FoldedStep, CanonicalStep>()

function canonicalStep(step: FoldedStep): CanonicalStep {
  const before = known.get(step)
  if (before !== undefined) return before
  const { status, output, outputBlob, scoring, artifacts } = step
  const digests = artifacts.map(({ path, sha256 }) => [path, sha256] as const)
  const canonical = {
    status,
    output: outputBlob ?? output,
    scoring,
    artifacts: Object.fromEntries(digests),
  }
  known.set(step, canonical)
  return canonical
}

/** Says each way in which two outcomes differ; `where` names the second. */
export function compareOutcomes(
  actual: CanonicalOutcome,
  expected: CanonicalOutcome,
  where: string,
  verdict: Verdict,
): void {
  if (actual.status !== expected.status) {
    verdict.broken(`The run ended ${actual.status}, and ${expected.status} ${where}.`)
  }
  for (const id of differing(actual.steps, expected.steps)) {
    compareSteps(id, actual.steps[id], expected.steps[id], where, verdict)
  }
  for (const path of differing(actual.files, expected.files)) {
    const [here, there] = [ownMember(actual.files, path), ownMember(expected.files, path)]
    if (here === undefined) verdict.broken(`File '${path}' is missing, and is there ${where}.`, { path })
    else if (there === undefined) verdict.broken(`File '${path}' is there, and is not ${where}.`, { path })
    else verdict.broken(`File '${path}' has other bytes than ${where}.`, { path })
  }
}

function compareSteps(
  step: string,
  actual: CanonicalStep | undefined,
  expected: CanonicalStep | undefined,
  where: string,
  verdict: Verdict,
): void {
  if (sameJson(actual, expected)) return
  for (const { path, before, after } of jsonDiff(expected, actual)) {
    const what = path === '' ? 'record' : path
    verdict.broken(`Step '${step}' ended with ${what} ${shown(after)}, and with ${shown(before)} ${where}.`, {
      step,
    })
  }
}

/** A run that may fail must still not have computed anything else on the way. */
function compareFinishedSteps(actual: CanonicalOutcome, expected: CanonicalOutcome, verdict: Verdict): void {
  for (const [id, step] of Object.entries(actual.steps)) {
    if (step.status !== 'completed' || expected.steps[id]?.status !== 'completed') continue
    compareSteps(id, step, expected.steps[id], 'in the run without faults', verdict)
  }
}

/** The names under which two records do not have the very same, in their order. */
function differing(
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (left === right) return []
  const names = Object.keys(left).filter((name) => left[name] !== ownMember(right, name))
  const more = Object.keys(right).filter((name) => !Object.hasOwn(left, name))
  return [...names, ...more].sort()
}

/** A step or a file may be called like a member that every object has. */
function ownMember<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
