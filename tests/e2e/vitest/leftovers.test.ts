import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'

const passing = `${testImports}
import { createProject } from 'faultline'
import { defineWorkflow } from 'faultline/engine'

const workflow = defineWorkflow({ id: 'one', steps: [{ id: 'only', agent: 'worker' }] })

test('passes', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})

test('makes projects for itself and leaves them', async () => {
  await createProject({ template: 'minimal' })
  const session = await runWorkflowStepByStep(workflow)
  await session.runToEnd()
})
`

const failing = (name: string) => `import { beforeAll } from 'vitest'
${testImports}
for (const which of ['one', 'two', 'three']) {
  test('${name} fails ' + which, async ({ project }) => {
    await project.write('note.txt', which)
    expect(1).toBe(2)
  })
}

describe('${name}', () => {
  beforeAll(() => { throw new Error('no network') })
  test('begins', () => {})
})
`

let project: Stranger

afterEach(() => project.remove())

/** Runs the tests with a folder for temporary files of their own. */
function runKeeping(options: string): Ended {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(options),
    'passing.test.ts': passing,
    'first.test.ts': failing('first'),
    'second.test.ts': failing('second'),
  })
  mkdirSync(join(project.folder, 'temporary'))
  return project.vitest([], { TMPDIR: join(project.folder, 'temporary') })
}

/** Names of the projects that are still there, without what makes them unique. */
function keptProjects(): readonly string[] {
  return readdirSync(join(project.folder, 'temporary')).flatMap((root) =>
    readdirSync(join(project.folder, 'temporary', root)).map((name) => name.replace(/-[^-]+$/, '')),
  )
}

const failed = ['first-fails', 'second-fails'].flatMap((name) =>
  ['one', 'three', 'two'].map((which) => `${name}-${which}`),
)

describe('a run', () => {
  test('leaves no temporary folder, and no more bundles than it may: the others are counted', () => {
    const { code, stdout } = runKeeping('{ maxBundles: 2 }')
    expect(code).toBe(1)
    expect(readdirSync(join(project.folder, 'temporary'))).toEqual([])
    expect(failureBundles(project)).toHaveLength(2)
    expect(stdout).toContain(' faultline  2 failure bundles in faultline-bundles/')
    expect(stdout).toContain('\n\n  6 further failures left no bundle: maxBundles is 2\n')
    expect(JSON.parse(project.read('faultline-bundles/latest.json'))).toMatchObject({
      bundles: [expect.any(String), expect.any(String)],
      leftOut: 6,
    })
  })

  test('keeps the projects of failed tests on request, and says where', () => {
    const { stdout } = runKeeping(`{ keep: 'on-failure' }`)
    expect(keptProjects().toSorted()).toEqual(failed)
    expect(stdout).toContain(` faultline  6 project folders kept in ${project.folder}/temporary/`)
  })

  test('keeps all projects of the fixture on request', () => {
    runKeeping(`{ keep: 'always' }`)
    expect(keptProjects().toSorted()).toEqual([...failed, 'passes'].toSorted())
  })
})
