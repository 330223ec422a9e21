import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runWorkflowStepByStep } from 'faultline'
import { describe, expect, test } from 'faultline/vitest'
import { readPage, repository, tableRows } from '../../support/markdown.ts'
import { stateFile } from './state-file.ts'
import { assertConsistent, consistent, release, test as story } from './story.ts'

const folder = 'tests/e2e/workflows'
const files = readdirSync(join(repository, folder)).filter((file) => file.endsWith('.ts'))
const tests = files.filter((file) => file.endsWith('.test.ts'))

describe('every story', { tags: ['e2e_workflow'] }, () => {
  test(
    'is tagged: selecting the tag selects every file, leaving it out no test',
    { timeout: 120_000 },
    async () => {
      const [tagged, untagged] = await Promise.all([list('e2e_workflow'), list('!e2e_workflow')])
      expect(new Set(tagged.map((line) => line.slice(0, line.indexOf(' > '))))).toEqual(
        new Set(tests.map((file) => `[workflows] ${folder}/${file}`)),
      )
      expect(untagged).toEqual([])
    },
  )

  test('uses faultline by the names of the package, and the harness to run workflows', () => {
    for (const file of files) {
      const text = readFileSync(join(repository, folder, file), 'utf8')
      const imported = [...text.matchAll(/^(?:import .*|\}) from '(.+)'$/gm)].map(([, from = '']) => from)
      const own =
        /^(faultline(\/\w+(-\w+)*)?|node:[\w/]+|zod|\.\/[\w-]+\.ts|\.\.\/\.\.\/support\/markdown\.ts)$/
      expect([file, imported.filter((from) => !own.test(from))]).toEqual([file, []])
    }
    const runner = /\b(runWorkflowStepByStep|fail)\(/
    const others = tests.filter((file) => !runner.test(readFileSync(join(repository, folder, file), 'utf8')))
    expect(others).toEqual([])
  })

  test('has no network', () => {
    expect(() => connect(1, '127.0.0.1')).toThrow('a story tried to open a network connection')
  })

  test(
    'is selected by name or tag, and one that selects nothing is an error',
    { timeout: 120_000 },
    async () => {
      const [name, tag] = await Promise.allSettled([
        vitest('run', '--project', 'workflows', 'no-such-story'),
        vitest('run', '--project', 'workflows', 'conventions', '--tags-filter', 'no_such_tag'),
      ])
      expect([name.status, tag.status]).toEqual(['rejected', 'rejected'])
    },
  )

  test('has the time limit of its tag, within which a workflow and a step have theirs', ({
    task,
    project,
  }) => {
    expect(task.timeout).toBe(30_000)
    expect(project.limits).toEqual({ stepTimeoutMs: 10_000, workflowTimeoutMs: 20_000 })
  })

  test('can set another limit', { timeout: 45_000 }, ({ task }) => {
    expect(task.timeout).toBe(45_000)
  })

  story('is checked at its end: its runs are consistent', async ({ project, agents, onTestFinished }) => {
    const session = await runWorkflowStepByStep(release, { project, agents })
    await session.runToEnd()
    const built = await project.read('dist/app.js')
    await project.write('dist/app.js', 'changed behind the run')
    await expect(assertConsistent(session)).rejects.toThrow(
      "changed: dist/app.js was produced by step 'build'",
    )
    await project.write('dist/app.js', built)
    onTestFinished(() => expect(consistent.has(session)).toBe(true))
  })

  test('is on the page beside the tests', () => {
    const rows = tableRows(readPage(`${folder}/README.md`)).flatMap(([, file = '']) => file.split(', '))
    expect(new Set(rows.filter((file) => file.endsWith('.ts')))).toEqual(new Set(tests))
  })
})

describe('docs/state-and-log.md', { tags: ['e2e_workflow'] }, () => {
  test('lists the members of the state file that the stories require, and no other', () => {
    const rows = tableRows(readPage('docs/state-and-log.md'))
    const first = rows.findIndex(([head]) => head === 'in state.json') + 1
    const names = rows.slice(first, first + Object.keys(stateFile.shape).length).map(([name]) => name)
    expect(new Set(names)).toEqual(new Set(Object.keys(stateFile.shape)))
  })
})

/** What the runner finds in the project of the stories. */
async function list(tags: string): Promise<readonly string[]> {
  const output = await vitest('list', '--project', 'workflows', '--tags-filter', tags)
  return output.split('\n').filter((line) => line.startsWith('[workflows]'))
}

async function vitest(...args: readonly string[]): Promise<string> {
  const script = join(repository, 'node_modules/vitest/vitest.mjs')
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: repository, env })
  return stdout
}
