import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import type { FoundBundle } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'

const imports = `import { afterEach, beforeAll, beforeEach } from 'vitest'
${testImports}
const workflow = 'workflows/release.yaml'
`

const failing = `${imports}
test('passes', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})

test('hangs in an agent', { timeout: 4_000 }, async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, {
    project, agents: { ...agents, checker: () => new Promise(() => {}) }, clock: 'real',
  })
  await session.runToEnd()
})

describe('after a beforeEach that fails', () => {
  beforeEach(() => { throw new Error('no database') })
  test('begins', async ({ project }) => { await project.list() })
})

describe('after a beforeEach whose run fails', () => {
  test.beforeEach(async ({ project, agents }) => {
    const session = await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('check')] })
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })
  test('begins', () => {})
})

describe('after a beforeAll that fails', () => {
  beforeAll(() => { throw new Error('no network') })
  test('one', () => {})
  test('two', () => {})
})

describe('with an unknown template', () => {
  test.override('template', 'minimul')
  test('begins', async ({ project }) => { await project.list() })
})

const withDatabase = test.extend('database', async () => { throw new Error('connection refused') })
withDatabase('asks for a fixture that throws', ({ database }) => { void database })

describe('before an afterEach that fails', () => {
  afterEach(() => { throw new Error('cannot tidy up') })
  test('passes', async ({ project }) => { await project.list() })
})

test('fails twice, softly', ({ project }) => {
  expect.soft(project.template).toBe('medium')
  expect.soft(1).toBe(2)
})

test('throws after its run has failed', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('check')] })
  const { error } = await session.runToEnd()
  throw new Error(error.message)
})

test('throws a text', () => { throw 'just text' })

test('plans a fault that never fires', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('publish')] })
  await session.runUntil('build')
})

test('fails before its fault could fire', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('publish')] })
  await session.runUntil('build')
  expect(session).toHaveCompleted()
})

test('runs two sessions', async ({ project, agents }) => {
  const first = await runWorkflowStepByStep(workflow, { project, agents })
  await first.runToEnd()
  const second = await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('check', { message: 'second' })] })
  await second.runToEnd()
  expect(first).toHaveCompleted()
  expect(second).toHaveCompleted()
})
`

const tried = `${imports}
test.fails('fails as expected', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('check')] })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})

test.fails('does not fail as expected', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents })
  await session.runToEnd()
})

test.skip('is skipped', () => {})
test.todo('is to be written')
test('skips itself', async ({ project, agents, skip }) => {
  await runWorkflowStepByStep(workflow, { project, agents, faults: [agentError('check')] })
  skip()
})

let tries = 0
test('fails, then passes', { retry: 2 }, async ({ project, agents }) => {
  tries++
  const faults = tries === 1 ? [agentError('check', { message: 'only once' })] : []
  const session = await runWorkflowStepByStep(workflow, { project, agents, faults })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})

let forgotten = 0
test('forgets a fault, then passes', { retry: 1 }, async ({ project, agents }) => {
  forgotten++
  const faults = forgotten === 1 ? [agentError('publish')] : []
  const session = await runWorkflowStepByStep(workflow, { project, agents, faults })
  await session.runUntil('build')
})

let hangs = 0
test('hangs, then fails', { retry: 1, timeout: 1_000 }, async () => {
  hangs++
  if (hangs === 1) await new Promise(() => {})
  throw new TypeError('second try')
})

let rounds = 0
test('fails in the second of three rounds', { repeats: 2 }, () => {
  rounds++
  expect(rounds).not.toBe(2)
})

for (const which of ['first', 'second']) test('has a namesake', () => { throw new Error(which) })
`

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
        "hangs, then fails, try 2: error, no run: second try",
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
    ['a later try', 'hangs, then fails', 2, 'second try'],
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
