import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { seededRandom } from '../../../src/core/index.ts'
import { mockAgent, type MockAgentOptions } from '../../../src/harness/index.ts'
import type { AgentContext } from '../../../src/ports/index.ts'

const digest = createDigest()

/** Calls a mock agent on files held in a map, which it may write to. */
async function call(
  overrides: Partial<AgentContext> & { readonly files?: Readonly<Record<string, string>> } = {},
  options: Partial<MockAgentOptions> = {},
) {
  const { files = {}, ...context } = overrides
  const project = new Map(Object.entries(files))
  const written: Record<string, string> = {}
  const reads: string[] = []
  const slept: number[] = []
  const read = async (path: string): Promise<string> => {
    reads.push(path)
    const text = project.get(path)
    if (text === undefined) throw new Error(`there is no file ${path}`)
    return text
  }
  const output = await mockAgent(options)({
    workflowId: 'flow',
    runId: 'run-1',
    correlationId: 'correlation-1',
    step: 'work',
    agent: 'worker',
    action: undefined,
    visit: 1,
    attempt: 1,
    undoing: false,
    idempotencyKey: 'run-1/work#1',
    input: null,
    parameters: {},
    requires: [],
    creates: [],
    thresholds: {},
    outputs: {},
    seed: 1,
    artifacts: {
      write: async (path, data) => void (written[path] = String(data)),
      read: async (path) => new TextEncoder().encode(await read(path)),
      readText: read,
      adopt: async () => false,
      list: async (folder = '') => [...project.keys()].filter((path) => path.startsWith(`${folder}/`)).sort(),
    },
    clock: { now: () => 0, sleep: async (ms) => void slept.push(ms) },
    random: seededRandom(1),
    signal: new AbortController().signal,
    service: undefined,
    http: { request: refused },
    processes: { run: refused },
    effect: async (_name, run) => run('key'),
    log: () => {},
    project: { folder: undefined },
    ...context,
  })
  return { output, written, reads, slept }
}

async function refused(): Promise<never> {
  throw new Error('a mock agent needs no such thing')
}

describe('a mock agent', () => {
  test('writes every declared artifact, and one file named after the step into a folder', async () => {
    const { written, output } = await call({ creates: ['report.md', 'docs/', 'a/b.json'] })
    expect(Object.keys(written)).toEqual(['report.md', 'docs/work.md', 'a/b.json'])
    expect(output).toEqual({
      summary: 'worker performed work: read 0 files, wrote 3 files',
      artifacts: ['report.md', 'docs/work.md', 'a/b.json'],
    })
  })

  test('writes Markdown that names what it was made from', async () => {
    const { written } = await call({
      requires: ['in.txt'],
      creates: ['out.md'],
      files: { 'in.txt': 'hello' },
    })
    expect(written['out.md']).toMatchInlineSnapshot(`
      "# Mock content of out.md

      - workflow: flow
      - step: work
      - agent: worker
      - action: none
      - seed: 1

      ## Inputs

      - in.txt sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
      "
    `)
  })

  test('writes valid JSON', async () => {
    const { written } = await call({
      requires: ['in.txt'],
      creates: ['out.json'],
      files: { 'in.txt': 'hello' },
    })
    expect(JSON.parse(written['out.json'] as string)).toEqual({
      path: 'out.json',
      workflow: 'flow',
      step: 'work',
      agent: 'worker',
      action: null,
      seed: 1,
      inputs: { 'in.txt': digest.sha256('hello') },
    })
  })

  test.each([
    ['app.js', '// '],
    ['app.py', '# '],
    ['schema.sql', '-- '],
    ['notes.txt', ''],
    ['Makefile', ''],
  ])('writes %s with every line behind "%s"', async (path, prefix) => {
    const lines = ((await call({ creates: [path] })).written[path] as string).trimEnd().split('\n')
    expect(lines[0]).toBe(`${prefix}Mock content of ${path}`)
    expect(lines.every((line) => line.startsWith(prefix))).toBe(true)
  })

  test('reads every required file, and every file below a required folder', async () => {
    const files = { 'src/b.js': '', 'src/deep/a.js': '', 'source.md': '', 'notes.md': '' }
    const { reads } = await call({ requires: ['notes.md', 'src/'], files })
    expect(reads).toEqual(['notes.md', 'src/b.js', 'src/deep/a.js'])
  })

  test('does not count what it wrote itself on an earlier visit as input', async () => {
    const step = { requires: ['src/'], creates: ['src/work.md'] }
    const first = await call({ ...step, files: { 'src/app.js': 'x' } })
    const second = await call({ ...step, visit: 2, files: { 'src/app.js': 'x', ...first.written } })
    expect(second.written).toEqual(first.written)
  })

  test('fails when a required file is not there', async () => {
    await expect(call({ requires: ['gone.md'] })).rejects.toThrow('there is no file gone.md')
  })

  const step = {
    requires: ['in.txt'],
    creates: ['out.md', 'out.json', 'out.js', 'folder/'],
    thresholds: { overall: 70, security: 6.5 },
    files: { 'in.txt': 'hello' },
  }

  test.each<[string, Parameters<typeof call>[0]]>([
    ['the run id', { runId: 'run-2' }],
    ['the correlation id', { correlationId: 'correlation-2' }],
    ['the visit', { visit: 2 }],
    ['the attempt', { attempt: 3 }],
    ['the time', { clock: { now: () => 1_000, sleep: async () => {} } }],
    ['files that it does not require', { files: { 'in.txt': 'hello', 'other.txt': 'x' } }],
  ])('writes and returns the same whatever %s', async (_what, change) => {
    const [one, other] = [await call(step), await call({ ...step, ...change })]
    expect([other.written, other.output]).toEqual([one.written, one.output])
  })

  test.each<[string, Parameters<typeof call>[0]]>([
    ['the workflow', { workflowId: 'other' }],
    ['the step', { step: 'other' }],
    ['the seed', { seed: 2 }],
    ['the content of an input', { files: { 'in.txt': 'HELLO' } }],
  ])('writes every file differently for another value of %s', async (_what, change) => {
    const texts = Object.values((await call(step)).written)
    const others = Object.values((await call({ ...step, ...change })).written)
    expect(others).toHaveLength(4)
    expect(others.filter((text) => texts.includes(text))).toEqual([])
  })

  test('meets every threshold, also one with more digits than it rounds to', async () => {
    const thresholds = { overall: 70, security: 6.5, exact: 0.123456, none: 0, below: -3 }
    for (let seed = 0; seed < 50; seed++) {
      const { scores } = (await call({ thresholds, seed })).output as { scores: Record<string, number> }
      expect(Object.keys(scores)).toEqual(Object.keys(thresholds))
      for (const [name, least] of Object.entries(thresholds)) {
        expect(scores[name]).toBeGreaterThanOrEqual(least)
        expect(scores[name]).toBeLessThan(least + 1)
      }
    }
  })

  test('takes as long as asked, on the clock of the run', async () => {
    expect((await call({}, { delayMs: 250 })).slept).toEqual([250])
    expect((await call()).slept).toEqual([])
  })
})
