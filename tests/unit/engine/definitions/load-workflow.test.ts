import { describe, expect, test } from 'vitest'
import { defineWorkflow, loadWorkflow } from '../../../../src/engine/definitions/index.ts'
import type { AgentStep } from '../../../../src/engine/definitions/index.ts'
import { edgeWords, loadText, untyped } from './load.ts'

const chainWithReview = `# A hotfix
workflow:
  id: hotfix
  name: "Hotfix"
  version: 1.0
  type: brownfield
  settings:
    quality_gates: true
    max_concurrent_steps: 2
    timeout: 10m
    step_timeout: 45
  steps:
    - id: find
      agent: debugger
      action: analyze
      requires: []
      creates: [report.md]
      condition: optional
      context_tier: 2
      next: repair
    - id: repair
      agent: coder
      requires: [report.md]
      creates:
        - code/
      next: review
      retries: 2
      retry_delay: 500ms
      timeout: 1.5s
    - id: review
      agent: reviewer
      requires: ['code/']
      scoring:
        enabled: true
        thresholds:
          overall_min: 70
          securityMin: 6.5
      gate:
        condition: "scoring.passed == true"
        on_pass: publish
        on_fail: repair
        note: ask again
      next: publish
    - id: publish
      agent: publisher
      requires: [code/main.js]
      parameters: { channel: stable, dry_run: false }
`

test('a chain with a review gate becomes the canonical form', async () => {
  const { definition } = await loadText(chainWithReview)
  expect(definition).toEqual({
    id: 'hotfix',
    name: 'Hotfix',
    version: '1.0',
    limits: { maxConcurrentSteps: 2, timeoutMs: 600_000 },
    steps: [
      {
        id: 'find',
        agent: 'debugger',
        action: 'analyze',
        requires: [],
        creates: ['report.md'],
        parameters: {},
        retries: 0,
        retryDelayMs: 1_000,
        timeoutMs: 45_000,
        metadata: { condition: 'optional', context_tier: 2 },
      },
      {
        id: 'repair',
        agent: 'coder',
        requires: ['report.md'],
        creates: ['code/'],
        parameters: {},
        retries: 2,
        retryDelayMs: 500,
        timeoutMs: 1_500,
        metadata: {},
      },
      {
        id: 'review',
        agent: 'reviewer',
        requires: ['code/'],
        creates: [],
        parameters: {},
        retries: 0,
        retryDelayMs: 1_000,
        timeoutMs: 45_000,
        scoring: { thresholds: { overall: 70, security: 6.5 } },
        gate: { condition: 'scoring.passed == true', onFail: 'repair', maxLoops: 3 },
        metadata: { gate: { note: 'ask again' }, scoring: { enabled: true } },
      },
      {
        id: 'publish',
        agent: 'publisher',
        requires: ['code/main.js'],
        creates: [],
        parameters: { channel: 'stable', dry_run: false },
        retries: 0,
        retryDelayMs: 1_000,
        timeoutMs: 45_000,
        metadata: {},
      },
    ],
    edges: [
      { from: 'find', to: 'repair' },
      { from: 'repair', to: 'review' },
      { from: 'repair', to: 'publish' },
      { from: 'review', to: 'publish' },
    ],
    metadata: { type: 'brownfield', settings: { quality_gates: true } },
  })
})

test('steps that share nothing run in parallel and join where their files are required', async () => {
  const { definition } = await loadText(`
id: fan
steps:
  - { id: left, agent: a, requires: [], creates: [parts/left/] }
  - { id: right, agent: a, requires: [], creates: [parts/right/] }
  - { id: check-left, agent: b, requires: [parts/left/], creates: [left.json] }
  - { id: check-right, agent: b, requires: [parts/right/], creates: [right.json] }
  - { id: join, agent: c, requires: [left.json, right.json] }
`)
  expect(edgeWords(definition)).toBe('left>check-left right>check-right check-left>join check-right>join')
})

