import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../src/core/index.ts'
import { defineWorkflow, loadWorkflow } from '../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FilesPort, RecoverRequest } from '../../../src/ports/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const before: AgentWorkflow = {
  id: 'chain',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'broken' },
  ],
}

const after: AgentWorkflow = {
  id: 'chain',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'last' },
    { id: 'last', agent: 'writer', creates: ['out/last.txt'] },
  ],
}

const agents: Agents = {
  writer: async ({ artifacts, step }) => artifacts.write(`out/${step}.txt`, step),
  broken: () => {
    throw new Error('no paper')
  },
}

async function failedRun(): Promise<VirtualFiles> {
  const files = createVirtualFiles()
  const life = engineBench(files).life(agents)
  await life.start(before)
  expect((await life.runToEnd()).status).toBe('failed')
  return files
}

test('a death at every file operation of a resume under the current definition leaves the old or the new', async () => {
  const { definition } = await loadWorkflow(defineWorkflow(after))
  const request: RecoverRequest = { expects: definition, definition: 'current' }
  const adopted: boolean[] = []
  for (let operations = 0; ; operations++) {
    const files = await failedRun()
    const died = deferred<'died'>()
    let left = operations
    const dying: FilesPort = {
      perform(operation) {
        if (left-- > 0) return files.perform(operation)
        died.resolve('died')
        return new Promise(() => {}) as never
      },
    }
    const recover = async (): Promise<unknown> => engineBench(dying).life(agents).incarnation.recover(request)
    const whole = (await Promise.race([recover(), died.promise])) !== 'died'
    for (const outcome of ['kill', 'power-min'] as const) {
      const disk = files.afterCrash(outcome)
      const next = engineBench(disk).life(agents)
      await next.incarnation.recover(request)
      const { definition: now, steps } = next.incarnation.state()
      expect([operations, now, Object.keys(steps)]).toEqual([operations, definition, ['one', 'last']])
      expect((await next.runToEnd()).status).toBe('completed')
      const log = new TextDecoder().decode(
        [...disk.snapshotFiles()].find(([path]) => path.endsWith('events.jsonl'))?.[1],
      )
      // Once only: by this resume, or by the one that died.
      expect([operations, log.split('"adopts"').length - 1]).toEqual([operations, 1])
      const resumes = log.split('"workflow_resume"').length - 1
      adopted.push(resumes === 2)
    }
    if (whole) break
  }
  expect(new Set(adopted)).toEqual(new Set([false, true]))
})
