import { afterEach, describe, expect, inject, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

const failing = `${testImports}
test.override('template', 'medium')('release survives a reviewer that fails', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep('workflows/release.yaml', {
    project, agents, faults: [agentError('review', { message: 'model overloaded' })],
  })
  await session.runToEnd()
  await session.resume()
  await session.runToEnd()
  expect(session).toHaveCompleted()
  expect(session).toHaveRun('review', 1)
})
`

let open: Stranger | undefined

afterEach(() => {
  open?.remove()
  open = undefined
})

function withTest(text: string): Stranger {
  open = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'release.test.ts': text,
  })
  return open
}

describe('a replay', () => {
  test('of a failed set-up reruns the suite it belongs to', { timeout: 120_000 }, () => {
    const project = withTest(`import { beforeAll } from 'vitest'
${testImports}
describe('with a database', () => {
  beforeAll(() => { throw new Error('no database in ' + process.cwd()) })
  test('runs', () => {})
})
`)
    project.vitest()
    const bundle = failureBundles(project)[0]?.folder ?? ''
    const replay = project.faultline('replay', bundle)
    expect([replay.code, replay.stdout.split('\n')[0]], replay.stderr).toEqual([
      1,
      'reproduced: no database in <root>',
    ])
  })

  test('of a test that is not there any more is an error, not a pass', { timeout: 120_000 }, () => {
    const project = withTest(failing)
    project.vitest()
    const bundle = failureBundles(project)[0]?.folder ?? ''
    project.write('release.test.ts', failing.replace('release survives', 'the release survives'))
    const replay = project.faultline('replay', bundle)
    expect([replay.code, replay.stdout]).toEqual([2, ''])
    expect(replay.stderr).toMatch(/^error\[BUNDLE_INVALID\]: The test 'release survives/)
  })
})
