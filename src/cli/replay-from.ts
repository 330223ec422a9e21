import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createDigest,
  createTemporaryRoot,
  ownTemplatesFolder,
  templateNames,
} from '../adapters/node/index.ts'
import { isTruncated } from '../bundle/index.ts'
import type { Bundle, BundleSession } from '../bundle/index.ts'
import { containedPath, FaultlineError, suggestion } from '../core/index.ts'
import type { Fault, FaultPlan } from '../definition/index.ts'
import { runLayout, storeLayout } from '../engine/index.ts'
import type { RunLayout } from '../engine/index.ts'
import { createProject, openProject, resumeProcessRun, runFromEvents } from '../harness/index.ts'
import type { Agents, Project } from '../harness/index.ts'
import type { EventOf, WorkflowEvent, WorkflowSnapshot } from '../trace/index.ts'
import { loadAgents } from './agents-module.ts'
import {
  agentsOf,
  asLoaded,
  bundledForm,
  copyProject,
  definitionsOf,
  outcomeOf,
  recordedRun,
  runAsRecorded,
} from './replay-run.ts'
import type { RecordedRun, ReplayOptions } from './replay-run.ts'
import { recordedFrom } from './replay-verdict.ts'
import type { Replayed } from './replay-verdict.ts'
import { directoriesOf } from './state-directory.ts'

export interface ReplayFromOptions extends ReplayOptions {
  /** `before-resume-1`. */
  readonly from: string
  /** Absolute folder of the bundle. */
  readonly bundleFolder: string
}

/**
 * Puts the run back to where it stood before a resume, from what the bundle holds, in a temporary project, and resumes it there.
 * Answers the whole run: up to the snapshot it is the recorded one.
 *
 * @throws FaultlineError `BUNDLE_INVALID` when the bundle has no such snapshot, or not the artifacts as they were then.
 */
export async function replayFrom(
  bundle: Bundle,
  projectFolder: string,
  options: ReplayFromOptions,
): Promise<Replayed> {
  const { session: recordedSession, snapshot } = snapshotPlace(bundle, options.from)
  const recorded = recordedRun({ ...recordedSession, folder: bundle.folder })
  const before = recorded.events.filter(({ seq }) => seq <= snapshot.seq)
  const resumed = recorded.events.slice(before.length)
  const [first] = resumed
  if (first?.kind !== 'workflow_resume')
    throw unusable(bundle, options.from, 'no resume was recorded after it')

  const root = await createTemporaryRoot({ prefix: 'faultline-replay' })
  try {
    const { project, agents } = await projectFor(bundle, recorded, root.folder, projectFolder, options)
    await restoreArtifacts(project, bundle, recordedSession, snapshot, options)
    const directories = directoriesOf(recorded.start.launch)
    const layout = runLayout(storeLayout(directories), snapshot.runId)
    const missing = restoreRun(project.folder as string, layout, before)
    if (missing.length > 0) throw notAsThen(bundle, options.from, missing)
    const bundled = bundledForm(bundle, project.folder as string)
    const adopted = lastDefinition(recorded, first)
    const session = await resumeProcessRun({
      project,
      folder: project.folder as string,
      agents,
      clock: recordedSession.entry.clock,
      directories,
      plan: planAfter(recordedSession.resolvedPlan, before),
      present: asLoaded(adopted),
      onEvent: (event) => bundled([event]).forEach(options.onEvent),
      request: {
        runId: snapshot.runId,
        definition: 'current',
        ...(first.reopensLoopOf === undefined ? {} : { from: 'loop-target' }),
      },
    })
    const outcome = await runAsRecorded(session, resumed.slice(1), () => {})
    return upTo(recordedFrom(recordedSession, snapshot.seq), await outcomeOf(session, outcome, bundled))
  } finally {
    await root.remove()
  }
}

/** What a life has done past the place where the recorded one was crashed is not compared. */
function upTo(recorded: Replayed, replayed: Replayed): Replayed {
  const [was, now] = [recorded.sessions[0]?.events ?? [], replayed.sessions[0]?.events ?? []]
  const last = was.at(-1)
  if (last?.kind === 'workflow_end' || last?.kind === 'workflow_pause' || now.length <= was.length)
    return replayed
  return { sessions: [{ events: now.slice(0, was.length) }], error: recorded.error, what: recorded.what }
}

/** @throws FaultlineError `BUNDLE_INVALID` naming the snapshots that there are. */
export function snapshotPlace(
  bundle: Bundle,
  from: string,
): { readonly session: BundleSession; readonly snapshot: WorkflowSnapshot } {
  const places = bundle.sessions.flatMap((session) =>
    session.snapshots.beforeResume.flatMap((snapshot, index) =>
      snapshot === null ? [] : [{ name: `before-resume-${index + 1}`, session, snapshot }],
    ),
  )
  const found = places.find(({ name }) => name === from)
  if (found !== undefined) return found
  const known = [...new Set(places.map(({ name }) => name))]
  throw unusable(
    bundle,
    from,
    known.length === 0 ? 'its run was never resumed' : suggestion(from, known).replace(/\.$/, ''),
  )
}

