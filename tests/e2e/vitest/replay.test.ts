import { afterEach, describe, expect, inject, test } from 'vitest'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

const config = `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
export default defineConfig({ plugins: [faultline()] })
`

const imports = `import { beforeAll } from 'vitest'
import { describe, expect, test } from 'faultline/vitest'
import { agentError } from 'faultline/fault-injection'
import { runWorkflowStepByStep } from 'faultline'
`

const failing = `${imports}
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
    'vitest.config.ts': config,
    'release.test.ts': text,
  })
  return open
}

function bundlesOf(project: Stranger): readonly string[] {
  return project
    .files('faultline-bundles')
    .filter((path) => /^faultline-bundles\/[^/]+\/[^/]+\/manifest\.json$/.test(path))
    .map((path) => path.slice(0, -'/manifest.json'.length))
}

describe('a replay', () => {
  test('of a failed set-up reruns the suite it belongs to', () => {
    const project = withTest(`${imports}
describe('with a database', () => {
  beforeAll(() => { throw new Error('no database') })
  test('runs', () => {})
})
`)
    project.vitest()
    const [bundle = ''] = bundlesOf(project)
    const replay = project.faultline('replay', bundle)
    expect([replay.code, replay.stdout.split('\n')[0]], replay.stderr).toEqual([1, 'reproduced: no database'])
  })

  test('of a test that is not there any more is an error, not a pass', () => {
    const project = withTest(failing)
    project.vitest()
    const [bundle = ''] = bundlesOf(project)
    project.write('release.test.ts', failing.replace('release survives', 'the release survives'))
    const replay = project.faultline('replay', bundle)
    expect([replay.code, replay.stdout]).toEqual([2, ''])
    expect(replay.stderr).toMatch(/^error\[BUNDLE_INVALID\]: The test 'release survives/)
  })
})
