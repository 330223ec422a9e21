import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { configWith, failureBundles } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

const file = `import { appendFileSync } from 'node:fs'
import { describe, expect, test } from 'faultline/vitest'
import { runWorkflowStepByStep } from 'faultline'
import { defineWorkflow } from 'faultline/engine'

describe('release', { tags: ['e2e_workflow'] }, () => {
  test.eachFault(
    'workflows/release.yaml',
    { template: 'small', timeout: 20_000 },
    async (fault, { project, agents, task, expect }) => {
      appendFileSync('ran.txt', task.name + '\\n')
      const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [fault] })
      while ((await session.runToEnd()).status === 'failed') await session.resume()
      expect(session).toHaveCompleted()
    },
  )
})

const two = defineWorkflow({ id: 'two', steps: [{ id: 'one', agent: 'a' }, { id: 'two', agent: 'a' }] })
test.override('clock', 'virtual').eachFault(two, { steps: ['two'], faults: ['agent-error'] }, async (fault, { project }) => {
  const session = await runWorkflowStepByStep(two, { project, agents: { a: () => null }, faults: [fault] })
  const { step } = await session.runToEnd()
  // Wrong for one of the two.
  expect(step).toBe(fault.params?.moment === 'after' ? 'nobody' : 'two')
})
`

/** Broken while the file is read. */
const refused = {
  'nowhere.test.ts': `import { test } from 'faultline/vitest'
test.eachFault('workflows/relaese.yaml', { template: 'small' }, () => {})
`,
  'nothing.test.ts': `import { test } from 'faultline/vitest'
test.eachFault('workflows/release.yaml', { template: 'small', steps: ['nobody'] }, () => {})
`,
}

let project: Stranger

beforeAll(() => {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'each.test.ts': file,
  })
})

afterAll(() => project.remove())

const ofRelease = 'release every single fault of workflows/release.yaml '
const ofTwo = 'every single fault of two '

interface Report {
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** Exit code, and the tests by name with what became of them. */
function ran(...args: readonly string[]): {
  readonly code: number | null
  readonly tests: Readonly<Record<string, string>>
  readonly messages: string
} {
  const { code } = project.vitest([...args, '--reporter=json', '--outputFile=report.json'])
  const { testResults } = JSON.parse(project.read('report.json')) as Report
  return {
    code,
    tests: Object.fromEntries(
      testResults.flatMap(({ assertionResults }) =>
        assertionResults.map(({ fullName, status }) => [fullName, status]),
      ),
    ),
    messages: testResults.map(({ message }) => message).join(),
  }
}

const chosen = (tests: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(tests).filter((name) => tests[name] !== 'skipped')

const steps = ['plan', 'build', 'test', 'review', 'publish']
const names = steps.flatMap((step) => [
  `agent-error:${step}`,
  `agent-error:${step},moment=after`,
  `step-timeout:${step}`,
  ...(step === 'review' ? [`gate-failure:${step}`, `gate-failure:${step},mode=throw`] : []),
])

describe('test.eachFault', () => {
  test('makes a test for every single fault while tests are collected, without running any', () => {
    const { code, tests } = ran('each.test.ts', '-t', 'nothing of that name')
    expect([code, chosen(tests)]).toEqual([0, []])
    expect(Object.keys(tests)).toEqual([
      ...names.map((name) => `${ofRelease}${name}`),
      `${ofTwo}agent-error:two`,
      `${ofTwo}agent-error:two,moment=after`,
    ])
    expect(project.files()).not.toContain('ran.txt')
  })

  test('is chosen by the name of the fault, and by tags', () => {
    expect(chosen(ran('each.test.ts', '-t', 'gate-failure:review$').tests)).toEqual([
      `${ofRelease}gate-failure:review`,
    ])
    expect(chosen(ran('each.test.ts', '--tags-filter=e2e_workflow', '-t', 'timeout:build').tests)).toEqual([
      `${ofRelease}step-timeout:build`,
    ])
  })

  test('gives every test its fault and the fixtures, and one that fails leaves a bundle with the plan', () => {
    const { code, tests } = ran('each.test.ts')
    expect(code).toBe(1)
    expect(Object.keys(tests).filter((name) => tests[name] === 'failed')).toEqual([
      `${ofTwo}agent-error:two,moment=after`,
    ])
    expect(Object.values(tests).filter((status) => status === 'passed')).toHaveLength(names.length + 1)
    expect(project.read('ran.txt').trimEnd().split('\n')).toEqual(expect.arrayContaining(names))
    const [bundle, ...others] = failureBundles(project)
    expect(others).toEqual([])
    expect(bundle?.manifest.test.fullName).toBe('every single fault of two > agent-error:two,moment=after')
    const plan = bundle?.files.find((path) => path.endsWith('plan.json')) ?? ''
    expect(JSON.parse(bundle?.text(plan) ?? '')).toMatchObject({
      faults: [{ fault: 'agent-error', at: { step: 'two' }, params: { moment: 'after' } }],
    })
  })

  test('fails the file when there is no such workflow, or nothing to break', () => {
    for (const [path, text] of Object.entries(refused)) project.write(path, text)
    const { code, messages } = ran(...Object.keys(refused))
    expect(code).toBe(1)
    expect(messages).toContain(
      `There is no workflow file 'workflows/relaese.yaml' in the project. Did you mean 'workflows/release.yaml'?`,
    )
    expect(messages).toContain(
      'test.eachFault makes no test of workflows/release.yaml: it has no fault of the kinds and steps that were asked for (nobody).',
    )
  })
})