function unusable({ folder }: Bundle, from: string, why: string): FaultlineError {
  return new FaultlineError(
    'BUNDLE_INVALID',
    `The bundle '${folder}' cannot be replayed from '${from}': ${why}.`,
    {
      details: { folder, from },
    },
  )
}

/** The project that was there for a run, the template of a test; agents as for a replay from the start. */
async function projectFor(
  bundle: Bundle,
  recorded: RecordedRun,
  folder: string,
  projectFolder: string,
  options: ReplayFromOptions,
): Promise<{ readonly project: Project; readonly agents: Agents | undefined }> {
  if (bundle.manifest.kind === 'run') {
    copyProject(projectFolder, folder, definitionsOf(recorded), directoriesOf(recorded.start.launch))
    const choice = agentsOf(recorded.start, projectFolder, options)
    return { project: openProject(folder), agents: await loadAgents(projectFolder, choice) }
  }
  const template = bundle.manifest.versions.template?.name
  const known = template !== undefined && templateNames(ownTemplatesFolder()).includes(template)
  const project = await createProject({ root: folder, ...(known ? { template } : {}) })
  const given = options.mock !== undefined || options.agents !== undefined
  if (!given && known) return { project, agents: project.agents }
  return {
    project,
    agents: await loadAgents(projectFolder, agentsOf(recorded.start, projectFolder, options)),
  }
}

/** Only exact bytes will do: the run's own log vouches for their digests. */
async function restoreArtifacts(
  project: Project,
  bundle: Bundle,
  { entry }: BundleSession,
  { artifacts }: WorkflowSnapshot,
  { bundleFolder, from }: ReplayFromOptions,
): Promise<void> {
  const digest = createDigest()
  const missing: string[] = []
  for (const { path, sha256 } of artifacts) {
    const bytes = bytesOf(join(bundleFolder, entry.folder, 'artifacts', containedPath(path)))
    if (bytes === undefined || digest.sha256(bytes) !== sha256) missing.push(path)
    else await project.write(path, bytes)
  }
  if (missing.length > 0)
    throw notAsThen(
      bundle,
      from,
      missing.map((path) => `'${path}'`),
    )
}

function notAsThen(bundle: Bundle, from: string, missing: readonly string[]): FaultlineError {
  return unusable(
    bundle,
    from,
    `it does not hold ${missing.join(', ')} as it was then (changed later, redacted, or left out for its size); ` +
      `replay it from the start`,
  )
}

function bytesOf(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

/** Puts the run back as it was, and answers what the events do not hold whole. */
function restoreRun(folder: string, layout: RunLayout, events: readonly WorkflowEvent[]): readonly string[] {
  mkdirSync(join(folder, layout.blobs), { recursive: true })
  for (const [path, text] of runFromEvents(layout, events)) writeFileSync(join(folder, path), text)
  const { sha256 } = createDigest()
  return events.flatMap((event) => {
    const input = 'input' in event && isTruncated(event.input) ? ['the input of the run'] : []
    if (!('output' in event)) return input
    const { output, outputBlob } = event
    const isWhole =
      !isTruncated(output) &&
      (outputBlob === undefined || sha256(JSON.stringify(output)) === outputBlob.sha256)
    return isWhole ? input : [...input, `the output of ${event.step}#${event.visit}@${event.attempt}`]
  })
}

/** What the run goes by after a resume. */
function lastDefinition(
  { start, events }: RecordedRun,
  resume: EventOf<'workflow_resume'>,
): EventOf<'workflow_start'>['definition'] {
  const adopted = events.findLast(
    (event): event is EventOf<'workflow_resume'> =>
      event.kind === 'workflow_resume' && event.adopts !== undefined && event.seq <= resume.seq,
  )
  return adopted?.adopts?.definition ?? start.definition
}

/** Faults that struck after the resume strike again: at the same attempts, which a resume never gives out twice. */
function planAfter(resolved: FaultPlan | null, before: readonly WorkflowEvent[]): FaultPlan {
  const begun = new Set(
    before.flatMap((event) =>
      event.kind === 'step_start' ? [`${event.step}#${event.visit}@${event.attempt}`] : [],
    ),
  )
  const faults = (resolved?.faults ?? []).flatMap((fault): readonly Fault[] => {
    const [, step = '', visit, attempt] =
      typeof fault.at === 'string' ? (/^\d+\/(.+)#(\d+)@(\d+):/.exec(fault.at) ?? []) : []
    if (step === '' || begun.has(`${step}#${visit}@${attempt}`)) return []
    return [{ ...fault, at: { step, visit: Number(visit), attempt: Number(attempt), times: 1 } }]
  })
  return { version: 1, faults }
}
