import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { agentError } from '../../../src/fault-injection/index.ts'
import { runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { RunnerTest } from '../../../src/vitest/compatibility.ts'
import { createJournal } from '../../../src/vitest/journal.ts'
import { readJournals } from '../../../src/vitest/read-journals.ts'
import { secretsOnly } from '../../../src/vitest/redactor.ts'
import type { FaultlineSettings } from '../../../src/vitest/settings.ts'
import { createTestRecorder } from '../../../src/vitest/test-recorder.ts'
import type { TestRecorder } from '../../../src/vitest/test-recorder.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { runnerTest, settingsIn } from './in-a-worker.ts'
import type { Result } from './in-a-worker.ts'

const calm = new AbortController().signal

function fail(task: { result: Result }, ...messages: readonly string[]): void {
  task.result.state = 'fail'
  task.result.errors = [
    ...(task.result.errors ?? []),
    ...messages.map((message) => ({ message })),
  ] as NonNullable<Result['errors']>
}

interface Manifest {
  readonly reason: string
  readonly errors: readonly { readonly message: string }[]
  readonly notes: readonly string[]
  readonly sessions: readonly unknown[]
}

function manifestsIn(root: string): readonly Manifest[] {
  const folder = join(root, 'bundles')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')) as Manifest)
}

async function runOneStep(recorder: TestRecorder): Promise<void> {
  const project = await recorder.createProject('minimal')
  const session = await runWorkflowStepByStep('workflows/release.yaml', {
    project,
    faults: [agentError('publish')],
  })
  await session.runUntil('build')
}

describe('a try of a test', () => {
  test('that passes leaves neither bundle nor project', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    const project = await recorder.createProject('minimal')
    expect(existsSync(project.folder ?? '')).toBe(true)
    task.result.state = 'pass'
    await recorder.finish()
    expect([existsSync(project.folder ?? ''), manifestsIn(root), task.meta]).toEqual([false, [], {}])
  })

  test('that passes in a replay leaves what it did, and is no failure for the report', async () => {
    const root = temporaryFolder()
    const journals = temporaryFolder()
    const replay = { fullName: 'shop > sells', file: 'tests/shop.test.ts', seed: 7 }
    const config = settingsIn(root, { replay })
    const journal = createJournal(journals, config, secretsOnly(config))
    const task = runnerTest()
    const recorder = createTestRecorder(task, calm, config, journal)
    task.result.state = 'pass'
    await recorder.finish()
    journal.close()
    expect(manifestsIn(root)).toMatchObject([{ reason: 'replay', errors: [] }])
    expect([task.meta, readJournals(journals)]).toEqual([{}, []])
  })

  test('that fails leaves a bundle with its own errors only, and tells where', async () => {
    const root = temporaryFolder()
    const task = runnerTest({ result: { state: 'run', retryCount: 1 } })
    fail(task, 'first try')
    task.result.state = 'run'
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    fail(task, 'second try')
    await recorder.finish()
    expect(manifestsIn(root)).toMatchObject([{ reason: 'error', errors: [{ message: 'second try' }] }])
    expect(task.meta).toEqual({
      faultline: {
        failedTries: [
          { bundle: expect.stringMatching(/^bundles\/shop-sells-[0-9a-f]{8}-a2$/), reason: 'error' },
        ],
      },
    })
  })

  test('is not taken for failed because an earlier round was', async () => {
    const root = temporaryFolder()
    const task = runnerTest({ repeats: 2 })
    fail(task, 'round 1')
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    await recorder.finish()
    expect(manifestsIn(root)).toEqual([])
  })

  test('fails when a fault of its plan has not fired', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    await runOneStep(recorder)
    task.result.state = 'pass'
    await recorder.finish()
    expect(task.result).toMatchObject({
      state: 'fail',
      errors: [{ code: 'FAULT_UNFIRED', message: expect.stringContaining(`agent-error at 'publish'`) }],
    })
    expect(manifestsIn(root)).toMatchObject([{ reason: 'unfired-fault', notes: [], sessions: [{}] }])
  })

  test('keeps its own failure first, and notes the fault that has not fired', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    await runOneStep(recorder)
    fail(task, 'of its own')
    await recorder.finish()
    expect(manifestsIn(root)).toMatchObject([
      { errors: [{ message: 'of its own' }], notes: [expect.stringContaining('was not carried out')] },
    ])
  })

  test('that skips itself stays skipped', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    await runOneStep(recorder)
    task.result.state = 'skip'
    await recorder.finish()
    expect([task.result.state, manifestsIn(root)]).toEqual(['skip', []])
  })

  test('that is expected to fail has gone wrong when it passes', async () => {
    const root = temporaryFolder()
    const failing = runnerTest({ fails: true })
    const passing = runnerTest({ fails: true, name: 'passes' })
    for (const task of [failing, passing]) {
      const recorder = createTestRecorder(task, calm, settingsIn(root))
      if (task === failing) fail(task, 'as expected')
      else task.result.state = 'pass'
      await recorder.finish()
    }
    expect(manifestsIn(root)).toMatchObject([
      { reason: 'assertion', errors: [{ message: 'Expect test to fail' }] },
    ])
  })

  test.each([
    ['timeout', 'Test timed out', {}],
    ['error', 'something else', {}],
    ['set-up', 'Test timed out', { beforeEach: 'run' }],
    ['clean-up', 'something else', { beforeEach: 'pass', afterEach: 'run' }],
  ] as const)('that ended by %s says so', async (reason, message, hooks) => {
    const root = temporaryFolder()
    const task = runnerTest({ result: { state: 'run', hooks } })
    const recorder = createTestRecorder(
      task,
      AbortSignal.abort(new Error('Test timed out')),
      settingsIn(root),
    )
    fail(task, message)
    await recorder.finish()
    expect(manifestsIn(root)).toMatchObject([{ reason }])
  })

  test('whose project cannot be made fails in its set-up', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const recorder = createTestRecorder(task, calm, settingsIn(root))
    await expect(recorder.createProject('minimul')).rejects.toThrow(`Did you mean 'minimal'?`)
    fail(task, 'no template')
    await recorder.finish()
    expect(manifestsIn(root)).toMatchObject([{ reason: 'set-up', sessions: [] }])
  })

  test('that comes after the last bundle of the run is told without one', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const bundleSlots = { folder: join(root, 'slots'), max: 0 }
    const recorder = createTestRecorder(task, calm, settingsIn(root, { bundleSlots }))
    fail(task, 'one too many')
    await recorder.finish()
    expect([task.meta, manifestsIn(root)]).toEqual([
      { faultline: { failedTries: [{ bundle: null, reason: 'error' }] } },
      [],
    ])
  })

  test.each([
    ['never', 'fail', false],
    ['on-failure', 'fail', true],
    ['on-failure', 'pass', false],
    ['always', 'pass', true],
  ] as const)('with keep: %s and state %s keeps its project: %s', async (keep, state, kept) => {
    const root = temporaryFolder()
    const task = runnerTest()
    const config = settingsIn(root, { keep, projectsRoot: temporaryFolder() })
    const recorder = createTestRecorder(task, calm, config)
    const { folder = '' } = await recorder.createProject('minimal')
    if (state === 'fail') fail(task, 'x')
    else task.result.state = state
    await recorder.finish()
    expect(existsSync(folder)).toBe(kept)
  })

  test('has what the patterns of the settings match taken out of its bundle', async () => {
    const root = temporaryFolder()
    const task = runnerTest()
    const redact = [{ source: 'order-\\d+', flags: 'i' }]
    const recorder = createTestRecorder(task, calm, settingsIn(root, { redact }))
    fail(task, `ORDER-17 in ${root}/src`)
    await recorder.finish()
    expect(manifestsIn(root)).toMatchObject([{ errors: [{ message: '[redacted:pattern-1] in <root>/src' }] }])
  })
})

describe('the seed of a test', () => {
  const seedOf = (task: RunnerTest, change: Partial<FaultlineSettings> = {}): number | string =>
    createTestRecorder(task, calm, settingsIn('/', change)).seed

  test('is the same in every run and try, and another for another test, round or seed of the run', () => {
    const seeds = [
      seedOf(runnerTest()),
      seedOf(runnerTest({ name: 'buys' })),
      seedOf(runnerTest({ repeats: 1, result: { state: 'run', repeatCount: 1 } })),
      seedOf(runnerTest(), { seed: 2 }),
    ]
    expect(new Set(seeds).size).toBe(4)
    expect(seedOf(runnerTest({ result: { state: 'run', retryCount: 1 } }))).toBe(seeds[0])
  })

  test('is the recorded one in a replay of it, and of it only', () => {
    const replay = { fullName: 'shop > sells', file: 'tests/shop.test.ts', seed: 'recorded' }
    expect(seedOf(runnerTest(), { replay })).toBe('recorded')
    expect(seedOf(runnerTest({ name: 'buys' }), { replay })).toBe(seedOf(runnerTest({ name: 'buys' })))
  })
})
