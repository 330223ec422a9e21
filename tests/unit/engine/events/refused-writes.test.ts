import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { isFaultlineError, systemError } from '../../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { isWriteLike } from '../../../../src/ports/index.ts'
import type { FileOperation, FilesPort } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'refused',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'thinker' },
  ],
}

/** Runs on a disk that refuses its change number `which`; undefined when the run made fewer. */
async function refused(
  which: number,
): Promise<{ readonly operation: FileOperation; readonly error: unknown } | undefined> {
  const files = createVirtualFiles()
  let changes = 0
  let hit: { operation: FileOperation } | undefined
  const refusing: FilesPort = {
    perform(operation) {
      if (isWriteLike(operation) && ++changes === which) {
        hit = { operation }
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
    const { status, events } = await life.runToEnd()
    const failure = events.find((event) => event.kind === 'workflow_end')
    return hit && { ...hit, error: status === 'failed' ? failure?.error : undefined }
  } catch (error) {
    return hit && { ...hit, error }
  }
}

interface Refusal {
  readonly op: FileOperation['op']
  readonly file: string
  readonly message: string
  /** Undefined when it came as the failure of a step. */
  readonly code: string | undefined
  readonly named: unknown
}

async function refusals(): Promise<readonly Refusal[]> {
  const found: Refusal[] = []
  for (let which = 1; ; which++) {
    const end = await refused(which)
    if (end === undefined) return found
    const { operation, error } = end
    // Nothing rests on records of checkpoints: they may fail in silence.
    if (error === undefined) continue
    const file = operation.op === 'rename' ? operation.to : operation.path
    const { message } = error as Error
    const known = isFaultlineError(error) ? { code: error.code, named: error.details['file'] } : undefined
    if (known === undefined && error instanceof Error) throw error
    found.push({ op: operation.op, file, message, code: known?.code, named: known?.named })
  }
}

test('whichever write is refused, what is said names the file', async () => {
  const all = await refusals()
  expect(all.filter(({ message, file }) => !message.includes(`'${file}'`))).toEqual([])
  const codes = new Set(all.map(({ code }) => code))
  // Before there is a log the folder is at fault; an agent is told of its own write, and fails by it.
  expect(codes).toEqual(new Set(['STATE_UNREADABLE', 'STORE_FAILED', undefined]))
  const stopped = all.filter(({ code }) => code === 'STORE_FAILED')
  expect(stopped.filter(({ named, file }) => named !== file)).toEqual([])
  const files = stopped.map(({ file }) =>
    file.replace(/^\.workflow\/runs\/[^/]+/, '<run>').replace(/[0-9a-f]{64}/, '<digest>'),
  )
  expect([...new Set(files)].sort()).toMatchInlineSnapshot(`
    [
      "",
      ".workflow",
      ".workflow/last.json",
      "<run>",
      "<run>/blobs",
      "<run>/blobs/<digest>",
      "<run>/blobs/<digest>.tmp",
      "<run>/events.jsonl",
      "<run>/last.json.tmp",
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
