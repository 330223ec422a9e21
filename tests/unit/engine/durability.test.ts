import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents } from '../../../src/ports/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'flow',
  steps: [
    { id: 'make', agent: 'writer', creates: ['out/deep/one.txt'] },
    { id: 'more', agent: 'writer', creates: ['two.txt'] },
  ],
}

const thought: AgentWorkflow = { id: 'thought', steps: [{ id: 'think', agent: 'writer' }] }

const agents: Agents = {
  writer: async ({ creates, artifacts, step }) => {
    for (const path of creates) await artifacts.write(path, `by ${step}`)
  },
}

/** The disk after the process that starts the flow was killed between doing `last` and syncing `folder`. */
async function killedBetween(last: string, folder: string, started: AgentWorkflow): Promise<VirtualFiles> {
  const files = createVirtualFiles()
  const died = deferred<void>()
  let previous = ''
  let isDead = false
  const life = engineBench({
    perform(operation) {
      const { op, path } = operation
      isDead ||= previous === last && op === 'fsyncFolder' && path === folder
      previous = `${op} ${operation.op === 'rename' ? operation.to : path}`
      if (!isDead) return files.perform(operation)
      died.resolve()
      return new Promise(() => {}) as never
    },
  }).life(agents)
  const whole = life.start(started).then(() => life.runToEnd())
  await Promise.race([whole, died.promise])
  expect(isDead).toBe(true)
  return files.afterCrash('kill')
}

/**
 * A killed process leaves names that the system knows and the disk may not: whoever builds on one has to sync its folder
 * first, or a later power loss takes it from beneath what was acknowledged since.
 */
describe('a name that a killed process has left unsynced is there after a power loss once it was built on', () => {
  test.each([
    ['rename out/deep/one.txt', 'out/deep'],
    ['makeFolder out/deep', 'out'],
    ['makeFolder out', ''],
  ])('artifacts: %s', async (last, folder) => {
    const disk = await killedBetween(last, folder, workflow)
    await engineBench(disk).life(agents).incarnation.recover({})
    const life = engineBench(disk.afterCrash('power-min')).life(agents)
    await life.incarnation.recover({})
    expect((await life.runToEnd()).status).toBe('completed')
  })

  async function statusAfterPowerLoss(disk: VirtualFiles): Promise<string> {
    const life = engineBench(disk).life(agents)
    const runId = await life.start(thought)
    await life.runToEnd()
    return (await engineBench(disk.afterCrash('power-min')).reader.read(runId)).status
  }

  test('the state folder', async () => {
    const disk = await killedBetween('makeFolder .workflow', '', thought)
    expect(await statusAfterPowerLoss(disk)).toBe('completed')
  })

  test('the folder of runs', async () => {
    const disk = await killedBetween('makeFolder .workflow/runs', '.workflow', thought)
    expect(await statusAfterPowerLoss(disk)).toBe('completed')
  })
})
