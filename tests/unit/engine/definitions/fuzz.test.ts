import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFaultlineError } from '../../../../src/core/index.ts'
import { loadWorkflow, workflowFromText } from '../../../../src/engine/index.ts'
import { refusal } from './load.ts'

/** `FAULTLINE_FUZZ=100000` for a long search; `FAULTLINE_FUZZ_SEED` for another one. */
const definitions = Number(process.env['FAULTLINE_FUZZ'] ?? 2_000)
const seed = Number(process.env['FAULTLINE_FUZZ_SEED'] ?? 20_261_121)
const options = { seed, numRuns: Math.ceil(definitions / 2) }
const timeout = Math.max(60_000, definitions * 60)

const agentWorkflow = `# comment
workflow:
  id: flow
  version: "1.0"
  settings: { timeout: 5m, on_step_failure: continue }
  input_schema: { type: object, required: [who] }
  steps:
    - id: build
      agent: coder
      creates: [src/, &log build.log]
      requires: []
      next: review
      parameters: { to: "\${input.who} and $\${x}", deep: [{ a: 1 }] }
    - id: review
      agent: reviewer
      requires: [src/, *log]
      scoring: { thresholds: { overall_min: 70 } }
      gate: { condition: "scoring.passed == true", on_fail: build, max_loops: 2 }
      next: done
    - id: done
      agent: finisher
      timeout: 500ms
      condition: "steps['build'].output.n > 1"
      parameters: { text: "\${build.output.items[0].id}" }
      output_schema: { type: array, items: { type: number } }
`

const graph = `id: orders
workflow_data:
  nodes:
    - { id: start, type: trigger, title: An order }
    - { id: check, type: check, config: { agent: checker, strict: true } }
    - { id: ship, type: http, join: any, config: { url: "\${check.output.url}", retries: 1 } }
  edges:
    - { source: start, target: check }
    - { source: check, target: ship, condition: "ok == true && \${input.n} > 1" }
    - { source: start, target: ship, condition: on_failure }
`

const pipelines = `services:
  api: { url: http://localhost }
workflows:
  nightly:
    steps:
      - { type: health, service: api }
      - { type: test, service: api, parallel: true, retries: 2, retry_delay: 1.5 }
      - { type: lint, parallel: true }
      - { type: report, condition: always }
`

const corpus = [agentWorkflow, graph, pipelines]
const words = [...new Set(corpus.flatMap((text) => text.match(/[\w.${}]+/g) ?? []))]

/** What a definition must never do: code that would leave a mark if anything ever ran it. */
const mark = 'faultlineFuzzMark'
const code = `globalThis.${mark} = true`
const nasty: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  `constructor.constructor("${code}")()`,
  `\${constructor.constructor("${code}")()}`,
  `[].constructor.constructor('${code}')() == 1`,
  '${input.__proto__.polluted}',
  '${input.constructor.prototype}',
  '${build.output.__proto__}',
  `!!js/function 'function () { ${code} }'`,
  `<% ${code} %>`,
  '${'.repeat(50),
  '('.repeat(300),
  '!'.repeat(300),
  'a.b'.repeat(300),
  '[0]'.repeat(300),
  '../../etc/passwd',
  '$ref',
  '$id',
  '#',
  'pattern',
  '(',
  '\u0000',
  '\uD800',
  '1e999',
  '-0',
  '9'.repeat(400),
  'x'.repeat(20_000),
]

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype]
const ownNames = prototypes.map((prototype) => Reflect.ownKeys(prototype).length)

interface Outcomes {
  loaded: number
  refused: number
}

/** A search that hardly ever gets through the first check, or past none, would prove nothing. */
function expectBoth({ loaded, refused }: Outcomes): void {
  expect(Math.min(loaded, refused)).toBeGreaterThan(definitions / 50)
}

async function loadsOrIsRefused(text: string, outcomes: Outcomes): Promise<void> {
  try {
    const { definition } = await loadWorkflow(workflowFromText(text, 'flow.yaml'))
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition)
    expect(Object.isFrozen(definition.steps)).toBe(true)
    outcomes.loaded++
  } catch (error) {
    if (!isFaultlineError(error, 'DEFINITION_INVALID')) throw error
    const whole = /^(?:(?:flow\.yaml:\d+:\d+: \S.*|and \d+ more)(?:\n|$))+$/
    if (!whole.test(error.message))
      throw new Error(`This message is malformed: ${error.message}`, { cause: error })
    outcomes.refused++
  }
  expect(mark in globalThis).toBe(false)
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).toEqual(ownNames)
}

const word = fc.oneof(
  fc.constantFrom(...nasty),
  fc.constantFrom(...words),
  fc.string({ maxLength: 6, unit: 'binary' }),
)

const byteChange = fc.record({
  at: fc.nat(2_000),
  remove: fc.nat(2),
  insert: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...'{}[]:,-&*!|>\'"%@`#?$\t\n ~'.split('')) },
    { weight: 1, arbitrary: word },
  ),
})

