import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { createDigest, createNodeFiles } from '../../../src/adapters/node/index.ts'
import { createRedactor, readBundle } from '../../../src/bundle/index.ts'
import type { Bundle } from '../../../src/bundle/index.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { crashReport } from '../../../src/bundle/crash-report.ts'
import { agentError } from '../../../src/fault-injection/index.ts'
import { runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Project, WorkflowSession } from '../../../src/harness/index.ts'
import { createJournal } from '../../../src/vitest/journal.ts'
import { secretsOnly } from '../../../src/vitest/redactor.ts'
import type { Journal } from '../../../src/vitest/journal.ts'
import { failuresOfWorkers } from '../../../src/vitest/lost-tests.ts'
import { readJournals } from '../../../src/vitest/read-journals.ts'
import type { FaultlineSettings } from '../../../src/vitest/settings.ts'
import { createTestRecorder } from '../../../src/vitest/test-recorder.ts'
import type { WorkflowSnapshot } from '../../../src/trace/index.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { runnerTest, settingsIn } from './in-a-worker.ts'

const closings: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closings.splice(0)) await close()
})

/** A worker that dies after its test did something: all that is left is its journal and the project. */
async function death(
  doing: (project: Project) => Promise<WorkflowSession>,
  change: Partial<FaultlineSettings> = {},
): Promise<{ readonly root: string; readonly failures: readonly { readonly bundle: string | null }[] }> {
  const root = temporaryFolder()
  const journals = temporaryFolder()
  const config = settingsIn(root, change)
  const journal: Journal = createJournal(journals, config, secretsOnly(config))
  const recorder = createTestRecorder(runnerTest(), new AbortController().signal, config, journal)
  const project = await recorder.createProject('minimal')
  const session = await doing(project)
  closings.push(
    () => session.close().catch(() => {}),
    () => project.remove(),
    () => journal.close(),
  )
  return { root, failures: await failuresOfWorkers(readJournals(journals), () => 'worker-died') }
}

async function bundleOf({ root, failures }: Awaited<ReturnType<typeof death>>): Promise<Bundle> {
  expect(failures).toEqual([{ bundle: expect.any(String), reason: 'worker-died', flaky: false }])
  return readBundle(createNodeFiles(root), failures[0]?.bundle ?? '')
}

test('the bundle of a lost test holds what the session would have recorded', async () => {
  let kept: WorkflowSession | undefined
  const bundle = await bundleOf(
    await death(async (project) => {
      kept = await runWorkflowStepByStep('workflows/release.yaml', {
        project,
        agents: {
          ...project.agents,
          async publisher({ log }) {
            log('publishing')
          },
        },
        faults: [agentError('check', { message: 'overloaded' })],
        input: { version: 2 },
        directories: { stateDirectory: 'kept/state' },
      })
      await kept.runToEnd()
      await kept.resume()
      await kept.runUntil('check')
      return kept
    }),
  )
  const { snapshots, ...recorded } = await (kept as unknown as WorkflowSession).recording()
  expect(bundle.manifest).toMatchObject({
    reason: 'worker-died',
    partial: true,
    test: { fullName: 'shop > sells' },
    errors: [{ message: expect.stringContaining('The worker ended before this test did') }],
    sessions: [{ runId: recorded.runId, clock: 'virtual', disk: 'folder', status: 'running' }],
  })
  expect(bundle.events).toEqual(recorded.events)
  expect(bundle.logs).toEqual(recorded.logs)
  expect(bundle.input).toEqual({ version: 2 })
  expect(bundle.plan).toEqual(recorded.plan)
  expect(bundle.resolvedPlan).toEqual(recorded.resolvedPlan)
  expect(bundle.resolvedPlan?.faults).toHaveLength(1)
  const state = (snapshot: { readonly state: unknown } | null | undefined): unknown => snapshot?.state
  expect(state(bundle.snapshots.beforeFailure)).toEqual(state(snapshots.beforeFailure))
  expect(state(bundle.snapshots.atFailure)).toEqual(state(snapshots.atFailure))
  expect(bundle.snapshots.beforeResume.map(state)).toEqual(snapshots.beforeResume.map(state))
  expect(bundle.snapshots.afterResume.map(state)).toEqual(snapshots.afterResume.map(state))
  expect(bundle.snapshots.afterResume).toHaveLength(1)
  expect(bundle.manifest.files.map(({ path }) => path)).toContain('artifacts/dist/notes.md')
})

