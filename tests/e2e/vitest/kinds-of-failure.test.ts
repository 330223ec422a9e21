import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { configWith, failureBundles } from '../../support/failure-bundles.ts'
import type { FoundBundle } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'
import { failing, tried } from './kinds-project.ts'

const flakyOnly = tried
  .replace(/^for .*$/m, '')
  .replace(`test.fails('does not`, `test.skip('does not`)
  .replace(`test('hangs, then`, `test.skip('hangs, then`)
  .replace(`test('fails in the second`, `test.skip('fails in the second`)

let project: Stranger
let run: Ended
let bundles: readonly FoundBundle[]

beforeAll(() => {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith('{ maxBundles: 50 }'),
    'failing.test.ts': failing,
    'tried.test.ts': tried,
    'faultline-bundles/earlier/bundle/artifacts/produced.test.ts':
      'throw new Error("not a test of the project")',
  })
  run = project.vitest()
  bundles = failureBundles(project)
})

afterAll(() => project.remove())

function bundleOf(fullName: string, attempt = 1): FoundBundle {
  const found = bundles.find(
    ({ manifest }) => manifest.test.fullName === fullName && manifest.test.attempt === attempt,
  )
  if (found === undefined) throw new Error(`'${fullName}' left no bundle: ${run.stdout}${run.stderr}`)
  return found
}

function times(text: string, part: string): number {
  return text.split(part).length - 1
}

describe('a run with every kind of failure', () => {
  test('ends as failed and counts what failed, passed and was skipped', () => {
    expect(run.code).toBe(1)
    expect(/^ +Tests +(.*)$/m.exec(run.stdout)?.[1]).toBe(
      '17 failed | 3 passed | 1 expected fail | 4 skipped | 1 todo (26)',
    )
  })

  test('leaves one bundle for every try that failed, with the reason, and none for any other', () => {
    const told = bundles.map(({ manifest: { test: which, reason, sessions, errors } }) => {
      const round = which.repeat === null ? '' : ` in round ${which.repeat}`
      const runs = sessions.length === 0 ? 'no run' : sessions.map(({ status }) => status).join(' and ')
      const messages = errors.map(({ message }) => message.split(/[.;\n]/)[0]).join(' and ')
      return `${which.fullName}, try ${which.attempt}${round}: ${reason}, ${runs}: ${messages}`
    })
    expect(told.sort()).toMatchInlineSnapshot(`
      [
        "after a beforeAll that fails, try 1: set-up, no run: no network",
        "after a beforeEach that fails > begins, try 1: set-up, no run: no database",
        "after a beforeEach whose run fails > begins, try 1: set-up, failed: expected the last outcome to be 'completed'",
        "asks for a fixture that throws, try 1: error, no run: connection refused",
        "before an afterEach that fails > passes, try 1: clean-up, no run: cannot tidy up",
        "does not fail as expected, try 1: assertion, completed: Expect test to fail",
        "fails before its fault could fire, try 1: assertion, running: expected the last outcome to be 'completed'",
        "fails in the second of three rounds, try 1 in round 2: assertion, no run: expected 2 not to be 2 // Object",
        "fails twice, softly, try 1: assertion, no run: expected 'minimal' to be 'medium' // Object and expected 1 to be 2 // Object",
        "fails, then passes, try 1: assertion, failed: expected the last outcome to be 'completed'",
        "forgets a fault, then passes, try 1: unfired-fault, running: The fault plan was not carried out: agent-error at 'publish' fired 0 of 1 time",
        "hangs in an agent, try 1: timeout, running: Test timed out in 4000ms",
        "hangs, then fails, try 1: timeout, no run: Test timed out in 1000ms",
        "hangs, then fails, try 2: error, no run: second try in <root>",
        "has a namesake, try 1: error, no run: first",
        "has a namesake, try 1: error, no run: second",
        "plans a fault that never fires, try 1: unfired-fault, running: The fault plan was not carried out: agent-error at 'publish' fired 0 of 1 time",
        "runs two sessions, try 1: assertion, completed and failed: expected the last outcome to be 'completed'",
        "throws a text, try 1: error, no run: just text",
        "throws after its run has failed, try 1: step-error, failed: injected failure of agent 'checker'",
        "with an unknown template > begins, try 1: set-up, no run: There is no project template 'minimul'",
      ]
    `)
  })

  test('tells of a fault that never fired once, in a sentence without a stack', () => {
    expect(`${run.stdout}${run.stderr}`).not.toContain('Unhandled')
    const [, told = ''] = run.stderr.split('FAIL  failing.test.ts > plans a fault that never fires\n')
    expect(told.split('⎯')[0]).toMatchInlineSnapshot(`
      "FaultlineError: The fault plan was not carried out: agent-error at 'publish' fired 0 of 1 time. The run never came to that point as often as planned: check step, visit and attempt, or resume and run on.
      "
    `)
    expect(times(run.stderr, 'The fault plan was not carried out')).toBe(1)
  })
})

