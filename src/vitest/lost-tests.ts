import type { BundleReason } from '../bundle/index.ts'
import { isFaultlineError } from '../core/index.ts'
import { readRunRemains, remainsOfEvents } from '../harness/index.ts'
import type { OpenedSession, RunRemains } from '../harness/index.ts'
import { artifactVersions } from '../trace/index.ts'
import type { SessionRecording, UnknownPart } from '../trace/index.ts'
import { takeBundleSlot } from './bundle-slots.ts'
import type { NotedSession, NotedTry, WorkerNotes } from './read-journals.ts'
import type { Failure } from './run-report.ts'
import type { FaultlineSettings } from './settings.ts'
import { leaveTestBundle } from './test-bundle.ts'
import type { MadeProject } from './test-bundle.ts'

/** How a test was lost. */
export type Loss = Extract<BundleReason, 'worker-died' | 'interrupted' | 'hang'>

const whatHappened: Readonly<Record<Loss, string>> = {
  'worker-died': 'The worker ended before this test did: it was killed, ran out of memory or ended itself.',
  interrupted: 'The run was interrupted before this test had ended.',
  hang: 'The worker was ended because it did not answer any more: this test, or one beside it, never gives its thread back.',
}

/** The failures that workers have noted; tests that a worker could not end get their bundles now. */
export async function failuresOfWorkers(
  workers: readonly WorkerNotes[],
  lossOf: (worker: WorkerNotes) => Loss,
): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  for (const worker of workers) {
    const { settings, underWay, bundles, ownSecrets } = worker
    failures.push(...bundles.map((bundle) => ({ bundle, reason: null, flaky: false })))
    for (const lost of underWay) {
      const free = settings.bundleSlots === null || takeBundleSlot(settings.bundleSlots)
      const reason = lossOf(worker)
      const bundle = free ? await leaveLostBundle(lost, reason, settings, ownSecrets) : null
      failures.push({ bundle, reason, flaky: false })
    }
  }
  return failures
}

async function leaveLostBundle(
  lost: NotedTry,
  loss: Loss,
  settings: FaultlineSettings,
  ownSecrets: readonly string[],
): Promise<string> {
  const { identity, name, seed, correlationId, projects } = lost
  const recordings: SessionRecording[] = []
  for (const session of lost.sessions) {
    recordings.push(...(await recordingOf(session, { projects, templates: settings.templates, ownSecrets })))
  }
  return leaveTestBundle(
    {
      identity,
      name,
      reason: loss,
      errors: [{ name: 'Error', message: whatHappened[loss] }],
      notes: [],
      seed,
      correlationId,
      projects,
      recordings,
      partial: true,
    },
    settings,
  )
}

/** Where the remains of a session can lie, and what stands against looking there. */
interface Places {
  readonly projects: readonly MadeProject[]
  readonly templates: string | null
  readonly ownSecrets: readonly string[]
}

async function recordingOf(
  { runId, events, logs, opened, resolvedPlan, crashes, replaced }: NotedSession,
  places: Places,
): Promise<readonly SessionRecording[]> {
  const [start] = events
  if (start?.kind !== 'workflow_start') return []
  const { definition, input, launch, seed, correlationId } = start
  const plan = opened?.plan ?? { version: 1, faults: [] }
  return [
    {
      runId,
      correlationId,
      seed,
      clock: opened?.clock ?? 'virtual',
      disk: opened?.disk ?? 'folder',
      definition,
      input,
      launch,
      events,
      logs,
      plan,
      resolvedPlan: resolvedPlan ?? { ...plan, faults: [] },
      earlierArtifacts: artifactVersions(events).flatMap(({ seq, path, sha256 }) => {
        const bytes = replaced.get(`${sha256} ${path}`)
        return bytes === undefined ? [] : [{ seq, path, bytes }]
      }),
      crashes,
      ...(await remainsOf({ runId, events }, opened?.directories ?? {}, places)),
    },
  ]
}

const withIt = 'the process died, and with it'
const unsynced: UnknownPart = {
  part: 'crashes',
  why: `At its end ${withIt} what it knew of files that were not durable.`,
}
const noArtifacts: UnknownPart = {
  part: 'artifacts',
  why: `Of the artifacts only digests are known: ${withIt} the disk that it simulated.`,
}
/** Nobody here could find such a secret in them. */
const keptBack = (ownSecrets: readonly string[]): UnknownPart => ({
  part: 'artifacts',
  why: `Artifacts could hold what ${ownSecrets.join(', ')} held in the process that died: they are not in the bundle.`,
})
const noSnapshots: UnknownPart = {
  part: 'snapshots',
  why: `They cannot be made from what was noted: ${withIt} the rest.`,
}

/** What lies on the disk of a run. Of a simulated one, which died with the worker, the states follow from the events. */
async function remainsOf(
  { runId, events }: Pick<NotedSession, 'runId' | 'events'>,
  directories: OpenedSession['directories'],
  { projects, templates, ownSecrets }: Places,
): Promise<RunRemains & Pick<SessionRecording, 'unknown'>> {
  const places = projects.map(({ folder, template }) => ({ folder, template: { name: template, templates } }))
  // What lies there is not redacted, as the notes are.
  for (const { folder, template } of ownSecrets.length === 0 ? places : []) {
    const remains = await readable(readRunRemains(folder, runId, directories, template))
    if (remains !== undefined) return { ...remains, unknown: [unsynced] }
  }
  const template = places[0]?.template ?? { name: 'none', templates }
  const remains = await readable(remainsOfEvents(runId, events, template))
  const artifacts = ownSecrets.length === 0 ? noArtifacts : keptBack(ownSecrets)
  if (remains !== undefined) return { ...remains, unknown: [artifacts, unsynced] }
  const snapshots = { beforeFailure: null, atFailure: null, beforeResume: [], afterResume: [] }
  return { snapshots, artifacts: [], originals: null, unknown: [noSnapshots, artifacts, unsynced] }
}

/** A run that cannot be read is as good as none. */
async function readable(remains: Promise<RunRemains | undefined>): Promise<RunRemains | undefined> {
  try {
    return await remains
  } catch (error) {
    if (!isFaultlineError(error)) throw error
    return undefined
  }
}
