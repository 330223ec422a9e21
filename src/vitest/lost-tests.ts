import type { BundleReason } from '../bundle/index.ts'
import { isFaultlineError } from '../core/index.ts'
import { readRunRemains } from '../harness/index.ts'
import type { OpenedSession } from '../harness/index.ts'
import type { SessionRecording } from '../trace/index.ts'
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
    const { settings, underWay, bundles } = worker
    failures.push(...bundles.map((bundle) => ({ bundle, reason: null, flaky: false })))
    for (const lost of underWay) {
      const free = settings.bundleSlots === null || takeBundleSlot(settings.bundleSlots)
      const reason = lossOf(worker)
      const bundle = free ? await leaveLostBundle(lost, reason, settings) : null
      failures.push({ bundle, reason, flaky: false })
    }
  }
  return failures
}

async function leaveLostBundle(lost: NotedTry, loss: Loss, settings: FaultlineSettings): Promise<string> {
  const { identity, name, seed, correlationId, projects } = lost
  const recordings: SessionRecording[] = []
  for (const session of lost.sessions) {
    recordings.push(...(await recordingOf(session, projects, settings.templates)))
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

async function recordingOf(
  { runId, events, logs, opened, resolvedPlan }: NotedSession,
  projects: readonly MadeProject[],
  templates: string | null,
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
      earlierArtifacts: [],
      crashes: [],
      ...(await remainsOf(runId, projects, opened?.directories ?? {}, templates)),
    },
  ]
}

/** What lies on the disk of a run: nothing when it was a simulated one, which died with the worker, or cannot be read. */
async function remainsOf(
  runId: string,
  projects: readonly MadeProject[],
  directories: OpenedSession['directories'],
  templates: string | null,
): Promise<Pick<SessionRecording, 'snapshots' | 'artifacts' | 'originals'>> {
  for (const { folder, template } of projects) {
    try {
      const remains = await readRunRemains(folder, runId, directories, { name: template, templates })
      if (remains !== undefined) return remains
    } catch (error) {
      if (!isFaultlineError(error)) throw error
    }
  }
  const snapshots = { beforeFailure: null, atFailure: null, beforeResume: [], afterResume: [] }
  return { snapshots, artifacts: [], originals: null }
}
