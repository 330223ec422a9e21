import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FilesPort } from '../../../src/ports/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const pair: AgentWorkflow = {
  id: 'pair',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'reader' },
  ],
}

const agents: Agents = {
  writer: async ({ artifacts }) => artifacts.write('out/one.txt', 'by one\n'),
  reader: ({ artifacts }) => artifacts.readText('out/one.txt'),
}

function text(files: VirtualFiles, path: string): string | undefined {
  const bytes = files.snapshotFiles().get(path)
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
}

/** A run that stands between its steps, whose disk stops answering `operations` into an edit. */
async function diesInEdit(
  target: string,
  operations: number,
  early: readonly string[],
): Promise<{ readonly files: VirtualFiles; readonly whole: boolean }> {
  const files = createVirtualFiles()
  let left = Infinity
  const died = deferred<'died'>()
  const dying: FilesPort = {
    perform(operation) {
      if (left-- > 0) return files.perform(operation)
      died.resolve('died')
      return new Promise(() => {}) as never
    },
  }
  const life = engineBench(dying).life(agents)
  const { incarnation } = life
  const edit = async (path: string): Promise<void> =>
    incarnation.edit(path, new TextEncoder().encode('edited\n'))
  await life.start(pair)
  for (const path of early) await edit(path)
  const onlyOne = { holds: new Set(['two']), stopsAfter: () => false, maxResults: Infinity }
  while (incarnation.state().completedSteps.length === 0) {
    await incarnation.tick(onlyOne)
    await Promise.resolve()
  }
  left = operations
  return { files, whole: (await Promise.race([edit(target), died.promise])) !== 'died' }
}

test.each([
  ['an artifact of a completed step', 'out/one.txt', 'by one\n', []],
  ['a file in a new folder', 'notes/deep/new.txt', undefined, []],
  ['a file that was edited to the same before its step wrote it', 'out/one.txt', 'by one\n', ['out/one.txt']],
])('an edit of %s survives a death at every file operation', async (_what, target, before, early) => {
  const seen = new Set<string | undefined>()
  for (let operations = 0; ; operations++) {
    const { files, whole } = await diesInEdit(target, operations, early)
    for (const outcome of ['kill', 'power-min'] as const) {
      const disk = files.afterCrash(outcome)
      const bench = engineBench(disk)
      const life = bench.life(agents)
      await life.incarnation.recover({})
      const { artifacts } = life.incarnation.state()
      const recorded = artifacts.some(({ path, producedBy }) => path === target && producedBy === null)
      const content = text(disk, target)
      seen.add(content)
      expect([operations, outcome, content]).toEqual([operations, outcome, recorded ? 'edited\n' : before])
      expect((await life.runToEnd()).status).toBe('completed')
      expect([...disk.snapshotFiles().keys()].filter((path) => path.includes('staging'))).toEqual([])
    }
    if (whole) break
  }
  expect(seen).toEqual(new Set([before, 'edited\n']))
})