describe('edges', () => {
  const table: readonly (readonly [string, readonly Partial<AgentStep>[], string])[] = [
    ['come from the list when no step declares an order', [{}, {}, {}], 'a>b b>c'],
    ['do not come from the list when one step has an empty requires', [{}, { requires: [] }, {}], ''],
    ['do not come from the list when one step has an empty next', [{ next: [] }, {}, {}], ''],
    ['do not come from the list when one step has an empty dependsOn', [{}, {}, { dependsOn: [] }], ''],
    [
      'come from the list although steps create files',
      [{ creates: ['x'] }, { creates: ['y'] }, {}],
      'a>b b>c',
    ],
    ['follow a single next', [{ next: 'c' }, {}, {}], 'a>c'],
    ['follow a list of next', [{ next: ['b', 'c'] }, {}, {}], 'a>b a>c'],
    [
      'follow dependsOn in either spelling',
      [{}, { dependsOn: 'a' }, { depends_on: ['a', 'b'] }],
      'a>b a>c b>c',
    ],
    [
      'join a required file to the folder around it',
      [{ creates: ['src/'] }, { requires: ['src/a/b.js'] }, {}],
      'a>b',
    ],
    [
      'join a required folder to a file inside it',
      [{ creates: ['src/a.js'] }, {}, { requires: ['src/'] }],
      'a>c',
    ],
    [
      'join a folder that is written with and without its slash',
      [{ creates: ['src/'] }, { requires: ['src'] }, {}],
      'a>b',
    ],
    ['do not join a folder to a longer name', [{ creates: ['src/'] }, { requires: ['src2/a.js'] }, {}], ''],
    [
      'do not join a required file to a file of a longer name',
      [{ creates: ['a.js.map'] }, { requires: ['a.js'] }, {}],
      '',
    ],
    [
      'join paths that are spelt differently',
      [{ creates: ['./src//a.js'] }, { requires: ['src\\a.js'] }, {}],
      'a>b',
    ],
    [
      'leave out what a step requires and creates itself',
      [{ requires: ['x'], creates: ['x'] }, { requires: ['x'] }, {}],
      'a>b',
    ],
    [
      'are given once however often they are declared',
      [{ next: ['b', 'b'], creates: ['x'] }, { requires: ['x'], dependsOn: ['a'] }, {}],
      'a>b',
    ],
    ['are in the order of the steps', [{}, { next: 'c' }, { dependsOn: 'a' }], 'a>c b>c'],
    [
      'lead from a gate to the step that waits for it',
      [{ next: [], gate: { condition: 'true', onPass: 'c' } }, {}, {}],
      'a>c',
    ],
    [
      'lead from a gate in addition to the list',
      [{ gate: { condition: 'true', onPass: 'c' } }, {}, {}],
      'a>b a>c b>c',
    ],
  ]
  test.each(table)('%s', async (_, steps, expected) => {
    const named = steps.map((step, index) => ({ id: 'abc'.charAt(index), agent: 'any', ...step }))
    const { definition } = await loadWorkflow(defineWorkflow({ id: 'flow', steps: named }))
    expect(edgeWords(definition)).toBe(expected)
  })
})

describe('durations', () => {
  const table: readonly (readonly [string, number])[] = [
    ['timeout: 3', 3_000],
    ['timeout: 0.25', 250],
    [`timeout: '250ms'`, 250],
    ['timeout: 2m', 120_000],
    ['timeout: 2 min', 120_000],
    ['timeout: 1.5h', 5_400_000],
    ['timeoutMs: 40', 40],
    ['timeout_ms: 40', 40],
    ['timeout:', 30_000],
  ]
  test.each(table)('%s is a limit in milliseconds', async (line, expected) => {
    const { definition } = await loadText(`{ id: flow, steps: [{ id: a, agent: x, ${line} }] }`)
    expect(definition.steps[0]?.timeoutMs).toBe(expected)
  })
})

test('settings give the defaults of steps that do not set their own', async () => {
  const { definition } = await loadText(`
id: flow
settings: { retries: 4, retry_delay: 0, stepTimeoutMs: 70 }
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, retries: 1, retryDelay: 2, timeout: 3 }
`)
  expect(
    definition.steps.map(({ retries, retryDelayMs, timeoutMs }) => [retries, retryDelayMs, timeoutMs]),
  ).toEqual([
    [4, 0, 70],
    [1, 2_000, 3_000],
  ])
})

test('a workflow in TypeScript and the same in YAML and JSON load alike', async () => {
  const authored = defineWorkflow({
    id: 'flow',
    steps: [
      { id: 'a', agent: 'x', retryDelayMs: 5, gate: { condition: 'output.n > 1', maxLoops: 0, onFail: 'a' } },
      { id: 'b', agent: 'y', depends_on: 'a' },
    ],
  })
  const yaml = `
id: flow
steps:
  - id: a
    agent: x
    retry_delay_ms: 5
    gate: { condition: output.n > 1, max_loops: 0, on_fail: a }
  - id: b
    agent: y
    depends_on: [a]
`
  const json = JSON.stringify(authored.value, null, '\t')
  const [fromCode, fromYaml, fromJson] = await Promise.all([
    loadWorkflow(authored),
    loadText(yaml),
    loadText(json, 'flow.json'),
  ])
  expect(fromYaml.definition).toEqual(fromCode.definition)
  expect(fromJson.definition).toEqual(fromCode.definition)
})

