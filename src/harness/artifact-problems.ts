import { canonicalJson, covers, suggestion, type JsonValue } from '../core/index.ts'
import type { ProducedArtifact, StateDocument, WorkflowEvent } from '../trace/index.ts'
import type { ExpectedArtifact, ExpectedArtifacts } from './contract.ts'
import { diffSnapshots, formatSnapshotDiff } from './snapshot-diff.ts'
import { textDifference } from './text-difference.ts'

export type ArtifactProblemKind =
  /** Expected, recorded or declared by a completed step, and not there. */
  | 'missing'
  /** Not where it is expected, but the same name or the same bytes are elsewhere in the project. */
  | 'misplaced'
  | 'empty'
  /** In the project, but no step of the run recorded it: a left-over, or a file of the template. */
  | 'not produced'
  | 'wrong producer'
  | 'wrong digest'
  | 'wrong content'
  /** The bytes are no longer those that the run recorded. */
  | 'changed'
  /** Recorded twice. */
  | 'doubled'
  /** Recorded but declared by no step; or in a declared place but recorded by no step. */
  | 'unexpected'

/** What to do about each kind. */
export const artifactAdvice: Readonly<Record<ArtifactProblemKind, string>> = {
  missing:
    'let the step write it through context.artifacts, or correct the path where it is expected or declared',
  misplaced: 'expect it where it lies, or let the step write it where it is expected',
  empty: `let the step write its content, or expect text: ''`,
  'not produced':
    'let a step of this run write it through context.artifacts: what was there before is no artifact',
  'wrong producer': 'correct producedBy, or let the expected step write it',
  'wrong digest': 'if the content is right, expect its digest; otherwise correct the step',
  'wrong content': 'if the content is right, expect it; otherwise correct the step',
  changed: 'let nothing write it behind the run: change it in a step, or with session.edit',
  doubled: 'let one step write each path, once a visit',
  unexpected: `declare it in the step's creates, expect it, or stop writing it`,
}

export interface ArtifactProblem {
  readonly kind: ArtifactProblemKind
  readonly path: string
  /** What is wrong, naming the path; one line. */
  readonly message: string
  /** Lines to look at besides: where a text differs. */
  readonly excerpt?: readonly string[]
}

/** What the judgement is made from: the run's own record, and the project as it is on disk. */
export interface ArtifactEvidence {
  readonly state: StateDocument
  readonly events: readonly WorkflowEvent[]
  /** Every file of the project, by path. */
  readonly disk: ReadonlyMap<string, DiskFile>
  /** Files that the run was given: the template's, and those the test wrote. Undefined when not known. */
  readonly given: ReadonlySet<string> | undefined
  readonly expected: ExpectedArtifacts
  /** Whether every artifact of the run must be expected. */
  readonly exact: boolean
}

export interface DiskFile {
  readonly bytes: Uint8Array
  readonly sha256: string
}

/** Every problem, sorted by path. */
export function findArtifactProblems(evidence: ArtifactEvidence): readonly ArtifactProblem[] {
  const problems = [
    ...expectedProblems(evidence),
    ...recordedProblems(evidence),
    ...declaredProblems(evidence),
    ...doubledProblems(evidence),
    ...unexpectedProblems(evidence),
  ]
  return problems.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0))
}

function* expectedProblems(evidence: ArtifactEvidence): Generator<ArtifactProblem> {
  const { state, disk } = evidence
  for (const [path, expected] of Object.entries(evidence.expected)) {
    const records = state.artifacts.filter((record) => covers(path, record.path))
    const paths = path.endsWith('/') ? records.map((record) => record.path) : [path]
    if (paths.length === 0) yield missing(evidence, path, expected)
    for (const each of paths) {
      const file = disk.get(each)
      if (file === undefined) {
        yield missing(evidence, each, expected)
        continue
      }
      const record = records.find(({ path: recorded }) => recorded === each)
      const from = record?.producedBy == null ? '' : `(from step '${record.producedBy}') `
      if (file.bytes.length === 0 && expected.text !== '') {
        yield problem('empty', each, `${from}is in the project but has no content`)
      }
      yield* producerProblems(evidence, each, expected, record)
      yield* contentProblems(each, expected, file, from)
    }
  }
}