test(
  'definitions with changed bytes load or are refused, run no code and leave every prototype alone',
  async () => {
    const outcomes: Outcomes = { loaded: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...corpus),
        fc.array(byteChange, { minLength: 1, maxLength: 2 }),
        async (text, changes) => {
          let changed = text
          for (const { at, remove, insert } of changes) {
            const start = at % changed.length
            changed = changed.slice(0, start) + insert + changed.slice(start + remove)
          }
          await loadsOrIsRefused(changed, outcomes)
        },
      ),
      options,
    )
    expectBoth(outcomes)
  },
  timeout,
)

type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree }

const leaf: fc.Arbitrary<Tree> = fc.oneof(
  word,
  fc.constantFrom<Tree>(null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, [], {}),
  fc.integer({ min: 1, max: 200 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Tree),
)

const structureChange = fc.record({
  kind: fc.constantFrom(
    'replace' as const,
    'remove' as const,
    'rename' as const,
    'repeat' as const,
    'move' as const,
  ),
  at: fc.nat(),
  to: fc.nat(),
  key: word,
  value: leaf,
})

interface Place {
  readonly parent: Tree[] | { [key: string]: Tree }
  readonly key: string | number
}

function placesIn(tree: Tree): Place[] {
  if (typeof tree !== 'object' || tree === null) return []
  const keys = Array.isArray(tree) ? [...tree.keys()] : Object.keys(tree)
  return keys.flatMap((key) => [{ parent: tree, key }, ...placesIn(at({ parent: tree, key }))])
}

function at({ parent, key }: Place): Tree {
  return (parent as Record<string | number, Tree>)[key] as Tree
}

/** Defines, so that a key such as `__proto__` becomes a member. */
function put({ parent, key }: Place, value: Tree): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true })
}

function remove({ parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else Reflect.deleteProperty(parent, key)
}

function change(tree: Tree, { kind, at: from, to, key, value }: StructureChange): void {
  const places = placesIn(tree)
  const place = places[from % Math.max(places.length, 1)]
  const other = places[to % Math.max(places.length, 1)]
  if (place === undefined || other === undefined) return
  const copy = JSON.parse(JSON.stringify(at(place))) as Tree
  if (kind === 'replace') put(place, value)
  else if (kind === 'remove') remove(place)
  else if (kind === 'move') put(other, copy)
  else if (kind === 'repeat' && Array.isArray(place.parent)) place.parent.push(copy)
  else if (kind === 'rename' && !Array.isArray(place.parent)) {
    remove(place)
    put({ parent: place.parent, key }, copy)
  }
}

interface StructureChange {
  readonly kind: 'replace' | 'remove' | 'rename' | 'repeat' | 'move'
  readonly at: number
  readonly to: number
  readonly key: string
  readonly value: Tree
}

test(
  'definitions of changed structure load or are refused, run no code and leave every prototype alone',
  async () => {
    const outcomes: Outcomes = { loaded: 0, refused: 0 }
    const { parse } = await import('yaml')
    const trees = corpus.map((text) => JSON.stringify(parse(text)))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...trees),
        fc.array(structureChange, { minLength: 1, maxLength: 4 }),
        async (text, changes) => {
          const tree = JSON.parse(text) as Tree
          for (const each of changes) change(tree, each)
          await loadsOrIsRefused(JSON.stringify(tree), outcomes)
        },
      ),
      options,
    )
    expectBoth(outcomes)
  },
  timeout,
)

describe('is refused, with its limit', () => {
  test.each([
    ['deep parentheses', '('.repeat(4_000) + 'input.a' + ')'.repeat(4_000)],
    ['a long chain of fields', `input${'.a'.repeat(4_000)} == 1`],
    ['many terms', Array.from({ length: 2_000 }, () => 'input.a').join(' && ')],
    ['a long text', `input.a == '${'x'.repeat(200_000)}'`],
  ])('a condition of %s', async (_, condition) => {
    const text = `id: f\nsteps: [{ id: a, agent: x, condition: ${JSON.stringify(condition)} }]\n`
    expect(await refusal(text)).toMatch(
      /^flow\.yaml:2:\d+: steps\[0\]\.condition .*(exceed|limit|longer|deep)/i,
    )
  })

  test('a bomb of aliases in a graph', async () => {
    const bomb = Array.from({ length: 9 }, (_, level) =>
      level === 0
        ? `l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n`
        : `l${level}: &l${level} [${`*l${level - 1}, `.repeat(10)}]\n`,
    )
    expect(await refusal(`${bomb.join('')}id: g\nnodes: *l8\n`)).toContain(
      'its aliases stand for more than 10000 values',
    )
  })

  test('more than a million references that name nothing, without looking for each', async () => {
    const text = `id: f\nsteps: [{ id: a, agent: x, parameters: { t: "${'${b.output}'.repeat(80_000)}" } }]\n`
    expect(await refusal(text)).toContain(`holds \${b.output}, which names no step: 'b'`)
  })
})
