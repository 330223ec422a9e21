import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { assertWorkflowArtifacts, createProject, runWorkflowStepByStep, sessionsOf } from 'faultline'
import type { Project, WorkflowSession } from 'faultline'
import { expect, test as base } from 'faultline/vitest'

/** The workflow of the stories, and what each of its steps needs finished before it starts. */
export const release = 'workflows/release.yaml'
const needs: Readonly<Record<string, readonly string[]>> = {
  plan: [],
  lint: ['plan'],
  build: ['plan'],
  document: ['plan'],
  test: ['build'],
  review: ['build', 'document', 'lint', 'test'],
  package: ['plan', 'build', 'document', 'review'],
  announce: ['plan', 'package'],
}
export const steps = Object.keys(needs)
/** What a failed gate of `review` sends back. */
const loop = ['build', 'test', 'review']
const maxConcurrentSteps = 3

/** A story in a fresh project of the template `medium`; whatever it does, its runs are consistent at the end. */
export const test = base.override('template', 'medium')

/** The sessions that were found so. */
export const consistent = new WeakSet<WorkflowSession>()

test.afterEach(async ({ project }) => {
  for (const session of sessionsOf(project)) {
    await assertConsistent(session)
    consistent.add(session)
  }
})

/** Log, state and disk agree with each other. */
export async function assertConsistent(session: WorkflowSession): Promise<void> {
  const events = session.events()
  const state = session.state()
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index))
  const finished = keysOf(session, 'step_finish').map(withoutAttempt)
  expect(finished).toEqual([...new Set(finished)])
  expect(keysOf(session, 'step_start')).toEqual([...new Set(keysOf(session, 'step_start'))])
  expect(keysOf(session, 'step_start')).toEqual(expect.arrayContaining([...keysOf(session, 'step_finish')]))
  if (state.status === 'completed') expect([...state.completedSteps].sort()).toEqual([...idsOf(state)].sort())
  await assertWorkflowArtifacts(session, {})
}

function idsOf(state: ReturnType<WorkflowSession['state']>): readonly string[] {
  return state.definition.steps.map(({ id }) => id)
}

/** `step#visit@attempt` of every event of a kind, in the order of the log. */
export function keysOf(session: WorkflowSession, kind: 'step_start' | 'step_finish'): readonly string[] {
  return session
    .events()
    .flatMap((event) => (event.kind === kind ? [`${event.step}#${event.visit}@${event.attempt}`] : []))
}

function withoutAttempt(key: string): string {
  return key.slice(0, key.indexOf('@'))
}

/** What was started after the last resume. */
export function startedSinceResume(session: WorkflowSession): readonly string[] {
  const events = session.events()
  const resumed = events.findLastIndex(({ kind }) => kind === 'workflow_resume')
  return keysOf(session, 'step_start').slice(
    events.slice(0, resumed).filter(({ kind }) => kind === 'step_start').length,
  )
}

/** Nothing starts before what it needs has finished, and no more run at a time than the workflow allows. */
export function assertOrder(session: WorkflowSession): void {
  const finished = new Set<string>()
  const running = new Set<string>()
  for (const event of session.events()) {
    switch (event.kind) {
      case 'step_start':
        expect(
          (needs[event.step] ?? []).filter((need) => !finished.has(need)),
          `event ${event.seq} starts ${event.step} before`,
        ).toEqual([])
        running.add(event.step)
        expect(running.size).toBeLessThanOrEqual(maxConcurrentSteps)
        break
      case 'step_finish':
        expect([...running], `event ${event.seq}`).toContain(event.step)
        running.delete(event.step)
        finished.add(event.step)
        break
      case 'step_retry':
      case 'step_fail':
        running.delete(event.step)
        break
      case 'gate_result':
        if (event.route.to === 'loop') for (const step of loop) finished.delete(step)
        if (event.route.to !== 'pass') running.delete(event.step)
        break
      case 'workflow_resume':
        running.clear()
        if (event.reopensLoopOf !== undefined) for (const step of loop) finished.delete(step)
        break
      default:
    }
  }
}

/** SHA-256 of every file of the project that is not the run's own, by path. */
export async function filesOf(project: Project): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {}
  for (const path of await project.list()) digests[path] = sha256(await project.read(path))
  return digests
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** What a run came to, whatever happened on the way: results of the steps, files, and what left the workflow. */
export async function resultOf(session: WorkflowSession): Promise<object> {
  const { status, steps: documents } = session.state()
  return {
    status,
    outputs: Object.fromEntries(Object.entries(documents).map(([id, { output }]) => [id, output])),
    files: await filesOf(session.project),
    world: session.world.map(({ name, step, count }) => ({ name, step, count })),
  }
}

/** The result of the same workflow when nothing goes wrong. */
export async function undisturbedResult(seed: number | string): Promise<object> {
  const project = await createProject({ template: 'medium', seed })
  try {
    const session = await runWorkflowStepByStep(release, { project, agents: project.agents })
    await session.runToEnd()
    return await resultOf(session)
  } finally {
    await project.remove()
  }
}

const installed = dirname(createRequire(import.meta.url).resolve('faultline/package.json'))
const commandLine = join(installed, 'dist/cli/main.js')
/** The module that `agents` comes from, for the command line. */
export const templateAgents = join(installed, 'templates/medium/faultline.agents.mjs')

/** Calls `faultline` in the project's folder, in a process of its own. */
export function faultline(
  project: Project,
  ...args: readonly string[]
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [commandLine, ...args], {
    cwd: project.folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  return { code: status, stdout, stderr }
}
