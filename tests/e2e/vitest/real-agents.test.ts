import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { configWith, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'

/** One body for both agents. The real one asks another process, and leaves a line for every call. */
const eitherAgent = `${testImports}
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { defineWorkflow } from 'faultline/engine'

const workflow = defineWorkflow({
  id: 'answer',
  steps: [{ id: 'ask', agent: 'model', retries: 1, creates: ['answer.md'] }],
})

async function realAgent({ artifacts }) {
  const answer = execFileSync(process.execPath, ['-p', '6 * 7'], { encoding: 'utf8' }).trim()
  appendFileSync('calls', answer + ' ')
  await artifacts.write('answer.md', answer)
  return { answer }
}

function survives(name, real, tags) {
  test(name, { tags }, async ({ project, mockAgent }) => {
    const agents = { model: real ?? mockAgent }
    const options = { project, agents, faults: [agentError('ask')], clock: 'real' }
    const session = await runWorkflowStepByStep(workflow, options)
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(await project.exists('answer.md')).toBe(true)
  })
}

survives('a stand-in survives a failing call', undefined, [])
survives('the real agent survives a failing call', realAgent, ['requires_llm'])
`

let project: Stranger

beforeAll(() => {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'either.test.ts': eitherAgent,
  })
})

afterAll(() => project.remove())

function run(optIn: string): Ended {
  return project.vitest([], { FAULTLINE_REQUIRES_LLM: optIn })
}

test('one body runs with a stand-in by default, and with the real agent for those who opt in', () => {
  const byDefault = run('')
  expect([byDefault.code, byDefault.stdout]).toEqual([0, expect.stringContaining('1 passed | 1 skipped (2)')])
  expect(existsSync(join(project.folder, 'calls'))).toBe(false)
  const optedIn = run('1')
  expect([optedIn.code, optedIn.stdout]).toEqual([0, expect.stringContaining('2 passed (2)')])
  expect(project.read('calls')).toBe('42 ')
})