test('of a run on a simulated disk the states follow from the events, and no artifact is left', async () => {
  let kept: WorkflowSession | undefined
  const bundle = await bundleOf(
    await death(async (project) => {
      kept = await runWorkflowStepByStep('workflows/release.yaml', {
        project,
        agents: project.agents,
        disk: 'simulated',
        faults: [agentError('check')],
      })
      await kept.runToEnd()
      await kept.resume()
      await kept.runUntil('check')
      return kept
    }),
  )
  const { snapshots } = await (kept as unknown as WorkflowSession).recording()
  expect(bundle.manifest.sessions).toMatchObject([
    {
      disk: 'simulated',
      status: 'running',
      unknown: [
        { part: 'artifacts', why: expect.stringContaining('only digests are known') as string },
        { part: 'crashes' },
      ],
    },
  ])
  // How often it was saved no event tells.
  const told = (snapshot: WorkflowSnapshot | null): object => ({ ...snapshot?.state, saveSeq: 0 })
  expect(bundle.snapshots.beforeFailure?.state).toEqual(told(snapshots.beforeFailure))
  expect(bundle.snapshots.afterResume.map((taken) => taken?.state)).toEqual(snapshots.afterResume.map(told))
  expect(bundle.snapshots.afterResume).toHaveLength(1)
  expect(bundle.manifest.files.filter(({ path }) => path.startsWith('artifacts/'))).toEqual([])
})

const drafts = defineWorkflow({
  id: 'drafts',
  steps: [
    { id: 'write', agent: 'write', creates: ['page.md'], next: 'review' },
    {
      id: 'review',
      agent: 'review',
      gate: { condition: 'output.good == true', onFail: 'write', maxLoops: 3 },
      next: 'publish',
    },
    { id: 'publish', agent: 'publish', next: 'tell' },
    { id: 'tell', agent: 'publish' },
  ],
})

test('what a test had replaced and what its crashes had met is noted, and in the bundle of its death', async () => {
  let kept: WorkflowSession | undefined
  const bundle = await bundleOf(
    await death(async (project) => {
      kept = await runWorkflowStepByStep(drafts, {
        project,
        agents: {
          write: ({ artifacts, visit }) => artifacts.write('page.md', `draft ${visit}\n`),
          review: ({ visit }) => ({ good: visit === 3 }),
          publish: () => {},
        },
      })
      await kept.runUntil('publish')
      await kept.crash({ disk: 'power-min' })
      return kept
    }),
  )
  const recorded = await (kept as unknown as WorkflowSession).recording()
  expect(recorded.earlierArtifacts.map(({ path }) => path)).toEqual(['page.md', 'page.md'])
  for (const { seq, path, bytes } of recorded.earlierArtifacts) {
    expect(await bundle.text(`earlier-artifacts/${seq}/${path}`)).toBe(new TextDecoder().decode(bytes))
  }
  const [entry] = bundle.manifest.sessions
  expect(entry?.crashes).toEqual(['disk/crash-1.json'])
  const plain = { redact: createRedactor({ environment: {} }), digest: createDigest() }
  expect(bundle.crashes).toEqual(recorded.crashes.map((crash) => crashReport(crash, plain)))
  // What the worker itself had not synced when it was killed nobody can tell.
  expect(entry?.unknown).toEqual([
    { part: 'crashes', why: expect.stringContaining('files that were not durable') as string },
  ])
  expect(await bundle.text('summary.md')).toContain('- At its end the process died')
})

test('secrets that a journal holds do not come into the bundle', async () => {
  const secret = 'ticket-4711'
  const lost = await death(
    async (project) => {
      const session = await runWorkflowStepByStep('workflows/release.yaml', { project, input: { secret } })
      await session.runUntil('build')
      return session
    },
    { redact: [{ source: 'ticket-\\d+', flags: '' }] },
  )
  const bundle = await bundleOf(lost)
  const folder = join(lost.root, bundle.folder)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.\w+$/.test(path),
  )
  expect(files.filter((path) => readFileSync(join(folder, path), 'utf8').includes(secret))).toEqual([])
  expect(bundle.manifest.redaction.total).toBeGreaterThan(0)
})

test('artifacts stay out when the worker had a secret that nobody else knows', async () => {
  vi.stubEnv('SHOP_LATE_TOKEN', 'late-5521-secret')
  closings.push(() => void vi.unstubAllEnvs())
  const bundle = await bundleOf(
    await death(async (project) => {
      vi.stubEnv('SHOP_LATER_TOKEN', 'later-5522-secret')
      const session = await runWorkflowStepByStep('workflows/release.yaml', {
        project,
        agents: {
          ...project.agents,
          builder: ({ artifacts }) => artifacts.write('dist/notes.md', 'later-5522-secret'),
        },
      })
      await session.runUntil('build')
      return session
    }),
  )
  expect(bundle.manifest.files.filter(({ path }) => path.startsWith('artifacts/'))).toEqual([])
  expect(bundle.manifest.sessions[0]?.unknown).toMatchObject([
    {
      part: 'artifacts',
      why: 'Artifacts could hold what SHOP_LATER_TOKEN held in the process that died: they are not in the bundle.',
    },
    { part: 'crashes' },
  ])
  expect(bundle.snapshots.atFailure?.state.completedSteps).toEqual(['build'])
})

test('a lost test that finds no slot is counted, and leaves no bundle', async () => {
  const slots = { folder: join(temporaryFolder(), 'slots'), max: 0 }
  const { root, failures } = await death(
    async (project) => runWorkflowStepByStep('workflows/release.yaml', { project }),
    { bundleSlots: slots },
  )
  expect(failures).toEqual([{ bundle: null, reason: 'worker-died', flaky: false }])
  expect(existsSync(join(root, 'bundles'))).toBe(false)
})
