import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { TestModule, Vitest } from 'vitest/node'
import { createDigest, createNodeFiles } from '../../../src/adapters/node/index.ts'
import { createRedactor, writeBundle } from '../../../src/bundle/index.ts'
import { createJournal } from '../../../src/vitest/journal.ts'
import { secretsOnly } from '../../../src/vitest/redactor.ts'
import { RunMark } from '../../../src/vitest/merged-runs.ts'
import { FaultlineReporter } from '../../../src/vitest/reporter.ts'
import type { FaultlineReporterOptions } from '../../../src/vitest/reporter.ts'
import { sampleContent } from '../../support/sample-bundle.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { begun, settingsIn } from './in-a-worker.ts'

interface Ended {
  readonly state?: 'passed' | 'failed' | 'skipped'
  readonly tags?: readonly string[]
  /** Bundles of its failed tries. */
  readonly bundles?: readonly (string | null)[]
}

const closings: (() => void)[] = []

afterEach(() => {
  for (const close of closings.splice(0)) close()
})

/** A file as the reporter sees it at the end of a run: its tests, and what its `beforeAll` threw. */
function moduleOf(
  tests: readonly Ended[],
  setUpErrors: readonly string[] = [],
  meta: object = {},
): TestModule {
  const cases = tests.map(({ state = 'passed', tags = [], bundles = [] }) => ({
    tags,
    project: { config: { tags: [{ name: 'e2e_workflow' }, { name: 'requires_llm' }] } },
    result: () => ({ state }),
    meta: () =>
      bundles.length === 0
        ? {}
        : { faultline: { failedTries: bundles.map((bundle) => ({ bundle, reason: 'assertion' })) } },
  }))
  const suite = { type: 'suite', fullName: 'shop', errors: () => setUpErrors.map((message) => ({ message })) }
  return {
    type: 'module',
    relativeModuleId: 'shop.test.ts',
    project: { name: '' },
    errors: () => [],
    meta: () => meta,
    children: { allTests: () => cases, allSuites: () => [suite] },
  } as unknown as TestModule
}

interface Printed {
  readonly root: string
  readonly log: string
  readonly errors: string
  readonly exitCode: unknown
}

async function report(
  modules: readonly TestModule[],
  change: Partial<FaultlineReporterOptions> = {},
  config: Readonly<Record<string, unknown>> = {},
  root = temporaryFolder(),
  duringTheRun: (journals: string) => void = () => {},
): Promise<Printed> {
  const reporter = new FaultlineReporter({
    root,
    testRoot: root,
    bundles: 'bundles',
    bundleSlots: { folder: join(root, 'slots'), max: 20 },
    journals: join(root, 'journals'),
    isReplay: true,
    requiresLlm: false,
    redact: [],
    keptProjects: null,
    ...change,
  })
  const lines: Record<'log' | 'error', string[]> = { log: [], error: [] }
  const logger = {
    log: (text: string) => lines.log.push(text),
    error: (text: string) => lines.error.push(text),
  }
  reporter.onInit({ logger, config, version: '4.1.12' } as unknown as Vitest)
  reporter.onTestRunStart()
  duringTheRun(reporter.journals)
  const before = process.exitCode
  try {
    await reporter.onTestRunEnd(modules)
    return { root, log: lines.log.join('\n'), errors: lines.error.join('\n'), exitCode: process.exitCode }
  } finally {
    process.exitCode = before
  }
}

async function withBundles(...names: readonly string[]): Promise<string> {
  const root = temporaryFolder()
  for (const name of names) {
    const { test: named, ...content } = sampleContent({ errors: [], sessions: [] })
    await writeBundle(
      { ...content, test: { ...named, fullName: name } },
      {
        files: createNodeFiles(root),
        folder: `bundles/${name}`,
        digest: createDigest(),
        redact: createRedactor({ environment: {} }),
      },
    )
  }
  return root
}