/** A missing file, and where one like it is. */
function missing(evidence: ArtifactEvidence, path: string, expected: ExpectedArtifact): ArtifactProblem {
  const { state, disk } = evidence
  const record = state.artifacts.find((each) => each.path === path)
  const sha256 = expected.sha256 ?? record?.sha256
  const name = path.slice(path.lastIndexOf('/') + 1)
  for (const [other, file] of disk) {
    const sameBytes = file.sha256 === sha256 && file.bytes.length > 0
    if (!sameBytes && (name === '' || other.slice(other.lastIndexOf('/') + 1) !== name)) continue
    const producer = state.artifacts.find((each) => each.path === other)?.producedBy
    const by = producer == null ? '' : `, produced by step '${producer}'`
    return problem(
      'misplaced',
      path,
      `is not there; the same ${sameBytes ? 'bytes' : 'name'} at ${other}${by}`,
    )
  }
  return problem('missing', path, `is not in the project: ${whyMissing(state, path, record)}`)
}

function whyMissing(state: StateDocument, path: string, record: ProducedArtifact | undefined): string {
  if (record !== undefined) return `${recordedBy(record)}, and it is gone since`
  const step = declaringStep(state, path)
  if (step === undefined) return 'no step declares it'
  return `step '${step}' declares it and is ${state.steps[step]?.status ?? 'pending'}`
}

function* producerProblems(
  { state, given }: ArtifactEvidence,
  path: string,
  { producedBy }: ExpectedArtifact,
  record: ProducedArtifact | undefined,
): Generator<ArtifactProblem> {
  if (record === undefined) {
    const origin = given?.has(path) === true ? 'it was there before the run' : 'no step recorded it'
    yield problem('not produced', path, `is in the project but not from this run: ${origin}`)
    return
  }
  if (producedBy === undefined || producedBy === record.producedBy) return
  const steps = Object.keys(state.steps)
  const typo = steps.includes(producedBy)
    ? ''
    : ` (there is no step '${producedBy}'. ${suggestion(producedBy, steps)})`
  yield problem('wrong producer', path, `${recordedBy(record)}, expected step '${producedBy}'${typo}`)
}

function* contentProblems(
  path: string,
  expected: ExpectedArtifact,
  file: DiskFile,
  from: string,
): Generator<ArtifactProblem> {
  if (expected.sha256 !== undefined && expected.sha256.toLowerCase() !== file.sha256) {
    yield problem('wrong digest', path, `${from}has sha256 ${file.sha256}, expected ${expected.sha256}`)
  }
  const text = new TextDecoder().decode(file.bytes)
  if (expected.text !== undefined) {
    const difference = textDifference(expected.text, text)
    if (difference !== undefined) {
      const message = `${from}differs from the expected text at line ${difference.line} (- expected, + found):`
      yield problem('wrong content', path, message, difference.excerpt)
    }
  }
  if (expected.json !== undefined) yield* jsonProblems(path, expected.json, text, from)
}

/** So many differences of a JSON file are listed. */
const mostChanges = 5

function* jsonProblems(
  path: string,
  expected: JsonValue,
  text: string,
  from: string,
): Generator<ArtifactProblem> {
  let found: JsonValue
  try {
    found = JSON.parse(text) as JsonValue
  } catch (error) {
    yield problem('wrong content', path, `${from}is not valid JSON: ${(error as Error).message}`)
    return
  }
  // Through the canonical form, so that members that are `undefined` in the expectation do not count.
  const changes = diffSnapshots(JSON.parse(canonicalJson(expected)), found)
  if (changes.length === 0) return
  const more = changes.length > mostChanges ? [`... and ${changes.length - mostChanges} more`] : []
  const excerpt = formatSnapshotDiff(changes.slice(0, mostChanges)).split('\n')
  const places = changes.length === 1 ? '1 place' : `${changes.length} places`
  yield problem(
    'wrong content',
    path,
    `${from}differs from the expected JSON at ${places} (expected -> found):`,
    [...excerpt, ...more],
  )
}

