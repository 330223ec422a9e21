import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import { contents, project } from '../../support/run-folder.ts'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'

const flow = `id: flow
steps:
  - { id: write, agent: writer, creates: [out/text.txt], next: print }
  - { id: print, agent: printer }
`

function agents(printer: string): string {
  return `export const agents = {
  writer: ({ artifacts }) => artifacts.write('out/text.txt', 'text'),
  printer() { ${printer} },
}
`
}

/** The bundle that a failed command has left. */
function bundleOf({ stdout }: Ended): string {
  return /^ +bundle +(\S+)$/m.exec(stdout)?.[1] ?? ''
}

function told({ code, stdout, stderr }: Ended): readonly unknown[] {
  return [code, stdout.trimEnd().split('\n').at(-1), stderr]
}

/** Everything in a bundle, by path. */
function filesOf(folder: Stranger, bundle: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(contents(folder)).filter(([path]) => path.startsWith(`${bundle}/`)),
  )
}

describe('the replay of a run', () => {
  test('shows step by step what it does, and where it leaves the recording', () => {
    const folder = project({
      'flow.yaml': flow,
      'faultline.agents.mjs': agents(`throw new Error('no paper')`),
    })
    const bundle = bundleOf(folder.faultline('run', 'flow.yaml'))
    const same = folder.faultline('replay', bundle, '--step')
    expect(told(same)).toEqual([1, 'reproduced: print failed: no paper', ''])
    expect(same.stdout).toMatch(
      /write#1@1 completed in .*\n {6}output {2}null\n {6}wrote {3}out\/text\.txt \(4 bytes\)\n {6}as recorded\n/,
    )
    folder.write('faultline.agents.mjs', agents(`throw new Error('no ink')`))
    const other = folder.faultline('replay', bundle, '--step')
    const divergence = `diverged at event 6 (step_fail print#1@1): error.message was 'no paper', now 'no ink'`
    expect(told(other)).toEqual([3, divergence, ''])
    expect(other.stdout).toContain(`      ${divergence}\n`)
    expect(other.stdout).toContain(`      after the recording was left\n`)
  })

  test('is compared with itself when asked, and never touches bundle or project', () => {
    const folder = project({
      'flow.yaml': flow,
      'faultline.agents.mjs': agents(`throw new Error(process.env.CHANCE ?? 'no paper')`),
    })
    const bundle = bundleOf(folder.faultline('run', 'flow.yaml'))
    const before = contents(folder)
    const steady = folder.faultline('replay', bundle, '--check-determinism')
    expect([steady.code, steady.stdout]).toEqual([
      1,
      'deterministic: two replays did the same\nreproduced: print failed: no paper\n',
    ])
    expect(contents(folder)).toEqual(before)
    folder.write('faultline.agents.mjs', agents(`throw new Error('paper ' + performance.now())`))
    expect(told(folder.faultline('replay', bundle, '--check-determinism'))).toEqual([
      3,
      expect.stringMatching(/^not deterministic: two replays diverged at event 6 \(step_fail print#1@1\)/),
      '',
    ])
  })

  test('goes on from before a resume, in another process than the one that injected the first failure', () => {
    const folder = project({
      'flow.yaml': flow,
      'faultline.agents.mjs': agents(`throw new Error('no paper')`),
    })
    const first = bundleOf(folder.faultline('run', 'flow.yaml', '--fault', 'agent-error:print'))
    const resumed = folder.faultline('resume')
    const bundle = bundleOf(resumed)
    expect(bundle).not.toBe(first)
    expect(resumed.stdout).toContain(`npx faultline replay ${bundle} --from before-resume-1\n`)
    const from = ['replay', bundle, '--from', 'before-resume-1'] as const
    const again = folder.faultline(...from, '--step')
    expect(told(again)).toEqual([1, 'reproduced: print failed: no paper', ''])
    expect(again.stdout).toMatch(/^\n +8 .* resumed: restarts print\n {6}as recorded\n/)
    expect(again.stdout).not.toContain('write#1@1 started')

    folder.write('faultline.agents.mjs', agents(`throw new Error('no ink')`))
    expect(told(folder.faultline(...from))[1]).toMatch(/^diverged at event 10 \(step_fail print#1@2\)/)
    folder.write('faultline.agents.mjs', agents(''))
    expect(told(folder.faultline(...from))).toEqual([0, 'passes now', ''])
    expect(told(folder.faultline('replay', bundle, '--from', 'before-resume-2'))).toEqual([
      2,
      '',
      expect.stringMatching(/cannot be replayed from 'before-resume-2': Did you mean 'before-resume-1'\?/),
    ])
    folder.write(`${bundle}/artifacts/out/text.txt`, 'other')
    expect(told(folder.faultline(...from))[2]).toMatch(/it does not hold 'out\/text\.txt' as it was then/)
  })

  test('goes on where the run keeps its state, with outputs from files of their own, if the bundle has them whole', () => {
    const writing = (output: string): string => `export const agents = {
      writer: () => (${output}),
      printer({ outputs }) { throw new Error('no paper for ' + outputs.write.text.length) },
    }`
    const reproduced = (output: string): Ended => {
      const folder = project({
        'flow.yaml': flow.replace(', creates: [out/text.txt]', ''),
        'faultline.agents.mjs': writing(output),
      })
      folder.faultline('run', 'flow.yaml', '--fault', 'agent-error:print', '--state-dir', 'var/runs')
      const bundle = bundleOf(folder.faultline('resume', '--state-dir', 'var/runs'))
      return folder.faultline('replay', bundle, '--from', 'before-resume-1')
    }
    // More than 64 KiB, in fewer characters.
    expect(told(reproduced(`{ text: 'é'.repeat(40_000) }`))).toEqual([
      1,
      'reproduced: print failed: no paper for 40000',
      '',
    ])
    expect(told(reproduced(`{ text: 'x'.repeat(100_000) }`))).toEqual([
      2,
      '',
      expect.stringMatching(/it does not hold the output of write#1@1 as it was then/),
    ])
  })

  test('reproduces outputs that were too large for the bundle', () => {
    const folder = project({
      'flow.yaml': flow.replace(', creates: [out/text.txt]', ''),
      'faultline.agents.mjs': `export const agents = {
        writer: () => ({ text: 'x'.repeat(100_000) }),
        printer() { throw new Error('no paper') },
      }`,
    })
    const bundle = bundleOf(folder.faultline('run', 'flow.yaml'))
    expect(folder.read(`${bundle}/events.jsonl`)).toContain('"truncated"')
    expect(told(folder.faultline('replay', bundle))).toEqual([1, 'reproduced: print failed: no paper', ''])
  })
})

describe('the replay of a test', () => {
  const failing = `${testImports}
test.override('template', 'medium')('release survives', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep('workflows/release.yaml', {
    project, agents, faults: [agentError('review', { message: 'model overloaded' }), agentError('review', { attempt: 2 })],
  })
  await session.runToEnd()
  await session.resume()
  await session.runToEnd()
  await session.resume()
  await session.runToEnd()
  expect(session).toHaveRun('review', 1)
})
test('release is crashed', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [agentError('review')] })
  await session.runToEnd()
  await session.resume()
  await session.runUntil('review')
  await session.crash({ disk: 'power-min' })
  await session.resume()
  await session.runToEnd()
  expect(session).toHaveRun('review', 9)
})
`

  test('goes step by step, from a snapshot, and warns of what has changed', { timeout: 240_000 }, () => {
    const open = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'vitest.config.ts': configWith(),
      'release.test.ts': failing,
      '.git/HEAD': `${'a'.repeat(40)}\n`,
    })
    onTestFinished(() => open.remove())
    open.vitest()
    const named = (fullName: string): string =>
      failureBundles(open).find(({ manifest }) => manifest.test.fullName === fullName)?.folder ?? ''
    const bundle = named('release survives')
    const { versions } = JSON.parse(open.read(`${bundle}/manifest.json`)) as {
      readonly versions: Readonly<Record<string, unknown>>
    }
    expect(versions).toMatchObject({
      commit: 'a'.repeat(40),
      template: { name: 'medium', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    const manifest = open.read(`${bundle}/manifest.json`)
    open.write('.git/HEAD', `${'b'.repeat(40)}\n`)
    open.write(
      `${bundle}/manifest.json`,
      manifest
        .replace(/"node": "[^"]+"/, '"node": "18.0.0"')
        .replace(/"vitest": "[^"]+"/, '"vitest": "3.0.0"')
        .replace(/("name": "medium",\s+"sha256": ")\w+/, '$1000'),
    )
    const kept = filesOf(open, bundle)
    const steps = open.faultline('replay', bundle, '--step')
    expect(steps.stderr.replaceAll(/replayed with \d\S+/g, 'replayed with <now>')).toBe(
      `warning: recorded with commit aaaaaaaaaa, replayed with bbbbbbbbbb
warning: recorded with Node 18.0.0, replayed with <now>
warning: recorded with Vitest 3.0.0, replayed with <now>
warning: the template 'medium' has changed since the recording
`,
    )
    expect(steps.code).toBe(1)
    expect(steps.stdout.match(/^ {6}as recorded$/gm)?.length).toBeGreaterThan(5)
    expect(steps.stdout).toMatch(/reproduced: expected step 'review' to have run 1 times; .*\n$/)
    expect(filesOf(open, bundle)).toMatchObject(kept)

    const from = open.faultline('replay', bundle, '--from', 'before-resume-1')
    expect([from.code, from.stdout]).toEqual([1, 'reproduced: the run completed\n'])
    // A crash is none of the run's own doing: the life that it ended is what is replayed.
    const crashed = ['before-resume-1', 'before-resume-2'].map((snapshot) =>
      told(open.faultline('replay', named('release is crashed'), '--from', snapshot)).slice(0, 2),
    )
    expect(crashed).toEqual([
      [1, 'reproduced: the run came to where it was crashed'],
      [1, 'reproduced: the run completed'],
    ])
  })
})
