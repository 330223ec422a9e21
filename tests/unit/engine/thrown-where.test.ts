import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { decodeUtf8 } from '../../../src/core/index.ts'
import type { Agent } from '../../../src/ports/index.ts'
import type { LogEntry } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'
import { repository } from '../../support/markdown.ts'

const home = '/home/me/shop'
const stack = `TypeError: no
    at write (/home/me/shop/src/agents.mjs:12:9)
    at async Agents.build (file:///home/me/shop/src/my%20agents.mjs:3:1)
    at file:///home/me/shop/src/agents.mjs:40:3
    at C (/home/me/shop/node_modules/some-package/index.js:1:1)
    at Other (/home/me/shop-2/src/agents.mjs:1:1)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
    at Engine.run (/usr/lib/faultline/engine.js:9:9)
    at Array.map (<anonymous>)`

/** What a run whose only step fails by `thrown` leaves: the entry of the daily log, and all other files. */
async function failed(
  thrown: unknown,
  projectFolder: string | undefined,
): Promise<{ readonly entry: LogEntry; readonly others: string }> {
  const files = createVirtualFiles()
  const worker: Agent = () => {
    throw thrown
  }
  const life = engineBench(files, { projectFolder }).life({ worker })
  await life.start({ id: 'flow', steps: [{ id: 'work', agent: 'worker' }] })
  expect((await life.runThroughTime()).status).toBe('failed')
  const text = (path: string): string => decodeUtf8(files.perform({ op: 'read', path }) as Uint8Array)
  const { runId } = life.incarnation.state()
  return {
    entry: JSON.parse(text('.workflow/logs/workflow-20260101.log')) as LogEntry,
    others: text(`.workflow/runs/${runId}/events.jsonl`) + text(`.workflow/runs/${runId}/state.json`),
  }
}

function thrownAt(places: string): Error {
  const error = new Error('no')
  error.stack = places
  return error
}

describe('the daily log', () => {
  test('says where in the project an agent threw, without foreign frames and absolute paths', async () => {
    const { entry } = await failed(thrownAt(stack), home)
    expect(entry).toMatchObject({ message: 'no', step: 'work', visit: 1, attempt: 1 })
    expect(entry.stack).toEqual([
      'write (src/agents.mjs:12:9)',
      'async Agents.build (src/my agents.mjs:3:1)',
      'src/agents.mjs:40:3',
    ])
  })

  test('knows the places of a project on Windows', async () => {
    const windows = String.raw`Error
    at one (C:\shop\agents.mjs:1:2)
    at two (file:///C:/shop/agents.mjs:3:4)`
    expect((await failed(thrownAt(windows), String.raw`C:\shop`)).entry.stack).toEqual([
      'one (agents.mjs:1:2)',
      'two (agents.mjs:3:4)',
    ])
  })

  test('says it of a real error', async () => {
    expect((await failed(new Error('no'), repository)).entry.stack?.[0]).toMatch(
      /^tests\/unit\/engine\/thrown-where\.test\.ts:\d+:\d+$/,
    )
  })

  test('keeps to ten places', async () => {
    const deep = `Error\n${'    at again (/home/me/shop/a.mjs:1:1)\n'.repeat(500)}`
    expect((await failed(thrownAt(deep), home)).entry.stack).toHaveLength(10)
  })

  test.each([
    ['what is no error', 'just a text', home],
    ['an error from elsewhere', thrownAt('Error\n    at node:fs:1:1'), home],
    ['a project that is on no disk', thrownAt(stack), undefined],
  ])('says nothing of %s', async (_what, thrown, folder) => {
    expect((await failed(thrown, folder)).entry.stack).toBeUndefined()
  })
})

test('what a run is resumed from holds no places, which differ between machines', async () => {
  expect((await failed(thrownAt(stack), home)).others).not.toContain('agents.mjs')
})
