import { cpSync } from 'node:fs'
import { sep } from 'node:path'
import { createTemporaryRoot } from '../adapters/node/index.ts'
import { createRedactor } from '../bundle/index.ts'
import type { Bundle } from '../bundle/index.ts'
import { covers, FaultlineError } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import { reservedFolder, storeLayout } from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { openProject, startProcessRun } from '../harness/index.ts'
import type { Directories } from '../ports/index.ts'
import { describeDivergence, firstDivergence } from '../trace/index.ts'
import type { EventOf } from '../trace/index.ts'
import { chooseAgents, loadAgents } from './agents-module.ts'

export type ReplayVerdict =
  | { readonly kind: 'reproduced'; readonly what: string }
  | { readonly kind: 'passes' }
  | { readonly kind: 'diverged'; readonly what: string }

const notCopied: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.workflow',
  'faultline-bundles',
  'coverage',
  'dist',
])

/** Runs the recorded plan again, in a copy of the project as it was before the run, and compares what happens. */
export async function replayRun(bundle: Bundle, projectFolder: string): Promise<ReplayVerdict> {
  const recorded = readable(bundle)
  const root = await createTemporaryRoot({ prefix: 'faultline-replay' })
  try {
    const { start } = recorded
    const { launch } = start
    const directories =
      typeof launch['stateDirectory'] === 'string' ? { stateDirectory: launch['stateDirectory'] } : {}
    copyProject(projectFolder, root.folder, definitionsOf(recorded), directories)
    let present = asLoaded(start.definition)
    const choice =
      launch['mock'] === true
        ? chooseAgents(projectFolder, { mock: true }, start.definition)
        : chooseAgents(
            projectFolder,
            typeof launch['agents'] === 'string' ? { agents: launch['agents'] } : {},
            start.definition,
          )
    const session = await startProcessRun(present, {
      project: openProject(root.folder),
      folder: root.folder,
      directories,
      agents: await loadAgents(projectFolder, choice),
      clock: launch['clock'] === 'virtual' ? 'virtual' : 'real',
      plan: recorded.plan,
      seed: start.seed,
      input: bundle.input,
      launch,
      reload: async () => present,
      onEvent() {},
    })
    let outcome = await session.runToEnd()
    for (const event of recorded.events) {
      if (event.kind !== 'workflow_resume' || outcome.status !== 'failed') continue
      if (event.adopts !== undefined) present = asLoaded(event.adopts.definition)
      await session.resume({
        definition: 'current',
        ...(event.reopensLoopOf === undefined ? {} : { from: 'loop-target' }),
      })
      outcome = await session.runToEnd()
    }
    const redact = createRedactor({ environment: process.env, roots: { '<project>': root.folder } })
    const events = redact.json(session.events())
    await session.close().catch(() => {})
    if (outcome.status === 'completed') return { kind: 'passes' }
    const divergence = firstDivergence(recorded.events, events, { times: 'drop' })
    if (divergence !== undefined) return { kind: 'diverged', what: describeDivergence(divergence) }
    return {
      kind: 'reproduced',
      what: `${outcome.step ?? 'the run'} failed: ${outcome.error?.message ?? outcome.status}`,
    }
  } finally {
    await root.remove()
  }
}

interface Recorded {
  readonly events: Bundle['events']
  readonly start: EventOf<'workflow_start'>
  readonly plan: FaultPlan
}

function readable({ events, plan, folder }: Bundle): Recorded {
  const start = events[0]
  if (start?.kind === 'workflow_start' && plan !== null) return { events, start, plan }
  throw new FaultlineError(
    'BUNDLE_INVALID',
    `The bundle '${folder}' holds no complete recording, so it cannot be replayed.`,
  )
}

function asLoaded(definition: WorkflowDefinition): LoadedWorkflow {
  return { definition, file: undefined, locate: () => undefined }
}

/** What the run was started with, and what it was resumed under later. */
function definitionsOf({ start, events }: Recorded): readonly WorkflowDefinition[] {
  const adopted = events.flatMap((event) =>
    event.kind === 'workflow_resume' && event.adopts !== undefined ? [event.adopts.definition] : [],
  )
  return [start.definition, ...adopted]
}

/** Everything but what the workflow itself creates. */
function copyProject(
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
