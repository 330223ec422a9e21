import { cpSync, existsSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import { contents, project } from '../../support/run-folder.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'
import { reviewed } from '../../support/workflows.ts'

/** A project with so many failed runs, each an hour older than the one before it. */
function withBundles(...steps: readonly string[]): { folder: Stranger; bundles: readonly string[] } {
  const folder = project({ 'flow.yaml': reviewed.yaml })
  const bundles = steps.map((step, index) => {
    const run = folder.faultline(
      'run',
      'flow.yaml',
      '--mock',
      '--fault',
      `agent-error:${step},message=no-${step}`,
    )
    const bundle = /^ +bundle +(\S+)$/m.exec(run.stdout)?.[1] ?? ''
    const hours = (Date.now() - index * 3_600_000) / 1_000
    utimesSync(join(folder.folder, bundle, 'manifest.json'), hours, hours)
    return bundle
  })
  return { folder, bundles }
}

describe('the bundles of a project', () => {
  test('are listed, compared and removed by age and number', () => {
    const { folder, bundles } = withBundles('review', 'build', 'review', 'build')
    const [review = '', build = '', again = '', oldest = ''] = bundles
    folder.write(`${again}/manifest.json`, '{')
    folder.write(`${build}/replays/1/x-a1/manifest.json`, '{}')
    const listed = folder.faultline('bundle', 'list')
    expect([listed.code, listed.stderr]).toEqual([0, ''])
    expect(
      listed.stdout
        .replaceAll(/^ *\d+[smh] {2}/gm, 'age ')
        .trimEnd()
        .split('\n'),
    ).toEqual(
      // The one that was made unreadable a moment ago is the newest.
      [
        [again, 'unreadable        BUNDLE_INVALID'],
        [review, 'run-failed        flow.yaml'],
        [build, 'run-failed        flow.yaml'],
        [oldest, 'run-failed        flow.yaml'],
      ].flatMap(([path, what]) => [`age ${what}`, `      ${path}`]),
    )

    const different = folder.faultline('bundle', 'diff', review, build)
    expect([different.code, different.stderr]).toEqual([1, ''])
    expect(different.stdout).toContain(`error      was 'no-review', now 'no-build'\n`)
    expect(different.stdout).toMatch(
      /^events +diverged at event \d+: was \S+ build#1@1, now step_fail build#1@1$/m,
    )
    expect(different.stdout).toMatch(/^state +at-failure: \d+ differences\n {2}[+~-] /m)
    const same = folder.faultline('bundle', 'diff', build, oldest)
    expect([same.code, same.stdout]).toEqual([0, 'no differences\n'])

    expect(folder.faultline('bundle', 'gc').stderr).toMatch(
      /^error\[CONFIGURATION_INVALID\]: Say what may go/,
    )
    const dry = folder.faultline('bundle', 'gc', '--keep', '1', '--older-than', '90m', '--dry-run')
    expect(dry.stdout).toBe(`would remove  ${oldest}\n`)
    expect(bundles.every((path) => existsSync(join(folder.folder, path)))).toBe(true)
    expect(folder.faultline('bundle', 'gc', '--older-than', '90m').stdout).toBe(`removed  ${oldest}\n`)
    expect(folder.faultline('bundle', 'gc', '--keep', '1').stdout).toBe(
      `removed  ${review}\nremoved  ${build}\n`,
    )
    expect(folder.files('faultline-bundles').every((path) => path.startsWith(`${again}/`))).toBe(true)
  })

  test(
    'are packed for another machine, which replays, shows and compares the ZIP',
    { timeout: 180_000 },
    () => {
      const here = stranger(inject('packedPackage'), {
        'package.json': '{ "name": "stranger", "type": "module" }',
        'vitest.config.ts': configWith(),
        'flow.yaml': reviewed.yaml,
        'release.test.ts': `${testImports}
test.override('template', 'small')('fails twice', { retry: 1 }, async ({ project, agents }) => {
  const session = await runWorkflowStepByStep('workflow.yaml', { project, agents, faults: [agentError('edit')] })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})
`,
      })
      onTestFinished(() => here.remove())
      const sources = stranger(inject('packedPackage'), {})
      onTestFinished(() => sources.remove())
      cpSync(here.folder, sources.folder, { recursive: true })
      here.vitest()
      here.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:review')
      const bundles = failureBundles(here)
      const ofTest = bundles.find(({ folder }) => folder.endsWith('-a2'))?.folder ?? ''
      const ofRun = bundles.find(({ folder }) => folder.includes('flow-yaml'))?.folder ?? ''
      for (const [bundle, name] of [
        [ofTest, 'test.zip'],
        [ofRun, 'run.zip'],
      ] as const) {
        const packed = here.faultline('bundle', 'pack', bundle, '--output', name)
        expect([packed.code, packed.stdout]).toEqual([
          0,
          expect.stringMatching(
            new RegExp(`^${name} {2}\\d+ bytes\nreplay {2}npx faultline replay ${name}\n$`),
          ),
        ])
        expect(here.faultline('bundle', 'pack', bundle, '--output', name).stderr).toMatch(
          /^error\[FILE_WOULD_BE_OVERWRITTEN\]/,
        )
        cpSync(join(here.folder, name), join(sources.folder, name))
      }
      expect(sources.faultline('show', 'run.zip').stdout).toMatch(/^FAILED flow\.yaml\n/)
      expect(sources.faultline('bundle', 'diff', 'run.zip', 'run.zip').stdout).toBe('no differences\n')
      for (const [name, bundle] of [
        ['run.zip', ofRun],
        ['test.zip', ofTest],
      ] as const) {
        const replay = sources.faultline('replay', name)
        expect([replay.code, replay.stdout], replay.stderr).toEqual([
          1,
          expect.stringMatching(/^reproduced: /),
        ])
        const unpacked = sources
          .files('faultline-bundles')
          .filter((path) => path.includes(bundle.split('/').at(-1) ?? ''))
        expect(unpacked.filter((path) => !path.includes('/replays/')).length).toBe(
          here.files(bundle).filter((path) => !path.includes('/replays/')).length,
        )
      }
      const before = contents(sources)
      sources.write('bad.zip', 'no zip')
      expect(sources.faultline('replay', 'bad.zip').stderr).toMatch(
        /^error\[BUNDLE_INVALID\]: 'bad\.zip' is not a packed bundle: /,
      )
      expect(contents(sources)).toEqual({ ...before, 'bad.zip': 'no zip' })
    },
  )
})