test('keys that mean nothing here are kept where they stood', async () => {
  const { definition } = await loadText(`
schema_version: 3
workflow:
  id: flow
  metadata: { owner: me }
  steps:
    - id: a
      agent: x
      description: first
      metadata: { instruction: do it }
      required: true
      scoring: { enabled: false, weights: [1], thresholds: { overall_min: 5 } }
`)
  expect(definition.metadata).toEqual({ schema_version: 3, metadata: { owner: 'me' } })
  expect(definition.steps[0]).not.toHaveProperty('scoring')
  expect(definition.steps[0]?.metadata).toEqual({
    description: 'first',
    metadata: { instruction: 'do it' },
    required: true,
    scoring: { enabled: false, weights: [1], thresholds: { overall_min: 5 } },
  })
})

test('names and descriptions are kept, and a version that is a number becomes a text', async () => {
  const { definition } = await loadWorkflow(
    untyped({
      id: 'flow',
      description: 'Two words.',
      version: 2,
      steps: [{ id: 'a', name: 'First', agent: 'x' }],
    }),
  )
  expect(definition).toMatchObject({
    name: 'flow',
    description: 'Two words.',
    version: '2',
    steps: [{ id: 'a', name: 'First' }],
  })
})

test('a definition is frozen all the way down and shares nothing with its source', async () => {
  const list = [1]
  const parameters = { deep: { list } }
  const { definition } = await loadWorkflow(
    untyped({ id: 'flow', steps: [{ id: 'a', agent: 'x', parameters }] }),
  )
  list.push(2)
  const [step] = definition.steps
  expect(step?.parameters).toEqual({ deep: { list: [1] } })
  expect(() => Object.assign(step?.parameters['deep'] as object, { list: [] })).toThrow(TypeError)
})

describe('locate', () => {
  const table: readonly (readonly [string, number | undefined])[] = [
    ['id', 3],
    ['version', 5],
    ['limits.timeoutMs', 10],
    ['limits.maxConcurrentSteps', 9],
    ['metadata.type', 6],
    ['steps.repair', 21],
    ['steps.repair.agent', 22],
    ['steps.repair.creates.0', 25],
    ['steps.repair.retryDelayMs', 28],
    ['steps.repair.timeoutMs', 29],
    ['steps.review.gate.condition', 39],
    ['steps.review.gate.onFail', 41],
    ['steps.review.scoring.thresholds.security', 37],
    ['steps.find.metadata.context_tier', 19],
    ['steps.publish.requires.0', 46],
    ['steps.publish.timeoutMs', undefined],
    ['steps.nobody', undefined],
  ]
  test.each(table)('finds %s on line %s', async (path, line) => {
    const loaded = await loadText(chainWithReview)
    expect(loaded.locate(path)).toBe(line === undefined ? undefined : `flow.yaml:${line}`)
  })

  test('finds members of lists, single texts, and the first of paths that are written twice', async () => {
    const loaded = await loadText(`id: flow
steps:
  - id: make
    agent: x
    creates: out/a.txt
    next:
      - read
      - keep
  - id: read
    agent: x
    requires:
      - out/a.txt
      - ./out/a.txt
      - b.txt
    scoring:
      enabled: true
  - id: keep
    depends_on:
      - make
    agent: x
`)
    const paths = ['make.creates.0', 'make.next.1', 'read.requires.0', 'read.requires.1', 'keep.dependsOn.0']
    expect(paths.map((path) => loaded.locate(`steps.${path}`))).toEqual(
      [5, 8, 12, 14, 19].map((line) => `flow.yaml:${line}`),
    )
    expect(loaded.locate('steps.read.scoring.enabled')).toBe('flow.yaml:16')
  })

  test('finds nothing in a workflow that was written in code', async () => {
    const loaded = await loadWorkflow(defineWorkflow({ id: 'flow', steps: [{ id: 'a', agent: 'x' }] }))
    expect(loaded.locate('steps.a')).toBeUndefined()
  })
})
