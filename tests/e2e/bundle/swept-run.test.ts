import { expect, inject, onTestFinished, test } from 'vitest'
import { failureBundles } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'

/** The invoice needs the prices and does not say so. */
const hasty = `id: invoice
steps:
  - { id: prices, agent: pricer, requires: [] }
  - { id: invoice, agent: biller, requires: [] }
`
const hastyAgents = (biller: string): string => `export const agents = {
  pricer: ({ artifacts }) => artifacts.write('prices.json', '[12]'),
  async biller({ artifacts }) { ${biller} },
}
`

test('a finding of the order of agents replays as well', { timeout: 120_000 }, () => {
  const known = `const known = (await artifacts.list()).includes('prices.json')`
  const project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'invoice.yaml': hasty,
    'faultline.agents.mjs': hastyAgents(
      `${known}; await artifacts.write('invoice.txt', known ? '12' : 'none')`,
    ),
  })
  onTestFinished(() => project.remove())
  const swept = project.faultline('sweep', 'invoice.yaml', '--family', 'schedule')
  expect(swept.code, swept.stdout + swept.stderr).toBe(1)
  const [{ folder, manifest } = expect.unreachable('there is a bundle')] = failureBundles(project)
  expect(manifest).toMatchObject({
    reason: 'invariant',
    run: { sweep: { faults: [{ family: 'schedule' }] } },
  })
  const replayed = (biller?: string): readonly [number | null, string] => {
    if (biller !== undefined) project.write('faultline.agents.mjs', hastyAgents(biller))
    const { code, stdout, stderr } = project.faultline('replay', folder)
    return [code, stdout + stderr]
  }
  expect(replayed()).toEqual([1, expect.stringMatching(/^reproduced: .*invoice\.txt/)])
  expect(replayed(`${known}; await artifacts.write('invoice.txt', 'to follow')`)).toEqual([0, 'passes now\n'])
  expect(replayed(`${known}; await artifacts.write('invoice.txt', known ? '13' : 'none')`)).toEqual([
    3,
    expect.stringMatching(/^diverged at event \d+/),
  ])
  expect(replayed(`await artifacts.write('invoice.txt', 'to follow')`)).toEqual([
    3,
    expect.stringMatching(
      /^diverged before the faults: the run no longer comes to 1\/invoice#1@1:files\.list/,
    ),
  ])
})

const flow = `id: flow
steps:
  - { id: price, agent: pricer, creates: [price.txt], next: bill }
  - { id: bill, agent: biller, creates: [bill.txt] }
`

/** What the second attempt writes is not what the first would have written. */
const agents = (content: string): string => `export const agents = {
  pricer: ({ artifacts, attempt }) => artifacts.write('price.txt', ${content}),
  biller: ({ artifacts }) => artifacts.write('bill.txt', 'to pay'),
}
`

test(
  'a finding of a sweep leaves a bundle whose replay lets the same faults strike again',
  {
    timeout: 120_000,
  },
  () => {
    const project = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'flow.yaml': flow,
      'faultline.agents.mjs': agents(`'try ' + attempt`),
    })
    onTestFinished(() => project.remove())
    const swept = project.faultline('sweep', 'flow.yaml', '--family', 'crash', '--tier', 'smoke')
    expect([swept.code, swept.stderr], swept.stdout).toEqual([1, expect.stringContaining('FAILED flow.yaml')])
    const bundles = failureBundles(project)
    expect(bundles.length).toBeGreaterThan(0)
    const [{ folder, text, manifest } = expect.unreachable('there is a bundle')] = bundles
    expect(manifest).toMatchObject({
      reason: 'invariant',
      run: { workflowFile: 'flow.yaml', sweep: { faults: [{ family: 'crash' }], mock: false } },
      notes: [expect.stringMatching(/^What struck: crash \S+ at 1\//)],
      errors: expect.arrayContaining([
        expect.objectContaining({
          name: 'O1',
          message: expect.stringContaining(`File 'price.txt' has other bytes`),
        }),
      ]),
    })
    expect(text('events.jsonl')).toContain('"kind":"workflow_resume"')
    expect(swept.stderr).toContain(`npx faultline replay ${folder}`)

    const before = project.files(folder)
    const same = project.faultline('replay', folder)
    expect([same.code, same.stdout], same.stderr).toEqual([
      1,
      expect.stringMatching(/^reproduced: .*price\.txt/),
    ])
    expect(project.files(folder)).toEqual(before)
    project.write('faultline.agents.mjs', agents(`'the same'`))
    const mended = project.faultline('replay', folder)
    expect([mended.code, mended.stdout], mended.stderr).toEqual([0, 'passes now\n'])
    project.write('faultline.agents.mjs', agents(`'Try ' + attempt`))
    const other = project.faultline('replay', folder)
    expect([other.code, other.stdout], other.stderr).toEqual([
      3,
      expect.stringMatching(/^diverged at event \d+/),
    ])
  },
)