describe('the report at the end of a run', () => {
  test('is silent when nothing failed', async () => {
    const { root, log, errors, exitCode } = await report([moduleOf([{}, { state: 'skipped' }])])
    expect([log, errors, exitCode, existsSync(join(root, 'bundles'))]).toEqual([
      '',
      '',
      process.exitCode,
      false,
    ])
  })

  test('shows failures before flaky tests, five of them in full, and counts what left no bundle', async () => {
    const failing = ['one', 'two', 'three', 'four', 'five']
    const root = await withBundles('unsteady', ...failing)
    const tests: Ended[] = [
      { bundles: ['bundles/unsteady'] },
      ...failing.map((name): Ended => ({ state: 'failed', bundles: [`bundles/${name}`] })),
      { state: 'failed', bundles: [null, null] },
    ]
    const { log } = await report([moduleOf(tests)], {}, {}, root)
    const outline = log.split('\n').filter((line) => /^ {0,2}\S|^ {12}\d+ assertion$/.test(line))
    const shown = relative(process.cwd(), root)
    expect(outline.map((line) => line.replace(shown, '<root>'))).toMatchInlineSnapshot(`
      [
        " faultline  6 failure bundles in <root>/bundles",
        "            6 assertion",
        "  FAILED one",
        "  FAILED two",
        "  FAILED three",
        "  FAILED four",
        "  FAILED five",
        "  and 1 more:",
        "  npx faultline show <root>/bundles/unsteady  (flaky)",
        "  2 further failures left no bundle: maxBundles is 20",
      ]
    `)
    expect(JSON.parse(readFileSync(join(root, 'bundles/run.json'), 'utf8'))).toMatchObject({
      bundles: [...failing, 'unsteady'].map((name) => `bundles/${name}`),
      flaky: ['bundles/unsteady'],
      leftOut: 2,
      skipped: { requires_llm: 0 },
    })
  })

  test('holds a bundle for a set-up that failed, as long as there are slots', async () => {
    const modules = [moduleOf([{ state: 'skipped' }], ['no network'])]
    const { log } = await report(modules)
    expect(log).toContain('FAILED shop\n    set-up in shop.test.ts, attempt 1\n    Error: no network')
    const full = await report(modules, { bundleSlots: { folder: join(temporaryFolder(), 'slots'), max: 0 } })
    expect(full.log).toContain('1 further failure left no bundle: maxBundles is 0')
    expect(readdirSync(join(full.root, 'bundles'))).toEqual(['run.json'])
  })

  test('lists what workers have noted and not lived to report, each bundle once', async () => {
    const root = await withBundles('reported', 'untold')
    const { log } = await report(
      [moduleOf([{ state: 'failed', bundles: ['bundles/reported'] }])],
      {},
      {},
      root,
      (journals) => {
        const journal = createJournal(journals, settingsIn(root), secretsOnly(settingsIn(root)))
        closings.push(() => journal.close())
        journal.begin(begun('reported')).end('bundles/reported')
        journal.begin(begun('untold')).end('bundles/untold')
        journal.begin(begun('lost'))
      },
    )
    expect(log.split('\n').filter((line) => /^ {0,2}\S/.test(line))).toEqual([
      expect.stringContaining(' faultline  3 failure bundles in '),
      '  FAILED reported',
      '  FAILED untold',
      '  FAILED lost',
    ])
    expect(log).toContain('worker-died in shop.test.ts')
    const { reasons } = JSON.parse(readFileSync(join(root, 'bundles/run.json'), 'utf8')) as {
      readonly reasons: Readonly<Record<string, string>>
    }
    expect(reasons).toMatchObject({ 'bundles/reported': 'assertion', 'bundles/untold': 'assertion' })
    expect(Object.values(reasons)).toContain('worker-died')
    expect(existsSync(join(root, 'journals'))).toBe(false)
  })

  test('of merged shards names bundles that are elsewhere, and makes none', async () => {
    const shard = moduleOf(
      [
        { state: 'failed', bundles: ['bundles/fails-1'] },
        { state: 'skipped', tags: ['requires_llm'] },
      ],
      ['no network'],
    )
    const { root, log } = await report([shard], {}, { mergeReports: '.vitest-reports' })
    const shown = relative(process.cwd(), root)
    const lines = log.replaceAll(shown, '<root>').split('\n')
    expect(lines.filter((line) => line !== '')).toEqual([
      ' faultline  1 failure bundle in <root>/bundles',
      '  FAILED fails-1',
      '    its bundle is not here: <root>/bundles/fails-1',
      ' faultline  1 requires_llm test skipped; set FAULTLINE_REQUIRES_LLM=1 to run them',
    ])
    expect(readdirSync(join(root, 'bundles'))).toEqual(['run.json'])
    expect(JSON.parse(readFileSync(join(root, 'bundles/run.json'), 'utf8'))).toMatchObject({
      bundles: ['bundles/fails-1'],
      reasons: { 'bundles/fails-1': 'assertion' },
      skipped: { requires_llm: 1 },
    })
  })

  test('of merged shards names what each has left beside its tests, every bundle and every failure once', async () => {
    const root = await withBundles('run-1/fails', 'run-1/set-up', 'run-2/lost')
    // Each shard marks its files before its report is written, and has left its index.
    const shards = ['run-1', 'run-2'].map((run, index) => {
      const meta = {}
      const tests: readonly Ended[] =
        index === 0 ? [{ state: 'failed', bundles: ['bundles/run-1/fails', null] }] : [{}]
      const shard = moduleOf(tests, [], meta)
      new RunMark(`bundles/${run}`).onTestRunEnd([shard])
      return moduleOf(tests, [], JSON.parse(JSON.stringify(meta)) as object)
    })
    const left = { 'run-1': ['fails', 'set-up'], 'run-2': ['lost'] }
    for (const [run, names] of Object.entries(left)) {
      const bundles = names.map((name) => `bundles/${run}/${name}`)
      const index = {
        suiteRunId: run,
        bundles,
        reasons: Object.fromEntries(bundles.map((bundle) => [bundle, 'error'])),
        flaky: [],
        leftOut: 2,
        skipped: { requires_llm: 0 },
      }
      writeFileSync(join(root, 'bundles', run, 'run.json'), JSON.stringify(index))
    }
    const { log } = await report(shards, {}, { mergeReports: '.vitest-reports' }, root)
    expect(log.split('\n').filter((line) => /^ {0,2}\S/.test(line))).toEqual([
      expect.stringContaining(' faultline  3 failure bundles in '),
      '  FAILED run-1/fails',
      '  FAILED run-1/set-up',
      '  FAILED run-2/lost',
      '  4 further failures left no bundle: maxBundles is 20',
    ])
    expect(JSON.parse(readFileSync(join(root, 'bundles/run.json'), 'utf8'))).toMatchObject({
      bundles: ['bundles/run-1/fails', 'bundles/run-1/set-up', 'bundles/run-2/lost'],
      reasons: { 'bundles/run-1/set-up': 'error', 'bundles/run-2/lost': 'error' },
      leftOut: 4,
    })
  })

  test('says where projects are kept, if any are', async () => {
    const keptProjects = temporaryFolder()
    expect((await report([], { keptProjects })).log).toBe('')
    mkdirSync(join(keptProjects, 'shop-1'))
    writeFileSync(join(keptProjects, 'shop-1/app.json'), '{}')
    expect((await report([], { keptProjects })).log).toBe(
      `\n faultline  1 project folder kept in ${keptProjects}`,
    )
  })
})

describe('a run that did not do what it was asked for', () => {
  const withModel = moduleOf([{ state: 'skipped', tags: ['requires_llm'] }, {}])
  const skipped = moduleOf([{ state: 'skipped' }])

  test.each([
    ['counts skipped tests of models', withModel, {}, '1 requires_llm test skipped', ''],
    [
      'fails when they were asked for',
      withModel,
      { tagsFilter: ['requires_llm'] },
      '1 requires_llm',
      'fails',
    ],
    ['fails when a filter selects nothing', skipped, { tagsFilter: ['e2e_workflow'] }, '', 'this run fails'],
    [
      'is content with nothing on request',
      skipped,
      { tagsFilter: ['e2e_workflow'], passWithNoTests: true },
      '',
      '',
    ],
    [
      'is content with nothing in a shard',
      skipped,
      { tagsFilter: ['e2e_workflow'], shard: { index: 1 } },
      '',
      '',
    ],
  ])('%s', async (_, module, config, logged, failed) => {
    const { log, errors, exitCode } = await report([module], {}, config)
    expect(log).toContain(logged)
    expect(errors).toContain(failed)
    expect(exitCode).toBe(failed === '' ? process.exitCode : 1)
  })
})
