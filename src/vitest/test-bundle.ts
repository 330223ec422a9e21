import { checkedOutCommit, createDigest, createNodeFiles } from '../adapters/node/index.ts'
import { bundleFolderName, writeBundle } from '../bundle/index.ts'
import type { BundleReason } from '../bundle/index.ts'
import { isFaultlineError, joinPath } from '../core/index.ts'
import { faultsInWords, templateVersion } from '../harness/index.ts'
import type { SweptFinding, WorkflowSession } from '../harness/index.ts'
import type { SessionRecording } from '../trace/index.ts'
import type { TestIdentity } from './compatibility.ts'
import { bundleErrors } from './failure.ts'
import type { KeptError } from './failure.ts'
import { regularExpressions, testRedactor } from './redactor.ts'
import type { FaultlineSettings } from './settings.ts'

/** One try of a test that failed, with all that its bundle tells. */
export interface FailedTry {
  readonly identity: TestIdentity
  /** What tells the test from every other of the run. */
  readonly name: string
  readonly reason: BundleReason
  readonly errors: readonly KeptError[]
  /** What else was wrong, beside the errors. */
  readonly notes: readonly string[]
  readonly seed: number | string
  readonly correlationId: string
  readonly projects: readonly MadeProject[]
  readonly recordings: readonly SessionRecording[]
  /** The process died before everything was recorded. */
  readonly partial: boolean
}

/** A project that was made for a test. */
export interface MadeProject {
  readonly folder: string
  readonly template: string
}

/** Writes the bundle of a failed try and answers its folder, relative to the root. */
export async function leaveTestBundle(failure: FailedTry, config: FaultlineSettings): Promise<string> {
  const { identity } = failure
  const digest = createDigest()
  const files = createNodeFiles(config.root)
  const [first] = failure.projects
  const redact = testRedactor(
    config.testRoot,
    regularExpressions(config.redact),
    Object.fromEntries(
      failure.projects.map((project, index) => [`<project${index === 0 ? '' : index + 1}>`, project.folder]),
    ),
  )
  const folder = joinPath(
    config.bundles,
    bundleFolderName(
      {
        slugSource: redact.text(identity.fullName),
        hashSource: failure.name,
        attempt: identity.attempt,
        ...(identity.repeat === null ? {} : { repeat: identity.repeat }),
      },
      digest,
    ),
  )
  await writeBundle(
    {
      kind: 'test',
      reason: failure.reason,
      test: identity,
      errors: bundleErrors(failure.errors),
      sessions: failure.recordings,
      seed: failure.seed,
      correlationIds: [failure.correlationId],
      versions: {
        faultline: config.faultline,
        node: process.versions.node,
        vitest: config.vitest,
        platform: `${process.platform}-${process.arch}`,
        commit: checkedOutCommit(config.testRoot),
        template: first === undefined ? null : templateVersion(first.template, config.templates ?? undefined),
      },
      replay: { command: `npx faultline replay ${folder}`, env: null },
      notes: failure.notes,
      partial: failure.partial,
    },
    {
      files,
      folder,
      digest,
      redact,
    },
  )
  await files.closeAll()
  return folder
}

export async function recordingsOf(
  sessions: readonly WorkflowSession[],
): Promise<readonly SessionRecording[]> {
  const recordings: SessionRecording[] = []
  for (const session of sessions) {
    try {
      recordings.push(await recordingOf(session))
    } catch (error) {
      // The disk of a run can be what failed: the bundle then says so by having no session.
      if (!isFaultlineError(error)) throw error
    }
  }
  return recordings
}

/** So many findings of a sweep are shown in full; all are named. */
const findingsShown = 3

export async function recordingsOfFindings(
  findings: readonly SweptFinding[],
): Promise<readonly SessionRecording[]> {
  const recordings: SessionRecording[] = []
  for (const finding of findings.slice(0, findingsShown)) {
    const recording = (await finding.record())?.recording
    if (recording !== undefined) recordings.push(recording)
  }
  return recordings
}

/** `crash power-min at <key>: O3: <what is wrong>`. */
export function findingNotes(findings: readonly SweptFinding[]): readonly string[] {
  return findings.map(({ finding: { faults, violations } }) => {
    const broken = violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`)
    return `${faultsInWords(faults)}: ${broken.join('; ')}`
  })
}

/** The test can fail while its run is still going, at its time limit above all: then the failure is now. */
async function recordingOf(session: WorkflowSession): Promise<SessionRecording> {
  const recording = await session.recording()
  const { snapshots } = recording
  if (snapshots.atFailure !== null || recording.events.at(-1)?.kind === 'workflow_end') return recording
  return { ...recording, snapshots: { ...snapshots, atFailure: await session.capture('at-failure') } }
}