describe('the bundle', () => {
  test('of a test that ran into its time limit holds the run that was going on', () => {
    const bundle = bundleOf('hangs in an agent')
    expect(bundle.files).toEqual([
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
    expect(JSON.parse(bundle.text('state/at-failure.json'))).toMatchObject({
      state: { status: 'running', completedSteps: ['build'], currentSteps: ['check'] },
    })
    expect(bundle.text('summary.md')).toContain('in flight: check')
  })

  test('of a failing beforeEach holds the run that it had made', () => {
    expect(bundleOf('after a beforeEach whose run fails > begins').files).toEqual(
      expect.arrayContaining([
        'state/before-failure.json',
        'state/at-failure.json',
        'timeline.jsonl',
        'plan.json',
      ]),
    )
  })

  test('of a test with its own failure still tells of a fault that had not fired', () => {
    expect(bundleOf('fails before its fault could fire').manifest.notes).toEqual([
      expect.stringContaining('The fault plan was not carried out'),
    ])
  })

  test('of a test with two sessions holds them apart', () => {
    const { files, manifest, text } = bundleOf('runs two sessions')
    expect(manifest.sessions.map(({ folder }) => folder)).toEqual(['', 'sessions/2'])
    expect(files).toEqual(
      expect.arrayContaining(['events.jsonl', 'sessions/2/events.jsonl', 'sessions/2/state/at-failure.json']),
    )
    expect([
      text('events.jsonl').includes('second'),
      text('sessions/2/events.jsonl').includes('second'),
    ]).toEqual([false, true])
    const [first, second] = manifest.sessions
    expect([first?.runId === second?.runId, first?.correlationId === second?.correlationId]).toEqual([
      false,
      true,
    ])
  })

  test.each([
    ['a set-up of one test', 'after a beforeEach that fails > begins', 1, 'no database'],
    ['a later try', 'hangs, then fails', 2, 'second try in <root>'],
  ])('of %s can be replayed', (_, fullName, attempt, message) => {
    const { folder } = bundleOf(fullName, attempt)
    const replay = project.faultline('replay', folder)
    expect([replay.code, replay.stdout], replay.stderr).toEqual([1, `reproduced: ${message}\n`])
  })
})

describe('a run in which only first tries fail', () => {
  test('is good, and its bundles are marked as flaky', () => {
    const flaky = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'vitest.config.ts': configWith(),
      'tried.test.ts': flakyOnly,
    })
    try {
      const { code, stdout, stderr } = flaky.vitest()
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain('faultline  2 failure bundles in faultline-bundles/')
      expect([times(stdout, '  FLAKY '), times(stdout, '  FAILED ')]).toEqual([2, 0])
      const index = JSON.parse(flaky.read('faultline-bundles/latest.json')) as {
        readonly flaky: readonly string[]
      }
      expect([...index.flaky].sort()).toEqual(failureBundles(flaky).map(({ folder }) => folder))
    } finally {
      flaky.remove()
    }
  })
})
