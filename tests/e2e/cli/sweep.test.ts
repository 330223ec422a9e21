import { once } from 'node:events'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'

const pair = `id: pair
steps:
  - { id: prices, agent: pricer, requires: [], creates: [prices.json] }
  - { id: invoice, agent: biller, requires: [], creates: [invoice.txt] }
`

/** The invoice needs the prices, and does not say so. */
const agents = `export const agents = {
  pricer: ({ artifacts }) => artifacts.write('prices.json', '[12]'),
  async biller({ artifacts }) {
    const known = (await artifacts.list()).includes('prices.json')
    await artifacts.write('invoice.txt', known ? await artifacts.readText('prices.json') : '<none>')
  },
}
`

interface Report {
  readonly families: Readonly<
    Record<
      string,
      { readonly hit: number; readonly points: number; readonly scenarios: number; readonly deduped: number }
    >
  >
  readonly findings: readonly unknown[]
  readonly matrix: readonly { readonly family: string; readonly at: string }[]
  readonly postCrashStates: number
  readonly recoveryPaths: number
  readonly complete: boolean
  readonly agentCalls?: { readonly remembered: number }
}

let open: Stranger | undefined

afterEach(() => {
  open?.remove()
  open = undefined
})

function project(): Stranger {
  open = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'pair.yaml': pair,
    'faultline.agents.mjs': agents,
    // What a sweep is not to read into memory.
    'node_modules/large/index.js': '',
  })
  return open
}

function reportOf({ code, stdout, stderr }: Ended): Report {
  expect(code, stdout + stderr).toBe(0)
  return JSON.parse(stdout) as Report
}

const points = ({ matrix }: Report): readonly string[] =>
  matrix.map(({ family, at }) => `${family} ${at}`).sort()

const tried = ({ families }: Report): unknown =>
  Object.entries(families).map(([family, { hit, points: all, scenarios, deduped }]) => [
    family,
    hit,
    all,
    scenarios + deduped,
  ])

