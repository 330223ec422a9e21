import { testImports } from '../../support/failure-bundles.ts'

const imports = `import { afterEach, beforeAll, beforeEach } from 'vitest'
${testImports}
const workflow = 'workflows/release.yaml'
`

/** Each fails in another place or way, but for the first. */
export const failing = `${imports}
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

/** Tests that are tried several times, are expected to fail, or are not run. */
export const tried = `${imports}
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
  throw new TypeError('second try in ' + process.cwd())
})

let rounds = 0
test('fails in the second of three rounds', { repeats: 2 }, () => {
  rounds++
  expect(rounds).not.toBe(2)
})

for (const which of ['first', 'second']) test('has a namesake', () => { throw new Error(which) })
`
