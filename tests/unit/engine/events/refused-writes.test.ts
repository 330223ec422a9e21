import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { isFaultlineError, systemError } from '../../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { FileOperation, FilesPort } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'refused',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'thinker' },
  ],
}

const changing: ReadonlySet<FileOperation['op']> = new Set([
  'write',
  'writeNew',
  'append',
  'fsync',
  'fsyncFolder',
  'rename',
  'remove',
  'removeFolder',
  'makeFolder',
])

/** Runs on a disk that refuses its change number `which`; undefined when the run made fewer. */
async function refused(
  which: number,
): Promise<
  { readonly operation: FileOperation; readonly begun: boolean; readonly error: unknown } | undefined
> {
  const files = createVirtualFiles()
  let changes = 0
  let begun = false
  let hit: { operation: FileOperation; begun: boolean } | undefined
  const refusing: FilesPort = {
    perform(operation) {
      if (changing.has(operation.op) && ++changes === which) {
        hit = { operation, begun }
        const dest = operation.op === 'rename' ? { dest: operation.to } : {}
        throw systemError({ code: 'EROFS', syscall: operation.op, path: operation.path, ...dest })
      }
      return files.perform(operation)
    },
  }
  const life = engineBench(refusing, { outputCapBytes: 100, checkpointEvery: 1 }).life({
    writer: async ({ artifacts }) => {
      await artifacts.write('out/one.txt', 'by one')
      return 'x'.repeat(200)
    },
    thinker: () => null,
  })
  try {
    await life.start(workflow)
    begun = true
    const { status, events } = await life.runToEnd()
    const failure = events.find((event) => event.kind === 'workflow_end')
    return hit && { ...hit, error: status === 'failed' ? failure?.error : undefined }
  } catch (error) {
    return hit && { ...hit, error }
  }
}

test('whichever write is refused, what is said names the file', async () => {
  const named = new Set<string>()
  for (let which = 1; ; which++) {
    const end = await refused(which)
    if (end === undefined) break
    const { operation, begun, error } = end
    const file = operation.op === 'rename' ? operation.to : operation.path
    // What nothing rests on may fail in silence; an agent is told of its own write, and fails by it.
    if (error === undefined) continue
    const { message } = error as Error
    expect([which, operation.op, message]).toEqual([
      which,
      operation.op,
      expect.stringContaining(`'${file}'`),
    ])
    if (!(error instanceof Error)) continue
    if (!isFaultlineError(error)) throw error
    expect([which, operation.op, error.code]).toEqual([
      which,
      operation.op,
      begun ? 'STORE_FAILED' : expect.stringMatching(/^(STORE_FAILED|STATE_UNREADABLE)$/),
    ])
    if (error.code === 'STORE_FAILED') {
      expect(error.details['file']).toBe(file)
      named.add(file.replace(/^\.workflow\/runs\/[^/]+/, '<run>').replace(/[0-9a-f]{64}/, '<digest>'))
    }
  }
  expect([...named].sort()).toMatchInlineSnapshot(`
    [
      "",
      ".workflow",
      ".workflow/last.json",
      ".workflow/last.json.tmp",
      "<run>",
      "<run>/blobs",
      "<run>/blobs/<digest>",
      "<run>/blobs/<digest>.tmp",
      "<run>/events.jsonl",
      "<run>/lock",
      "<run>/staging/one#1@1",
      "<run>/staging/one#1@1/out",
      "<run>/staging/one#1@1/out/one.txt",
      "<run>/state.json",
      "<run>/state.json.tmp",
      "out",
      "out/one.txt",
    ]
  `)
})