describe('faultline sweep', () => {
  test('says of every family what was tried and what there is, and writes nothing but what it was told to', () => {
    const here = project()
    const before = here.files()
    const { code, stdout, stderr } = here.faultline('sweep', 'pair.yaml', '--mock', '--html', 'map.html')
    expect([code, here.files()]).toEqual([0, [...before, 'map.html'].sort()])
    expect(stdout).toMatch(
      /^sweep of pair: tier full, seed 1\nfamily +points hit +scenarios +deduped +findings\n/,
    )
    for (const family of ['crash', 'disk', 'schedule'])
      expect(stdout).toMatch(new RegExp(`^${family} +(\\d+)/\\1 +\\d+ +\\d+ +0$`, 'm'))
    expect(stdout).toMatch(/\nnothing found\n$/)
    expect(stderr).toMatch(/^(?:crash|disk): \d+ of \d+ points, 100 scenarios, 0 findings$/m)
    const page = here.read('map.html')
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    expect(page).not.toMatch(/<script|src=|href=|url\(/)
    expect(page.match(/<tr><th scope="row">/g)?.length).toBeGreaterThan(50)
  })

  test('ends with 1 and tells each finding in a sentence, in text, JSON and page', () => {
    const here = project()
    const sweep = ['sweep', 'pair.yaml', '--family', 'schedule', '--html', 'map.html']
    const { code, stdout } = here.faultline(...sweep)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ schedule 1\/prices#1@1:\S+ first at 1\/invoice#1@1:files\.list:#1$/m)
    expect(stdout).toMatch(/^ {4}O1 {2}.*invoice\.txt/m)
    expect(stdout).toMatch(/\n\d+ findings?\n$/)
    const json = here.faultline(...sweep, '--json')
    expect([json.code, (JSON.parse(json.stdout) as Report).findings.length > 0]).toEqual([1, true])
    const [first, second] = [1, 2].map(() => here.faultline(...sweep, '--corpus', 'plans').stdout)
    expect([first, second]).toEqual([
      expect.not.stringContaining('corpus: '),
      expect.stringMatching(/^corpus: (\d+) plans, \1 still break something, 0 no longer fit$/m),
    ])
    expect(here.read('map.html')).toMatch(/<td class="found" title="found">✗<\/td>/)
  })

  test('can be made in shares by several machines, and their reports put together', () => {
    const here = project()
    const sweep = ['sweep', 'pair.yaml', '--mock', '--tier', 'smoke', '--json', '--remember-agents']
    const whole = reportOf(here.faultline(...sweep))
    // Whatever lies in the project's folder is part of its disk, but for bundles.
    here.write('faultline-bundles/.keep', '')
    const shares = [1, 2].map((share) =>
      reportOf(
        here.faultline(...sweep, '--shard', `${share}/2`, '--report', `faultline-bundles/${share}.json`),
      ),
    )
    expect(shares.map(({ matrix }) => matrix.length > 10)).toEqual([true, true])
    const reports = ['faultline-bundles/1.json', 'faultline-bundles/2.json']
    const merged = reportOf(here.faultline('sweep', '--merge', ...reports, '--json'))
    expect([merged.complete, points(merged), tried(merged)]).toEqual([true, points(whole), tried(whole)])
    expect([merged.postCrashStates, merged.recoveryPaths]).toEqual([
      whole.postCrashStates,
      whole.recoveryPaths,
    ])
    expect(merged.agentCalls?.remembered).toBeGreaterThan(10)
    const half = here.faultline('sweep', '--merge', 'faultline-bundles/2.json')
    expect([half.code, half.stdout]).toEqual([0, expect.stringContaining('share 2 of 2')])
    expect(half.stdout).toMatch(/^agents: called \d+ times \(\d+ to compare\), \d+ times remembered$/m)
    const twice = here.faultline('sweep', '--merge', 'faultline-bundles/2.json', 'faultline-bundles/2.json')
    expect([twice.code, twice.stderr]).toEqual([
      2,
      expect.stringContaining('The reports are not of one sweep: share 2 of 2 is there twice.'),
    ])
  })

  test('stops when its time is up and goes on from its report', () => {
    const here = project()
    const sweep = ['sweep', 'pair.yaml', '--mock', '--tier', 'smoke', '--json']
    const whole = reportOf(here.faultline(...sweep))
    const first = reportOf(here.faultline(...sweep, '--budget', '0ms', '--report', 'r.json'))
    expect([first.complete, first.matrix.length]).toEqual([false, 1])
    const second = reportOf(here.faultline(...sweep, '--budget', '1h', '--report', 'r.json'))
    expect([second.complete, points(second), tried(second)]).toEqual([true, points(whole), tried(whole)])
    expect(second.postCrashStates).toBe(whole.postCrashStates)
    const third = here.faultline(...sweep, '--report', 'r.json')
    expect([third.code, third.stderr]).toEqual([
      0,
      `'r.json' is complete already: remove it to sweep again\n`,
    ])
  })

  test('goes on where it was when it was killed', { timeout: 120_000 }, async () => {
    const here = project()
    const sweep = ['sweep', 'pair.yaml', '--mock', '--family', 'crash', '--json']
    const killed = here.start(...sweep, '--report', 'r.json')
    const died = once(killed, 'exit')
    await vi.waitUntil(() => here.files().includes('r.json') || killed.exitCode !== null, {
      timeout: 120_000,
      interval: 20,
    })
    killed.kill('SIGKILL')
    expect(await died).toEqual([null, 'SIGKILL'])
    const saved = JSON.parse(here.read('r.json')) as Report
    expect([saved.complete, saved.matrix.length > 0]).toEqual([false, true])
    const rest = here.faultline(...sweep, '--report', 'r.json')
    const whole = reportOf(here.faultline(...sweep))
    const resumed = reportOf(rest)
    expect([resumed.complete, points(resumed)]).toEqual([true, points(whole)])
    expect(resumed.postCrashStates).toBe(whole.postCrashStates)
  })

  test('says the same bytes in every process, time zone and language', { timeout: 120_000 }, () => {
    const here = project()
    const said = [
      {},
      { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' },
      { TZ: 'America/St_Johns', LC_ALL: 'C' },
    ].map((env) => here.faultlineWith(env, 'sweep', 'pair.yaml', '--json'))
    const [first] = said
    expect([first?.code, JSON.parse(first?.stdout ?? '')]).toMatchObject([
      1,
      { findings: expect.arrayContaining([expect.objectContaining({ minimised: expect.anything() })]) },
    ])
    expect(said.map(({ stdout }) => stdout === first?.stdout)).toEqual([true, true, true])
  })

  test('is told what people do where a run waits for them', { timeout: 120_000 }, () => {
    const here = project()
    here.write(
      'letter.yaml',
      `id: letter
steps:
  - { id: draft, agent: pricer, requires: [], creates: [prices.json], gate: { human: true } }
  - { id: send, agent: teller, depends_on: draft, parameters: { to: '\${input.name}' } }
`,
    )
    here.write(
      'faultline.agents.mjs',
      agents.replace(
        'export const agents = {',
        'export const agents = { teller: ({ attempt, parameters }) => ({ attempt, parameters }),',
      ),
    )
    const sweep = ['sweep', 'letter.yaml', '--family', 'agent', 'gate', '--json']
    const refused = here.faultline(...sweep)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('(it ended waiting)')])
    const { code, stdout, stderr } = here.faultline(...sweep, '--pass', 'draft', '--provide', 'name=Ada')
    // The teller tells how often it was tried.
    expect(code, stderr).toBe(1)
    expect((JSON.parse(stdout) as Report).matrix.map(({ at }) => at)).toContainEqual(
      expect.stringContaining('/draft#1@1:gate.answer:draft#1'),
    )
    const [, folder = ''] = /npx faultline replay (\S+)/.exec(stderr) ?? []
    expect(here.faultline('replay', folder).stdout).toContain('reproduced')
  })

  test.each<[readonly string[], string]>([
    [['pair.yaml', '--tier', 'huge'], 'Allowed choices are smoke, full, deep.'],
    [['pair.yaml', '--shard', '5/4'], 'it must be like 2/4'],
    [['pair.yaml', '--budget', 'soon'], 'it must be like 500ms, 60s or 5m.'],
    [['pair.yaml', 'pair.yaml'], 'A sweep is of one workflow, and 2 files were named.'],
    [['relaese.yaml'], `There is no workflow file 'relaese.yaml'.`],
    [['--merge', 'package.json'], `'package.json' is not the report of a sweep: its version is undefined`],
    [['--merge', 'pair.yaml'], `'pair.yaml' is not the report of a sweep: `],
  ])('is refused with 2: %j', (args, sentence) => {
    const { code, stdout, stderr } = project().faultline('sweep', ...args)
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(sentence)])
  })
})
