import { createDigest } from '../adapters/node/index.ts'
import type { BundleReason } from '../bundle/index.ts'
import { formatDuration, messageOf, seededRandom } from '../core/index.ts'
import type { FaultlineError } from '../core/index.ts'
import type { Project, SessionLimits, SweptFinding, WorkflowSession } from '../harness/index.ts'
import type { SessionRecording } from '../trace/index.ts'
import { takeBundleSlot } from './bundle-slots.ts'
import { brokenHook, identify, namesakeNumber } from './compatibility.ts'
import type { RunnerTest, TestIdentity } from './compatibility.ts'
import { failureReason } from './failure.ts'
import type { FailureCircumstances, KeptError } from './failure.ts'
import type { Journal } from './journal.ts'
import type { FaultlineSettings } from './settings.ts'
import type { MadeProject } from './test-bundle.ts'

/** What a worker tells the reporter about the tries of a test that failed. */
export interface FaultlineMeta {
  readonly failedTries: readonly {
    /** Its folder, relative to the root; null when the run had left as many bundles as it may. */
    readonly bundle: string | null
    readonly reason: BundleReason
  }[]
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

/** The sessions of a hanging test must not hold up the run. */
const closeLimitMs = 5_000

export function createTestRecorder(
  test: RunnerTest,
  signal: AbortSignal,
  config: FaultlineSettings,
  journal?: Journal,
): TestRecorder {
  const identity = identify(test)
  const name = testName(identity, namesakeNumber(test))
  const replayed = config.replay?.fullName === identity.fullName && config.replay.file === identity.file
  const seed =
    (replayed ? config.replay?.seed : null) ??
    seededRandom(`${config.seed}/${name}/${identity.repeat ?? 1}`).integer(2 ** 31)
  const correlationId = correlationIdOf(identity, name)
  // Vitest keeps adding to the errors of a test that is tried again, and leaves the state of a repeated one at `fail`.
  const earlierErrors = test.result?.errors?.length ?? 0
  const projects: Project[] = []
  let sessionsOf: (project: Project) => readonly WorkflowSession[] = () => []
  let sweptFindingsOf: (project: Project) => readonly SweptFinding[] = () => []
  const journalled = journal?.begin({ identity, name, seed, correlationId })
  let settingUp = false

  const errors = (): readonly KeptError[] => test.result?.errors?.slice(earlierErrors) ?? []
  const hasFailed = (): boolean => test.result?.state === 'fail' && errors().length > 0

  const phase = (): FailureCircumstances['phase'] => {
    const hook = brokenHook(test)
    if (settingUp || hook === 'beforeEach') return 'set-up'
    return hook === 'afterEach' && errors().length === 1 ? 'clean-up' : 'body'
  }

  const reasonOf = (told: readonly KeptError[]): BundleReason =>
    test.fails === true
      ? 'assertion'
      : failureReason(told, {
          phase: phase(),
          timedOut: timedOut(signal, told),
          swept: projects.some((project) => sweptFindingsOf(project).length > 0),
          runFailed: projects.flatMap(sessionsOf).some(({ lastOutcome }) => lastOutcome?.status === 'failed'),
        })

  const leaveBundle = async (
    wrong: boolean,
    problems: readonly KeptError[],
    recordings: readonly SessionRecording[],
  ): Promise<string | null> => {
    const told = wrong ? unexpectedErrors(test, errors()) : []
    const reason = wrong ? reasonOf(told) : 'replay'
    const { findingNotes, leaveTestBundle } = await import('./test-bundle.ts')
    const bundle =
      config.bundleSlots === null || takeBundleSlot(config.bundleSlots)
        ? await leaveTestBundle(
            {
              identity,
              name,
              reason,
              errors: told,
              notes: [
                ...problems.flatMap(({ message }) =>
                  message === undefined || told.some((error) => error.message === message) ? [] : [message],
                ),
                ...findingNotes(projects.flatMap(sweptFindingsOf)),
              ],
              seed,
              correlationId,
              projects: projects.flatMap(made),
              recordings,
              partial: false,
            },
            config,
          )
        : null
    if (wrong) note(test, bundle, reason)
    return bundle
  }

  /** Closes what is open and tells whether the try has gone wrong; if so, it has left its bundle. */
  const conclude = async (): Promise<boolean> => {
    let bundle: string | null = null
    try {
      const sessions = projects.flatMap(sessionsOf)
      const findings = projects.flatMap(sweptFindingsOf)
      const recordings = hasFailed() ? await recorded(sessions, findings) : undefined
      const problems = await closeSessions(sessions)
      if (problems.length > 0 && !hasFailed() && test.result?.state !== 'skip') failTest(test, problems)
      // A test that is expected to fail has gone wrong when it has not.
      const wrong = test.fails === true ? test.result?.state === 'pass' : hasFailed()
      // What a replay has done is compared with the recording also where the test passes now.
      if (wrong || (replayed && test.result?.state !== 'skip')) {
        const left = await leaveBundle(wrong, problems, recordings ?? (await recorded(sessions, findings)))
        if (wrong) bundle = left
      }
      return wrong
    } finally {
      journalled?.end(bundle)
    }
  }

  return {
    identity,
    seed,
    correlationId,
    async createProject(template) {
      settingUp = true
      const harness = await import('../harness/index.ts')
      sessionsOf = harness.sessionsOf
      sweptFindingsOf = harness.sweptFindingsOf
      const project = await harness.createProject({
        template,
        name: journalled?.fullName ?? identity.fullName,
        seed,
        correlationId,
        limits: sessionLimits(config),
        keep: config.keep === 'always',
        ...(config.templates === null ? {} : { templates: config.templates }),
        ...(config.projectsRoot === null ? {} : { root: config.projectsRoot }),
        ...(journalled === undefined ? {} : { observer: journalled }),
      })
      settingUp = false
      projects.push(project)
      made(project).forEach((each) => journalled?.project(each))
      return project
    },
    async finish() {
      const wrong = await conclude()
      if (config.keep === 'on-failure' && wrong) return
      for (const project of projects) await project.remove()
    },
  }
}

/** Most tests pass, and do not need what makes bundles. */
async function recorded(
  sessions: readonly WorkflowSession[],
  findings: readonly SweptFinding[],
): Promise<readonly SessionRecording[]> {
  const { recordingsOf, recordingsOfFindings } = await import('./test-bundle.ts')
  return [...(await recordingsOf(sessions)), ...(await recordingsOfFindings(findings))]
}

/** Where a project lies, if it lies in a folder. */
function made({ folder, template }: Project): readonly MadeProject[] {
  return folder === undefined ? [] : [{ folder, template }]
}

/** What tells a test from every other of the run. */
function testName({ project, file, fullName }: TestIdentity, namesake: number): string {
  const name = [project ?? '', file, fullName].join(' > ')
  return namesake === 1 ? name : `${name} #${namesake}`
}

function correlationIdOf({ attempt, repeat }: TestIdentity, name: string): string {
  const round = repeat === null ? '' : `-r${repeat}`
  return `test-${createDigest().sha256(name).slice(0, 8)}-a${attempt}${round}`
}

function sessionLimits({ limits }: FaultlineSettings): SessionLimits {
  return { stepTimeoutMs: limits.stepMs, workflowTimeoutMs: limits.workflowMs }
}

/** Closes every session, which judges its fault plan, and answers what was wrong. */
async function closeSessions(sessions: readonly WorkflowSession[]): Promise<readonly KeptError[]> {
  const problems: KeptError[] = []
  for (const session of sessions) {
    try {
      await within(closeLimitMs, session.close(), `Run '${session.runId}' could not be closed`)
    } catch (error) {
      problems.push(keptError(error))
    }
  }
  return problems
}

async function within(limitMs: number, work: Promise<void>, complaint: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${formatDuration(limitMs)}.`)), limitMs)
  })
  try {
    await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** The signal of a test stays aborted when the test is tried again: only the error tells which try it was. */
function timedOut(signal: AbortSignal, errors: readonly KeptError[]): boolean {
  return signal.aborted && errors.some(({ message }) => message === messageOf(signal.reason))
}

/** Vitest turns the result of such a test round only after its fixtures are gone. */
function unexpectedErrors(test: RunnerTest, errors: readonly KeptError[]): readonly KeptError[] {
  return test.fails === true ? [{ name: 'Error', message: 'Expect test to fail' }] : errors
}

/** Makes a test that had passed fail, without throwing from clean-up (which some versions report twice). */
function failTest(test: RunnerTest, problems: readonly KeptError[]): void {
  const result = test.result as { state: string; errors?: KeptError[] }
  result.state = 'fail'
  result.errors = [...(result.errors ?? []), ...problems]
}

/** Without a stack: it would lead into the clean-up, where nobody has made a mistake. */
function keptError(thrown: unknown): KeptError {
  const { name, code } = thrown as FaultlineError
  return { name, message: messageOf(thrown), code }
}

function note(test: RunnerTest, bundle: string | null, reason: BundleReason): void {
  const meta = test.meta as { faultline?: FaultlineMeta }
  meta.faultline = { failedTries: [...(meta.faultline?.failedTries ?? []), { bundle, reason }] }
}
