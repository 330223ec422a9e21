import { describe, expect, test } from 'vitest'
import { project } from '../../support/run-folder.ts'
import { reviewed } from '../../support/workflows.ts'

const orders = `id: orders
name: Orders
workflow_data:
  nodes:
    - { id: start, type: trigger, title: An order arrives }
    - { id: check, type: check, config: { agent: checker, strict: true } }
    - { id: ship, type: http, config: { url: 'https://ship.example' } }
    - { id: refuse, type: mail }
    - { id: log, type: log, condition: always }
  connections:
    - { source: start, target: check }
    - { source: check, target: ship, condition: 'total > 1 && kind != "gift"' }
    - { source: check, target: refuse, condition: 'ok == false' }
    - { source: ship, target: log }
    - { source: refuse, target: log }
    - { source: start, target: log, condition: on_failure }
`

const pipelines = `services:
  api: { url: 'http://localhost:8000' }
workflows:
  nightly:
    steps:
      - { type: health, service: api }
      - { type: test, service: api, parallel: true, retries: 2 }
      - { type: lint, parallel: true }
      - { type: report }
  weekly:
    steps: [{ type: audit }]
`

describe('faultline validate', () => {
  test('says what a valid file of each dialect holds, and writes nothing', () => {
    const folder = project({ 'note.yaml': reviewed.yaml, 'orders.yaml': orders, 'services.yaml': pipelines })
    const before = folder.files()
    const said = ['note.yaml', 'orders.yaml', 'services.yaml'].map((file) =>
      folder.faultline('validate', file),
    )
    expect(said.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ])
    expect(said.map(({ stdout }) => stdout).join('')).toBe(
      `note.yaml: agent workflow 'note' is valid: 4 steps, 3 dependencies, 1 gate
orders.yaml: graph 'orders' is valid: 5 steps, 6 dependencies, 4 conditions
services.yaml: service pipeline 'nightly' is valid: 4 steps, 4 dependencies
services.yaml: service pipeline 'weekly' is valid: 1 step, 0 dependencies
`,
    )
    expect(folder.files()).toEqual(before)
    expect(folder.faultline('validate', 'services.yaml', '--workflow', 'weekly').stdout).toBe(
      `services.yaml: service pipeline 'weekly' is valid: 1 step, 0 dependencies\n`,
    )
  })

  test('names every problem by file, line and path, counts them, and exits with 2', () => {
    const steps = Array.from({ length: 7 }, (_, index) => `  - { id: s${index}, agent: x, next: nowhere }\n`)
    const folder = project({
      'bad.yaml': `id: bad\nsteps:\n${steps.join('')}`,
      'services.yaml': pipelines
        .replace('type: audit', 'type: audit, retries: -1')
        .replace('retries: 2', 'retry: 2'),
      'broken.yaml': 'id: [',
    })
    const bad = folder.faultline('validate', 'bad.yaml')
    expect([bad.code, bad.stdout]).toEqual([2, ''])
    expect(bad.stderr.trimEnd().split('\n')).toEqual([
      ...steps.map((_, index) =>
        expect.stringMatching(
          `^bad\\.yaml:${index + 3}:\\d+: steps\\[${index}\\]\\.next names no step: 'nowhere'`,
        ),
      ),
      '7 problems',
    ])
    const services = folder.faultline('validate', 'services.yaml')
    expect([services.code, services.stdout]).toEqual([2, ''])
    expect(services.stderr).toMatch(
      /^services\.yaml:7:\d+: workflows\.nightly\.steps\[1\]\.retry is not a known key.*\nservices\.yaml:11:\d+: workflows\.weekly\.steps\[0\]\.retries must be a whole number.*\n2 problems\n$/,
    )
    const broken = folder.faultline('validate', 'broken.yaml')
    expect([broken.code, broken.stderr]).toEqual([
      2,
      expect.stringMatching(/^broken\.yaml:1:\d+: .*\n1 problem\n$/),
    ])
    const missing = folder.faultline('validate', 'none.yaml')
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('error[FILE_NOT_FOUND]')])
  })

  test('warns of a built-in step that would be refused, unless an agent replaces it', () => {
    const folder = project({
      'ask.yaml': 'id: ask\nsteps:\n  - { id: ask, agent: http, parameters: { urll: /x } }\n',
    })
    const { code, stdout, stderr } = folder.faultline('validate', 'ask.yaml')
    expect([code, stdout]).toEqual([0, `ask.yaml: agent workflow 'ask' is valid: 1 step, 0 dependencies\n`])
    expect(stderr).toMatch(
      /^warning: ask\.yaml:3: Step 'ask' .*urll.* unless an agent of yours is named 'http'\.\n$/,
    )
  })
})

describe('faultline graph', () => {
  test('draws each dialect as a flowchart and as a picture, always with the same bytes', async () => {
    const folder = project({ 'note.yaml': reviewed.yaml, 'orders.yaml': orders, 'services.yaml': pipelines })
    const drawn = async (name: string, ...args: readonly string[]): Promise<void> => {
      for (const [format, ending] of [
        ['mermaid', 'mmd'],
        ['svg', 'svg'],
      ] as const) {
        const { code, stdout, stderr } = folder.faultline('graph', ...args, '--format', format)
        expect([code, stderr]).toEqual([0, ''])
        await expect(stdout).toMatchFileSnapshot(`../../golden/graph/${name}.${ending}`)
      }
    }
    await drawn('note', 'note.yaml')
    await drawn('orders', 'orders.yaml')
    await drawn('nightly', 'services.yaml', '--workflow', 'nightly')
    const mermaid = folder.faultline('graph', 'note.yaml')
    await expect(mermaid.stdout).toMatchFileSnapshot('../../golden/graph/note.mmd')
  })

  test('exits with 2 for a format that there is not, and when it is not said which workflow', () => {
    const folder = project({ 'services.yaml': pipelines })
    const format = folder.faultline('graph', 'services.yaml', '--format', 'png')
    expect([format.code, format.stderr]).toEqual([2, expect.stringContaining('mermaid, svg')])
    const which = folder.faultline('graph', 'services.yaml')
    expect([which.code, which.stderr]).toEqual([
      2,
      expect.stringContaining(`name one of 'nightly', 'weekly'`),
    ])
  })
})
