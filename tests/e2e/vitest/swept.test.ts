import { expect, inject, onTestFinished, test } from 'vitest'
import { configWith, failureBundles } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'

/** An invariant of one's own that no run with a crash of the build keeps. */
const swept = `import { expect, test } from 'faultline/vitest'
import { defineInvariant, sweepFaults } from 'faultline'

const neverTwice = defineInvariant({
  name: 'never-twice',
  title: 'the build is executed once',
  check({ evidence }, verdict) {
    const builds = evidence.executions.filter(({ step }) => step === 'build')
    if (builds.length > 1) verdict.broken('The build was executed twice.')
  },
})

test('survives every crash', async ({ project, agents }) => {
  const { findings } = await sweepFaults('workflows/release.yaml', {
    project, agents, families: ['crash'], tier: 'smoke', stopAt: 'first-finding', minimise: false, invariants: [neverTwice],
  })
  expect(findings).toEqual([])
})
`

test(
  'a test whose sweep finds something leaves a bundle with the run that was found, and replays',
  {
    timeout: 180_000,
  },
  () => {
    const project = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'vitest.config.ts': configWith(),
      'swept.test.ts': swept,
    })
    onTestFinished(() => project.remove())
    const { stdout, stderr } = project.vitest()
    const [bundle] = failureBundles(project)
    expect(bundle?.manifest, stdout + stderr).toMatchObject({
      reason: 'invariant',
      sessions: [{ status: 'completed', disk: 'simulated' }],
      notes: [expect.stringMatching(/^crash \S+ at 1\/\S+: never-twice: The build was executed twice\.$/)],
    })
    expect(bundle?.text('events.jsonl')).toContain('"kind":"workflow_resume"')
    expect(bundle?.files).toContain('state/before-resume-1.json')

    const same = project.faultline('replay', bundle?.folder ?? '')
    expect([same.code, same.stdout.split(':')[0]], same.stderr).toEqual([1, 'reproduced'])
    project.write('swept.test.ts', swept.replace('length > 1', 'length > 9'))
    const gone = project.faultline('replay', bundle?.folder ?? '')
    expect([gone.code, gone.stdout], gone.stderr).toEqual([0, 'passes now\n'])
  },
)
