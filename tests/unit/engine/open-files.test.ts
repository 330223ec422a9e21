import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { systemError } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import { isWriteLike } from '../../../src/ports/index.ts'
import type { Agents, FilesPort } from '../../../src/ports/index.ts'
import { engineBench } from '../../support/engine-run.ts'
import type { EngineLifeUnderTest } from '../../support/engine-run.ts'

const workflow: AgentWorkflow = { id: 'flow', steps: [{ id: 'only', agent: 'talker', creates: ['out.txt'] }] }
const agents: Agents = {
  async talker({ artifacts, log }) {
    log('here I am')
    await artifacts.write('out.txt', 'done')
    return null
  },
}

/** A disk on which one operation fails, the first counting as 0, and which knows what is held open. */
function failingAt(files: VirtualFiles, place: number) {
  const open = new Set<string>()
  let count = 0
  const port: FilesPort = {
    perform(operation) {
      const { op, path } = operation
      if (isWriteLike(operation) && count++ === place) {
        throw systemError({ code: 'EIO', syscall: op, path })
      }
      if (op === 'append') open.add(path)
      if (op === 'close') open.delete(path)
      return files.perform(operation)
    },
  }
  return { port, open, hasFailed: () => count > place }
}

/** What is held open after the life in which an operation failed was closed, for each operation that there is. */
async function leftOpen(
  disk: () => VirtualFiles,
  live: (life: EngineLifeUnderTest) => Promise<unknown>,
): Promise<{ readonly left: readonly string[]; readonly places: number }> {
  const left: string[] = []
  for (let place = 0; ; place++) {
    const { port, open, hasFailed } = failingAt(disk(), place)
    const life = engineBench(port).life(agents)
    const close = async (): Promise<void> => life.incarnation.close()
    // What fails is told, which is not the point here.
    await live(life).catch(() => {})
    await close().catch(() => {})
    if (!hasFailed()) return { left, places: place }
    left.push(...[...open].map((path) => `${path} when operation ${place} fails`))
  }
}

describe('an engine that was closed holds no file open, whichever operation has failed', () => {
  test('while it started a run', async () => {
    const { left, places } = await leftOpen(createVirtualFiles, (life) => life.start(workflow))
    expect(left).toEqual([])
    expect(places).toBeGreaterThan(10)
  })

  test('while it went through a run', async () => {
    const { left, places } = await leftOpen(createVirtualFiles, async (life) => {
      await life.start(workflow)
      await life.runToEnd()
    })
    expect(left).toEqual([])
    expect(places).toBeGreaterThan(30)
  })

  test('while it took a run over, and had to say something about what it found', async () => {
    const files = createVirtualFiles()
    const runId = await engineBench(files).life(agents).start(workflow)
    files.perform({ op: 'write', path: `.workflow/runs/${runId}/state.json`, data: 'damaged' })
    const { left, places } = await leftOpen(
      () => files.fork(),
      async (life) => life.incarnation.recover({}),
    )
    expect(left).toEqual([])
    expect(places).toBeGreaterThan(10)
  })
})
