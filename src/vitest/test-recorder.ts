import { createDigest, createNodeFiles } from '../adapters/node/index.ts'
import { bundleFolderName, createRedactor, writeBundle } from '../bundle/index.ts'
import { isFaultlineError, joinPath, messageOf, seededRandom } from '../core/index.ts'
import { createProject, sessionsOf } from '../harness/index.ts'
import type { Project, SessionLimits, WorkflowSession } from '../harness/index.ts'
import type { SessionRecording } from '../trace/index.ts'
import { identify } from './compatibility.ts'
import type { RunnerTest, TestIdentity } from './compatibility.ts'
import { bundleErrors, failureReason } from './failure.ts'
import { settings } from './settings.ts'
import type { FaultlineSettings } from './settings.ts'

/** What a worker tells the reporter about a test, per attempt. */
export interface FaultlineMeta {
  readonly attempts: Record<number, { readonly bundle: string | null; readonly problems: readonly string[] }>
}

declare module 'vitest' {
  interface TaskMeta {
    faultline?: FaultlineMeta
  }
}

/** Follows one try of a test: owns its projects, and turns a failure into a bundle before they are gone. */
export interface TestRecorder {
  readonly identity: TestIdentity
  readonly seed: number | string
  readonly correlationId: string
  createProject(template: string): Promise<Project>
  finish(): Promise<void>
}

/** Sessions and projects of a hanging test must not hold up the run. */
const finishLimitMs = 5_000

export function createTestRecorder(test: RunnerTest, signal: AbortSignal): TestRecorder {
  const config = settings()
  const identity = identify(test)
  const digest = createDigest()
  const name = [identity.project ?? '', identity.file, identity.fullName].join(' > ')
  const replayed = config.replay?.fullName === identity.fullName && config.replay.file === identity.file
  const seed =
    (replayed ? config.replay?.seed : null) ??
    seededRandom(`${config.seed}/${name}/${identity.repeat ?? 1}`).integer(2 ** 31)
  const correlationId = `test-${digest.sha256(name).slice(0, 8)}-a${identity.attempt}`
  const projects: Project[] = []
  let settingUp = false

  const closeSessions = async (): Promise<readonly string[]> => {
    const problems: string[] = []
    for (const session of projects.flatMap(sessionsOf)) {
      try {
        await session.close()
      } catch (error) {
        problems.push(messageOf(error))
      }
    }
    return problems
  }

  return {
    identity,
    seed,
    correlationId,
    async createProject(template) {
      settingUp = true
      const project = await createProject({
        template,
        name: identity.fullName,
        seed,
        correlationId,
        limits: sessionLimits(config),
        keep: config.keep === 'always',
        ...(config.templates === null ? {} : { templates: config.templates }),
        ...(config.projectsRoot === null ? {} : { root: config.projectsRoot }),
      })
      settingUp = false
      projects.push(project)
      return project
    },
    finish: () =>
      bounded(async () => {
        const recordings = failed(test) ? await recordingsOf(projects.flatMap(sessionsOf)) : []
        const problems = await closeSessions()
        if (problems.length > 0 && test.result !== undefined && !failed(test)) failTest(test, problems)
        let bundle: string | null = null
        if (failed(test) && test.fails !== true) {
          const errors = test.result?.errors ?? []
          bundle = await leaveBundle({
            config,
            identity,
            seed,
            correlationId,
            projects,
            recordings: recordings.length > 0 ? recordings : await recordingsOf(projects.flatMap(sessionsOf)),
            errors,
            reason: failureReason(errors, { timedOut: signal.aborted, settingUp }),
          })
        }
        note(test, identity.attempt, bundle, problems)
        const keepFailed = config.keep === 'on-failure' && failed(test)
        for (const project of projects) if (!keepFailed) await project.remove()
      }),
  }
}

function sessionLimits({ limits }: FaultlineSettings): SessionLimits {
  return { stepTimeoutMs: limits.stepMs, workflowTimeoutMs: limits.workflowMs }
}

function failed(test: RunnerTest): boolean {
  return test.result?.state === 'fail'
}

/** Makes a test that had passed fail, without throwing from clean-up (which some versions report twice). */
function failTest(test: RunnerTest, problems: readonly string[]): void {
  const result = test.result as { state: string; errors?: { name: string; message: string; code?: string }[] }
  result.state = 'fail'
  result.errors = [
    ...(result.errors ?? []),
    ...problems.map((message) => ({ name: 'FaultlineError', message, code: 'FAULT_UNFIRED' })),
  ]
}

async function recordingsOf(sessions: readonly WorkflowSession[]): Promise<readonly SessionRecording[]> {
  const recordings: SessionRecording[] = []
  for (const session of sessions) {
    try {
      recordings.push(await session.recording())
    } catch (error) {
      // The disk of a run can be what failed: the bundle then says so by having no session.
      if (!isFaultlineError(error)) throw error
    }
  }
  return recordings
}

interface Failure {
  readonly config: FaultlineSettings
  readonly identity: TestIdentity
  readonly seed: number | string
  readonly correlationId: string
  readonly projects: readonly Project[]
  readonly recordings: readonly SessionRecording[]
  readonly errors: Parameters<typeof bundleErrors>[0]
  readonly reason: ReturnType<typeof failureReason>
}

async function leaveBundle(failure: Failure): Promise<string> {
  const { config, identity } = failure
  const digest = createDigest()
  const files = createNodeFiles(config.root)
  const folder = joinPath(
    config.bundles,
    bundleFolderName(
      {
        slugSource: identity.fullName,
        hashSource: [identity.project ?? '', identity.file, identity.fullName].join(' > '),
        attempt: identity.attempt,
        ...(identity.repeat === null ? {} : { repeat: identity.repeat }),
      },
      digest,
    ),
  )
  const folders = failure.projects.flatMap(({ folder: project }) => project ?? [])
  const roots = Object.fromEntries(
    folders.map((project, index) => [`<project${index === 0 ? '' : index + 1}>`, project]),
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
      },
      replay: { command: `npx faultline replay ${folder}`, env: null },
    },
    {
      files,
      folder,
      digest,
      redact: createRedactor({
        environment: process.env,
        patterns: config.redact.map((source) => new RegExp(source, 'g')),
        roots: { ...roots, '<root>': config.root },
      }),
    },
  )
  await files.closeAll()
  return folder
}

function note(test: RunnerTest, attempt: number, bundle: string | null, problems: readonly string[]): void {
  const meta = test.meta as { faultline?: FaultlineMeta }
  meta.faultline = { attempts: { ...meta.faultline?.attempts, [attempt]: { bundle, problems } } }
}

async function bounded(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, finishLimitMs)
  })
  try {
    await Promise.race([work(), limit])
  } finally {
    clearTimeout(timer)
  }
}
