import { cpSync } from 'node:fs'
import { sep } from 'node:path'
import { createDigest, createTemporaryRoot } from '../adapters/node/index.ts'
import { bundledEvents, createRedactor } from '../bundle/index.ts'
import type { Bundle } from '../bundle/index.ts'
import { covers, FaultlineError } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import { reservedFolder, storeLayout } from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { openProject, startProcessRun } from '../harness/index.ts'
import type { RunOutcome, WorkflowSession } from '../harness/index.ts'
import type { Directories } from '../ports/index.ts'
import type { EventOf, WorkflowEvent } from '../trace/index.ts'
import { chooseAgents, loadAgents } from './agents-module.ts'
import type { AgentsChoice } from './agents-module.ts'
import { firstLine } from './replay-verdict.ts'
import type { Replayed } from './replay-verdict.ts'
import { directoriesOf } from './state-directory.ts'

export interface ReplayOptions {
  /** Told of every event as soon as it is durable, in the form in which bundles hold them. */
  readonly onEvent: (event: WorkflowEvent) => void
  readonly mock?: boolean
  readonly agents?: string
}

const notCopied: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.workflow',
  'faultline-bundles',
  'coverage',
  'dist',
])

/** Runs the recorded plan again, in a copy of the project as it was before the run. */
export async function replayRun(
  bundle: Bundle,
  projectFolder: string,
  options: ReplayOptions,
): Promise<Replayed> {
  const recorded = recordedRun(bundle)
  const root = await createTemporaryRoot({ prefix: 'faultline-replay' })
  try {
    const { start } = recorded
    const directories = directoriesOf(start.launch)
    copyProject(projectFolder, root.folder, definitionsOf(recorded), directories)
    const bundled = bundledForm(bundle, root.folder)
    let present = asLoaded(start.definition)
    const session = await startProcessRun(present, {
      project: openProject(root.folder),
      folder: root.folder,
      directories,
      agents: await loadAgents(projectFolder, agentsOf(start, projectFolder, options)),
      clock: start.launch['clock'] === 'virtual' ? 'virtual' : 'real',
      plan: recorded.plan,
      seed: start.seed,
      input: bundle.input,
      launch: start.launch,
      reload: async () => present,
      onEvent: (event) => bundled([event]).forEach(options.onEvent),
    })
    const outcome = await runAsRecorded(session, recorded.events, (adopted) => (present = adopted))
    return await outcomeOf(session, outcome, bundled)
  } finally {
    await root.remove()
  }
}

export interface RecordedRun {
  readonly events: Bundle['events']
  readonly start: EventOf<'workflow_start'>
  readonly plan: FaultPlan
}

/** @throws FaultlineError `BUNDLE_INVALID` when the first event or the plan is missing. */
export function recordedRun({
  events,
  plan,
  folder,
}: Pick<Bundle, 'events' | 'plan' | 'folder'>): RecordedRun {
  const start = events[0]
  if (start?.kind === 'workflow_start' && plan !== null) return { events, start, plan }
  throw new FaultlineError(
    'BUNDLE_INVALID',
    `The bundle '${folder}' holds no complete recording, so it cannot be replayed.`,
  )
}

/** The agents that the run was started with, unless others are asked for. */
export function agentsOf(
  { launch, definition }: EventOf<'workflow_start'>,
  projectFolder: string,
  { mock, agents }: Pick<ReplayOptions, 'mock' | 'agents'>,
): AgentsChoice {
  if (mock !== undefined || agents !== undefined) {
    const asked = { ...(mock === undefined ? {} : { mock }), ...(agents === undefined ? {} : { agents }) }
    return chooseAgents(projectFolder, asked, definition)
  }
  if (launch['mock'] === true) return { kind: 'mock' }
  const recorded = typeof launch['agents'] === 'string' ? { agents: launch['agents'] } : {}
  return chooseAgents(projectFolder, recorded, definition)
}

/** Goes to the end, and on after every resume that was recorded, for as long as there is something to resume. */
export async function runAsRecorded(
  session: WorkflowSession,
  recorded: readonly WorkflowEvent[],
  adopt: (present: LoadedWorkflow) => void,
): Promise<RunOutcome> {
  let outcome = await session.runToEnd()
  for (const event of recorded) {
    if (event.kind !== 'workflow_resume' || outcome.status !== 'failed') continue
    if (event.adopts !== undefined) adopt(asLoaded(event.adopts.definition))
    await session.resume({
      definition: 'current',
      ...(event.reopensLoopOf === undefined ? {} : { from: 'loop-target' }),
    })
    outcome = await session.runToEnd()
  }
  return outcome
}

export async function outcomeOf(
  session: WorkflowSession,
  outcome: RunOutcome,
  bundled: (events: readonly WorkflowEvent[]) => readonly WorkflowEvent[],
): Promise<Replayed> {
  const events = bundled(session.events())
  // The plan was judged when the bundle was made; a fault that no longer fires shows in the events.
  await session.close().catch(() => {})
  const sessions = [{ events }]
  if (outcome.status === 'completed') return { sessions, error: undefined, what: 'the run completed' }
  const error = events.findLast((event) => event.kind === 'workflow_end')?.error?.message ?? 'the run failed'
  return { sessions, error, what: `${outcome.step ?? 'the run'} failed: ${firstLine(error)}` }
}

/** Brings events of a replay into the form in which the bundle has its own. */
export function bundledForm(
  { manifest }: Bundle,
  projectFolder: string,
): (events: readonly WorkflowEvent[]) => readonly WorkflowEvent[] {
  const redact = createRedactor({ environment: process.env, roots: { '<project>': projectFolder } })
  const digest = createDigest()
  const { payloadBytes } = manifest.limits
  return (events) => bundledEvents(events, { redact, payloadBytes, digest })
}

export function asLoaded(definition: WorkflowDefinition): LoadedWorkflow {
  return { definition, file: undefined, locate: () => undefined }
}

/** What the run was started with, and what it was resumed under later. */
export function definitionsOf({ start, events }: RecordedRun): readonly WorkflowDefinition[] {
  const adopted = events.flatMap((event) =>
    event.kind === 'workflow_resume' && event.adopts !== undefined ? [event.adopts.definition] : [],
  )
  return [start.definition, ...adopted]
}

/** Everything but what the workflow itself creates. */
export function copyProject(
  from: string,
  to: string,
  definitions: readonly WorkflowDefinition[],
  directories: Directories,
): void {
  const store = storeLayout(directories)
  const created = definitions.flatMap(({ steps }) => steps.flatMap(({ creates }) => creates))
  cpSync(from, to, {
    recursive: true,
    filter(source) {
      const path = source.slice(from.length + 1).replaceAll(sep, '/')
      if (path === '') return true
      if (reservedFolder(store, path) !== undefined) return false
      if (path.split('/').some((part) => notCopied.has(part)))
        return created.some((one) => one.startsWith(`${path}/`))
      return !created.some((one) => covers(one, path) || covers(one, `${path}/`))
    },
  })
}