function* recordedProblems({ state, disk, expected }: ArtifactEvidence): Generator<ArtifactProblem> {
  for (const record of state.artifacts) {
    const file = disk.get(record.path)
    if (file === undefined) {
      // An expected path has been reported as missing or misplaced already.
      if (!isExpected(expected, record.path)) {
        yield problem(
          'missing',
          record.path,
          `is not in the project: ${recordedBy(record)}, and it is gone since`,
        )
      }
    } else if (file.sha256 !== record.sha256) {
      const is = `${file.sha256} (${file.bytes.length} bytes)`
      const was = `${record.sha256} (${record.sizeBytes} bytes)`
      yield problem('changed', record.path, `${recordedBy(record)} with sha256 ${was}; on disk it is ${is}`)
    }
  }
}

function* declaredProblems({ state, expected }: ArtifactEvidence): Generator<ArtifactProblem> {
  for (const step of state.definition.steps) {
    if (state.steps[step.id]?.status !== 'completed') continue
    for (const declared of step.creates) {
      if (declared in expected || state.artifacts.some((record) => covers(declared, record.path))) continue
      yield problem('missing', declared, `is declared by step '${step.id}', which completed without it`)
    }
  }
}

function* doubledProblems({ state, events }: ArtifactEvidence): Generator<ArtifactProblem> {
  const newest = new Map<string, ProducedArtifact>()
  for (const record of state.artifacts) {
    const first = newest.get(record.path)
    newest.set(record.path, record)
    if (first === undefined) continue
    yield problem(
      'doubled',
      record.path,
      `is recorded twice: ${recordedBy(first)}, and ${recordedBy(record)}`,
    )
  }

  const claims = new Map<string, string>()
  for (const [step, document] of Object.entries(state.steps)) {
    for (const record of document.artifacts) {
      const claim = `${record.path}\0${record.sha256}`
      const first = claims.get(claim)
      claims.set(claim, step)
      if (first === undefined) continue
      yield problem(
        'doubled',
        record.path,
        `was produced with the same bytes by step '${first}' and step '${step}'`,
      )
    }
  }

  const visits = new Map<string, number>()
  for (const event of events) {
    if (event.kind !== 'step_finish') continue
    for (const record of event.artifacts) {
      const key = `${record.path}\0${event.step}#${event.visit}`
      const first = visits.get(key)
      visits.set(key, event.seq)
      if (first === undefined) continue
      const visit = `visit ${event.visit} of step '${event.step}'`
      yield problem(
        'doubled',
        record.path,
        `was produced twice by ${visit} (events ${first} and ${event.seq})`,
      )
    }
  }
}

function* unexpectedProblems(evidence: ArtifactEvidence): Generator<ArtifactProblem> {
  const { state, disk, given, expected, exact } = evidence
  const recorded = new Set<string>()
  for (const record of state.artifacts) {
    recorded.add(record.path)
    // A recorded edit was asked for by the test.
    if (record.producedBy === null || isExpected(expected, record.path)) continue
    if (declaringStep(state, record.path) === undefined) {
      yield problem('unexpected', record.path, `${recordedBy(record)}, but no step declares it`)
    } else if (exact) {
      yield problem(
        'unexpected',
        record.path,
        `${recordedBy(record)}, but it is not among the expected artifacts`,
      )
    }
  }
  if (given === undefined) return
  for (const path of disk.keys()) {
    if (recorded.has(path) || given.has(path) || isExpected(expected, path)) continue
    const step = declaringStep(state, path)
    if (step === undefined) continue
    yield problem('unexpected', path, `lies where step '${step}' writes, but no step recorded it`)
  }
}

function problem(
  kind: ArtifactProblemKind,
  path: string,
  message: string,
  excerpt?: readonly string[],
): ArtifactProblem {
  return { kind, path, message: `${path} ${message}`, ...(excerpt === undefined ? {} : { excerpt }) }
}

function recordedBy({ producedBy, visit }: ProducedArtifact): string {
  if (producedBy === null) return 'was recorded by an edit'
  return visit === 1
    ? `was produced by step '${producedBy}'`
    : `was produced by step '${producedBy}' (visit ${visit})`
}

function declaringStep(state: StateDocument, path: string): string | undefined {
  return state.definition.steps.find((step) => step.creates.some((declared) => covers(declared, path)))?.id
}

function isExpected(expected: ExpectedArtifacts, path: string): boolean {
  return Object.keys(expected).some((each) => covers(each, path))
}
