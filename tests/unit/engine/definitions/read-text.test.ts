import { describe, expect, test } from 'vitest'
import { loadText, refusal } from './load.ts'

const oneStep = 'steps: [{ id: a, agent: x }]\n'

describe('text that is refused', () => {
  const table: readonly (readonly [string, string, string])[] = [
    [
      'longer than 1 MiB',
      `id: flow\n#${'x'.repeat(1_048_576)}`,
      'flow.yaml:1:1: the file is longer than 1048576 characters',
    ],
    [
      'too many signs',
      `[${','.repeat(500_000)}`,
      'flow.yaml:1:1: the file holds more than 400000 words and signs',
    ],
    ['nested lists', `id: ${'['.repeat(70)}`, 'flow.yaml:1:70: is nested deeper than 64 levels'],
    [
      'nested lists beyond every stack',
      `id: ${'['.repeat(100_000)}`,
      'flow.yaml:1:70: is nested deeper than 64 levels',
    ],
    ['nested dashes', `id:\n${'- '.repeat(70)}x`, 'flow.yaml:2:131: is nested deeper than 64 levels'],
    [
      'nested values',
      `id: ${'[ '.repeat(65)}1${']'.repeat(65)}`,
      'flow.yaml:1:135: is nested deeper than 64 levels',
    ],
    ['an alias without an anchor', 'id: *flow\n', 'flow.yaml:1:5: the alias *flow names no anchor before it'],
    [
      'an alias before its anchor',
      'id: *x\nname: &x flow\n',
      'flow.yaml:1:5: the alias *x names no anchor before it',
    ],
    ['an alias inside its own anchor', 'id: &x [*x]\n', 'flow.yaml:1:9: is nested deeper than 64 levels'],
    [
      'a key that is written twice',
      `id: a\nid: b\n${oneStep}`,
      `flow.yaml:2:1: the key 'id' is written twice in the same map; keep one`,
    ],
    [
      'a key that is a list',
      `id: a\n? [b]\n: c\n`,
      'flow.yaml:2:3: this key cannot be read: it must be text',
    ],
    [
      'a merge key',
      'base: &b { x: 1 }\n<<: *b\n',
      'flow.yaml:2:1: this key cannot be read: the merge key << is not supported',
    ],
    ['an unknown tag', 'id: !secret x\n', 'flow.yaml:1:5: this is not valid YAML: Unresolved tag: !secret'],
    ['a number that JSON has not', `id: a\nscore: .nan\n`, `flow.yaml:2:8: '.nan' cannot be kept as JSON`],
    ['two documents', `id: a\n---\nid: b\n`, 'flow.yaml:2:1: the file holds more than one YAML document'],
  ]
  test.each(table)('%s', async (_, text, expected) => {
    expect((await refusal(text)).split('\n')[0]).toBe(expected)
  })

  test('aliases that multiply', async () => {
    const levels = Array.from({ length: 12 }, (_, index) =>
      index === 0 ? 'l0: &l0 [x, x, x, x]' : `l${index}: &l${index} [${`*l${index - 1}, `.repeat(4)}]`,
    )
    expect(await refusal(`id: flow\n${oneStep}${levels.join('\n')}\n`)).toBe(
      'flow.yaml:3:9: its aliases stand for more than 10000 values',
    )
  })
})

test('aliases stand for what was anchored last before them', async () => {
  const { definition } = await loadText(
    `id: flow\n${oneStep}first: &x [&y 1]\nsecond: &y 2\nthird: [*x, *y]\nfourth: &x 3\nfifth: *x\n`,
  )
  expect(definition.metadata).toEqual({ first: [1], second: 2, third: [[1], 2], fourth: 3, fifth: 3 })
})

test('a problem inside an alias is shown where the anchor stands', async () => {
  const text = 'id: flow\nshared: &paths [../x]\nsteps:\n  - { id: a, agent: x, creates: *paths }\n'
  expect(await refusal(text)).toBe(
    `flow.yaml:2:17: steps[0].creates[0] cannot be used. The artifact path '../x' leaves its folder: it must not contain '..'.`,
  )
})

test('JSON with tabs, a byte order mark and Windows line ends is read', async () => {
  const text =
    '\uFEFF{\r\n\t"id": "flow",\r\n\t"steps": [\r\n\t\t{ "id": "a", "agent": "x", "timeout": 0 }\r\n\t]\r\n}\r\n'
  expect(await refusal(text, 'flow.json')).toBe(
    'flow.json:4:30: steps[0].timeout must be at least 1 ms, not 0',
  )
  expect((await loadText(text.replace('"timeout": 0', '"timeout": 1'), 'flow.json')).definition.id).toBe(
    'flow',
  )
})

test('keys that are numbers are read as they were written', async () => {
  const { definition } = await loadText(
    'id: flow\nversion: 1.10\nsteps: [{ id: a, agent: x, parameters: { 1: one, 2.50: two, 0x10: three } }]\n',
  )
  expect(definition.steps[0]?.parameters).toEqual({ '1': 'one', '2.50': 'two', '0x10': 'three' })
  expect(definition.version).toBe('1.10')
})
