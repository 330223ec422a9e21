import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { createNodeFiles } from '../../../src/adapters/node/index.ts'
import { readBundle } from '../../../src/bundle/index.ts'
import { failureBundles } from '../../support/failure-bundles.ts'
import type { FoundBundle } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'
import {
  exits,
  impatientConfig,
  interrupts,
  killed,
  killedTogether,
  loops,
  retried,
} from './lost-tests-project.ts'

let open: Stranger | undefined

afterEach(() => {
  open?.remove()
  open = undefined
})

interface LostRun extends Ended {
  readonly project: Stranger
  readonly bundles: readonly FoundBundle[]
}

/** Runs test files with a folder for temporary files of their own, which must be empty afterwards. */
function run(files: Readonly<Record<string, string>>, ...args: readonly string[]): LostRun {
  const project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': impatientConfig,
    ...files,
  })
  open = project
  const temporary = join(project.folder, 'temporary')
  mkdirSync(temporary)
  const ended = project.vitest(args, {
    TMPDIR: temporary,
    GITHUB_STEP_SUMMARY: join(project.folder, 'step-summary.md'),
    GITHUB_RUN_ID: '4711',
  })
  expect(readdirSync(temporary).filter((name) => name.startsWith('faultline'))).toEqual([])
  return { ...ended, project, bundles: failureBundles(project) }
}

/** Each bundle in a line: test, try, reason and where its runs stood. */
function outline(bundles: readonly FoundBundle[]): readonly string[] {
  return bundles
    .map(({ manifest: { test: which, reason, partial, sessions } }) => {
      const runs = sessions.map(({ status }) => status).join(' and ') || 'no run'
      return `${which.fullName}, try ${which.attempt}: ${partial ? 'partial, ' : ''}${reason}, ${runs}`
    })
    .toSorted()
}

function bundleOf({ bundles, stdout, stderr }: LostRun, fullName: string): FoundBundle {
  const found = bundles.find(({ manifest }) => manifest.test.fullName === fullName)
  if (found === undefined) throw new Error(`'${fullName}' left no bundle: ${stdout}${stderr}`)
  return found
}

/** Names of the bundles that the index of the run lists. */
function listed({ project }: LostRun): readonly string[] {
  const index = JSON.parse(project.read('faultline-bundles/latest.json')) as {
    readonly bundles: readonly string[]
  }
  return index.bundles.toSorted()
}

describe('a worker that dies', { timeout: 180_000 }, () => {
  test('leaves a bundle for every test under way, in a run that goes on', async () => {
    const lost = run(
      {
        'killed.test.ts': killed,
        'together.test.ts': killedTogether,
        'exits.test.ts': exits,
        'retried.test.ts': retried,
        'loops.test.ts': loops,
      },
      '--pool=forks',
    )
    expect([lost.code, outline(lost.bundles)], lost.stdout + lost.stderr).toEqual([
      1,
      [
        'dies at its second try, try 1: error, running',
        'dies at its second try, try 2: partial, worker-died, running',
        'exits, try 1: error, no run',
        'fails before, try 1: assertion, no run',
        'kills its worker, try 1: partial, worker-died, running',
        'loops, try 1: partial, hang, running',
        'really exits, try 1: partial, worker-died, no run',
        'together > one, try 1: partial, worker-died, running',
        'together > other, try 1: partial, worker-died, running',
      ],
    ])
    // Each is listed once, also those of tests that Vitest has forgotten with their worker.
    expect(listed(lost)).toEqual(lost.bundles.map(({ folder }) => folder).toSorted())
    expect(lost.stdout).toContain(' faultline  9 failure bundles in faultline-bundles/')

    const { folder, files, text, manifest } = bundleOf(lost, 'kills its worker')
    expect(manifest.versions.template?.name).toBe('minimal')
    expect(files).toEqual([
      'artifacts/dist/notes.md',
      'definition.json',
      'events.jsonl',
      'index.html',
      'input.json',
      'logs/log.jsonl',
      'logs/log.txt',
      'manifest.json',
      'plan.json',
      'plan.resolved.json',
      'state/at-failure.json',
      'summary.md',
      'timeline.jsonl',
      'timeline.md',
    ])
    expect(JSON.parse(text('state/at-failure.json'))).toMatchObject({
      state: { status: 'running', completedSteps: ['build'], currentSteps: ['check'] },
    })
    expect(text('logs/log.txt')).toContain('checking in kills its worker')
    expect(text('plan.json')).toContain('publish')
    for (const bundle of lost.bundles) {
      const read = await readBundle(createNodeFiles(lost.project.folder), bundle.folder)
      expect(read.manifest).toEqual(bundle.manifest)
    }

    const again = [folder, bundleOf(lost, 'loops').folder].map((each) =>
      lost.project.faultline('replay', each),
    )
    expect(again.map(({ code, stdout }) => [code, stdout])).toEqual([
      [
        1,
        'reproduced: The worker ended before this test did: it was killed, ran out of memory or ended itself.\n',
      ],
      [
        1,
        'reproduced: The worker was ended because it did not answer any more: this test, or one beside it, never gives its thread back.\n',
      ],
    ])
  })

  test('leaves them without isolation too', () => {
    const lost = run({ 'killed.test.ts': killed }, '--pool=forks', '--no-isolate', '--maxWorkers=1')
    expect([lost.code, outline(lost.bundles)], lost.stdout + lost.stderr).toEqual([
      1,
      ['fails before, try 1: assertion, no run', 'kills its worker, try 1: partial, worker-died, running'],
    ])
  })
})

test('a thread that hangs ends the run, with its bundle', { timeout: 120_000 }, () => {
  const lost = run({ 'loops.test.ts': loops }, '--pool=threads')
  expect([lost.code, outline(lost.bundles)], lost.stdout + lost.stderr).toEqual([
    1,
    ['loops, try 1: partial, hang, running'],
  ])
  expect(lost.stdout).toContain('hang in loops.test.ts, attempt 1')
})

test.each(['forks', 'threads'])(
  'a run with %s that is interrupted leaves bundles of what had failed and what was under way',
  { timeout: 120_000 },
  (pool) => {
    const lost = run({ 'interrupts.test.ts': interrupts }, `--pool=${pool}`)
    expect([lost.code, outline(lost.bundles)], lost.stdout + lost.stderr).toEqual([
      130,
      ['fails before, try 1: assertion, no run', 'is interrupted, try 1: partial, interrupted, running'],
    ])
    expect(listed(lost)).toEqual(lost.bundles.map(({ folder }) => folder).toSorted())
    expect(lost.stdout).toContain('interrupted in interrupts.test.ts, attempt 1')
    const summary = lost.project.read('step-summary.md')
    expect(summary.match(/^FAILED .*/gm)?.toSorted()).toEqual([
      'FAILED fails before',
      'FAILED is interrupted',
    ])
    for (const { folder } of lost.bundles) {
      expect(summary).toContain(`--dir faultline-bundles\nnpx faultline replay ${folder}\n`)
    }
    expect(bundleOf(lost, 'is interrupted').text('logs/log.txt')).toContain('checking in is interrupted')
  },
)
