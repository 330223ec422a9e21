import { describe, expect, test } from 'vitest'
import { loadWorkflow, workflowFromText, workflowNames } from '../../../../src/engine/definitions/index.ts'
import { edgeWords, loadText, refusal } from './load.ts'

const services = `services:
  api: { url: 'http://localhost:8000' }
  web: { url: 'http://localhost:3000' }
`

function pipeline(steps: string): string {
  return `${services}workflows:\n  nightly:\n    steps:\n${steps}`
}

describe('a service pipeline', () => {
  test('becomes a chain of steps with the defaults of its services and steps', async () => {
    const text = pipeline(`      - { type: health, service: api }
      - { type: test, service: api, parallel: true, retries: 2, retry_delay: 1.5, timeout: 60 }
      - { type: test, service: web, parallel: true }
      - { type: verify, service: api, condition: has_failures }
      - { type: report, id: summary, condition: always, parallel: false }
`)
    const { dialect, definition } = await loadText(text)
    const usual = {
      requires: [],
      creates: [],
      parameters: {},
      retries: 0,
      retryDelayMs: 1_000,
      timeoutMs: 30_000,
      metadata: {},
    }
    expect(dialect).toBe('service pipeline')
    expect(definition).toEqual({
      id: 'nightly',
      name: 'nightly',
      version: '0.0.0',
      limits: { maxConcurrentSteps: 5 },
      services: { api: { url: 'http://localhost:8000' }, web: { url: 'http://localhost:3000' } },
      steps: [
        { ...usual, id: 'health-api', type: 'health', agent: 'health', service: 'api' },
        {
          ...usual,
          id: 'test-api',
          type: 'test',
          agent: 'test',
          service: 'api',
          retries: 2,
          retryDelayMs: 1_500,
          timeoutMs: 60_000,
        },
        { ...usual, id: 'test-web', type: 'test', agent: 'test', service: 'web' },
        {
          ...usual,
          id: 'verify-api',
          type: 'verify',
          agent: 'verify',
          service: 'api',
          condition: 'has_failures',
        },
        { ...usual, id: 'summary', type: 'report', agent: 'report', condition: 'always' },
      ],
      edges: [
        { from: 'health-api', to: 'test-api' },
        { from: 'health-api', to: 'test-web' },
        { from: 'test-api', to: 'verify-api' },
        { from: 'test-web', to: 'verify-api' },
        { from: 'verify-api', to: 'summary', passesSkipped: true },
      ],
      metadata: {},
    })
  })

  test('numbers the ids of steps that do the same', async () => {
    const step = '      - { type: test, service: api }\n'
    const { definition } = await loadText(pipeline(step.repeat(3)))
    expect(definition.steps.map(({ id }) => id)).toEqual(['test-api', 'test-api-2', 'test-api-3'])
  })

  test.each([
    ['{ type: test, service: apo }', `.service names no service: 'apo'. Did you mean 'api'?`],
    ['{ service: api }', `.type is missing: it must be text`],
    ['{ type: test, retries: -1 }', `.retries must be a whole number from 0 to 1000, not -1`],
    ['{ type: test, timeout: -1 }', `.timeout must be at least 1 ms, not -1`],
    ['{ type: test, retry_delay: -1 }', `.retry_delay must not be negative, not -1`],
    ['{ type: test, parallel: often }', `.parallel must be true or false, not 'often'`],
    [
      '{ type: test, condition: on_sucess }',
      `.condition is 'on_sucess', which is no known condition. Did you mean 'on_success'?`,
    ],
    [
      '{ type: test, condition: sometimes }',
      `.condition is not valid CEL at character 1: Unknown variable: sometimes (sometimes)`,
    ],
    ['{ type: test, paralel: true }', `.paralel is not a known key. Did you mean 'parallel'?`],
    ['{ type: test, colour: blue }', `.colour is not a known key. Known: id, name, type, service,`],
    ['5', ` must be a map, not 5`],
  ])('is refused for the step %s', async (step, expected) => {
    const message = await refusal(pipeline(`      - ${step}\n`))
    expect(message).toMatch(/^flow\.yaml:7:\d+: workflows\.nightly\.steps\[0\]/)
    expect(message).toContain(`workflows.nightly.steps[0]${expected}`)
  })

  test('is refused for a service that is no map, and for workflows that are none', async () => {
    expect(await refusal('services: { api: 5 }\nworkflows: { a: { steps: [{ type: x }] } }\n')).toBe(
      `flow.yaml:1:13: services.api must be a map, not 5`,
    )
    expect(await refusal('services: {}\nworkflows: {}\n')).toBe(
      `flow.yaml:2:1: workflows must hold at least one workflow`,
    )
    expect(await refusal('workflows: { a: [] }\n')).toBe(
      `flow.yaml:1:14: workflows.a must be a map with 'steps', not a list`,
    )
  })
})

describe('of several workflows in a file', () => {
  const both = `${services}workflows:
  nightly: { steps: [{ type: test, service: api }] }
  weekly: { name: Every week, steps: [{ type: test, service: web }] }
`
  test('one is chosen by name', async () => {
    expect(await workflowNames(workflowFromText(both, 'flow.yaml'))).toEqual(['nightly', 'weekly'])
    const { definition } = await loadWorkflow(workflowFromText(both, 'flow.yaml', 'weekly'))
    expect([definition.id, definition.name, definition.steps[0]?.id]).toEqual([
      'weekly',
      'Every week',
      'test-web',
    ])
  })

  test('none is chosen without a name or by a wrong one', async () => {
    expect(await refusal(both)).toBe(
      `flow.yaml:4:1: workflows holds 2 workflows: name one of 'nightly', 'weekly'`,
    )
    expect(await refusal(workflowFromText(both, 'flow.yaml', 'nightli'))).toBe(
      `flow.yaml:4:1: workflows holds no workflow 'nightli'. Did you mean 'nightly'?`,
    )
    const single = 'id: a\nsteps: [{ id: x, agent: y }]\n'
    expect(await workflowNames(workflowFromText(single, 'flow.yaml'))).toBeUndefined()
    expect(await refusal(workflowFromText(single, 'flow.yaml', 'b'))).toBe(
      `flow.yaml:1:1: id is 'a': there is no workflow 'b' here`,
    )
  })
})

describe('neighbours with parallel: true', () => {
  const steps = (flags: string): string =>
    flags
      .split('')
      .map((flag, index) => `  - { id: s${index}, agent: x${flag === 'p' ? ', parallel: true' : ''} }\n`)
      .join('')

  test.each([
    ['---', 's0>s1 s1>s2'],
    ['-pp-', 's0>s1 s0>s2 s1>s3 s2>s3'],
    ['ppp', ''],
    ['pp-pp', 's0>s2 s1>s2 s2>s3 s2>s4'],
    ['-p-', 's0>s1 s1>s2'],
  ])('start together and are waited for together: %s', async (flags, edges) => {
    expect(edgeWords((await loadText(`id: f\nsteps:\n${steps(flags)}`)).definition)).toBe(edges)
  })

  test('are refused where the order is declared', async () => {
    expect(
      await refusal(
        'id: f\nsteps:\n  - { id: a, agent: x, parallel: true, next: b }\n  - { id: b, agent: x }\n',
      ),
    ).toContain('flow.yaml:3:24: steps[0].parallel has a meaning only where steps run in list order')
  })
})
