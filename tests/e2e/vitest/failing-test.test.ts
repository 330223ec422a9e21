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

describe('a failing test', () => {
  test('leaves a bundle with everything in it, and replays', { timeout: 240_000 }, () => {
    const project = withTest(failing)
    const run = project.vitest()
    expect([run.code, run.stderr]).toEqual([1, expect.any(String)])
    const bundle = failureBundles(project)[0]?.folder ?? ''
    const names = project.files(bundle).map((path) => path.slice(bundle.length + 1))
    expect(names.filter((name) => !name.startsWith('artifacts/'))).toMatchInlineSnapshot(`
      [
        "definition.json",
        "events.jsonl",
        "index.html",
        "input.json",
        "logs/log.jsonl",
        "logs/log.txt",
        "manifest.json",
        "plan.json",
        "plan.resolved.json",
        "state/after-resume-1.json",
        "state/at-failure.json",
        "state/before-failure.json",
        "state/before-resume-1.json",
        "summary.md",
        "timeline.jsonl",
        "timeline.md",
      ]
    `)
    expect(names.some((name) => name.startsWith('artifacts/'))).toBe(true)
    expect(run.stdout).toContain(`npx faultline replay ${bundle}`)

    const replay = project.faultline('replay', bundle)
    expect([replay.code, replay.stdout.split('\n')[0]], replay.stderr).toEqual([
      1,
      expect.stringMatching(/^reproduced: expected step 'review' to have run 1 times; it ran 2 times/),
    ])

    project.write('release.test.ts', failing.replace('model overloaded', 'out of tokens'))
    const diverged = project.faultline('replay', bundle)
    expect([diverged.code, diverged.stdout], diverged.stderr).toEqual([
      3,
      expect.stringMatching(
        /^diverged at event \d+ \(step_fail review#1@\d\): error\.message was 'model overloaded', now 'out of tokens'/,
      ),
    ])

    project.write('release.test.ts', failing.replace(`toHaveRun('review', 1)`, `toHaveRun('review', 2)`))
    const passes = project.faultline('replay', bundle)
    expect([passes.code, passes.stdout], passes.stderr).toEqual([0, 'passes now\n'])
  })
})
