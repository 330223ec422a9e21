import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createNodeFiles } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FilesPort } from '../../../src/ports/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function realFiles(): FilesPort {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-protocol-')))
  folders.push(folder)
  return createNodeFiles(folder)
}

const writer: Agents = {
  writer: async ({ step, artifacts }) => {
    await artifacts.write(`out/${step}.txt`, `by ${step}`)
    return { step }
  },
  thinker: ({ step }) => ({ step }),
}

const chain: AgentWorkflow = {
  id: 'chain',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'thinker' },
  ],
}

const fanOut: AgentWorkflow = {
  id: 'fan-out',
  steps: [
    { id: 'a', agent: 'thinker', next: 'join' },
    { id: 'b', agent: 'thinker', next: 'join' },
    { id: 'c', agent: 'thinker', next: 'join' },
    { id: 'join', agent: 'writer', creates: ['out/join.txt'] },
  ],
}

async function traceOf(files: FilesPort, workflow: AgentWorkflow): Promise<readonly string[]> {
  const bench = engineBench(files)
  const life = bench.life(writer)
  await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('completed')
  return bench.trace
}

describe('the store protocol', () => {
  test('makes artifacts durable, announces them, moves them and only then finishes the step', async () => {
    const trace = await traceOf(realFiles(), { ...chain, steps: chain.steps.slice(0, 1) })
    const begin = trace.indexOf('write <run>/staging/one#1@1/out/one.txt')
    const relevant = trace
      .slice(begin)
      .filter((line) => !line.startsWith('stat') && !line.includes('staging/one#1@1/out '))
    expect(relevant.slice(0, 11)).toMatchInlineSnapshot(`
      [
        "write <run>/staging/one#1@1/out/one.txt",
        "fsync <run>/staging/one#1@1/out/one.txt",
        "fsyncFolder <run>/staging/one#1@1/out",
        "append <run>/events.jsonl",
        "fsync <run>/events.jsonl",
        "makeFolder out",
        "fsyncFolder ",
        "rename <run>/staging/one#1@1/out/one.txt -> out/one.txt",
        "fsyncFolder out",
        "append <run>/events.jsonl",
        "fsync <run>/events.jsonl",
      ]
    `)
  })

  for (const [name, workflow] of [
    ['a chain with artifacts', chain],
    ['a fan-out', fanOut],
  ] as const) {
    test(`gives equal traces on a disk that answers at once and on the real one: ${name}`, async () => {
      expect(await traceOf(realFiles(), workflow)).toEqual(await traceOf(createVirtualFiles(), workflow))
    })
  }

  test('puts parallel finishes into one commit', async () => {
    const trace = await traceOf(createVirtualFiles(), fanOut)
    // Start of the run, start of a-b-c, their three finishes with the start of join, the announcement, the end.
    expect(trace.filter((line) => line === 'append <run>/events.jsonl')).toHaveLength(5)
  })
})
