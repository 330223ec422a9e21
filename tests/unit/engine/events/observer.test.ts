import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agents, ObserverPort } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'watched',
  steps: [
    { id: 'one', agent: 'talker', next: 'two' },
    { id: 'two', agent: 'talker' },
  ],
}

const agents: Agents = {
  talker({ log, step }) {
    log(`at ${step}`)
    return null
  },
}

/** Starts a run that another engine takes over at once and completes, both watched by the same observer. */
async function watchedBy(observer: ObserverPort): Promise<VirtualFiles> {
  const files = createVirtualFiles()
  const bench = engineBench(files, { observer })
  await bench.life(agents, undefined, 'first').start(workflow)
  const second = bench.life(agents, undefined, 'second')
  await second.incarnation.recover({})
  expect((await second.runToEnd()).status).toBe('completed')
  return files
}

function textOf(files: VirtualFiles, ending: string): string {
  const [, bytes] = [...files.snapshotFiles()].find(([path]) => path.endsWith(ending)) ?? []
  return new TextDecoder().decode(bytes)
}

function messages(files: VirtualFiles): readonly string[] {
  return textOf(files, '.log')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly level: string; readonly message: string })
    .map(({ level, message }) => `${level}: ${message}`)
}

test('an observer that throws changes nothing about the run, and the daily log says so', async () => {
  const kinds: string[] = []
  const quiet = await watchedBy({ event: ({ kind }) => kinds.push(kind), log: () => {} })
  const loud = await watchedBy({
    event: () => {
      throw new Error('out of paper')
    },
    log: () => {
      throw new Error('out of ink')
    },
  })
  for (const file of ['events.jsonl', 'state.json']) expect(textOf(loud, file)).toBe(textOf(quiet, file))
  expect(messages(quiet)).toEqual(['info: at one', 'info: at two'])
  expect(messages(loud).filter((message) => message.startsWith('info'))).toEqual(messages(quiet))
  expect(messages(loud).filter((message) => message.startsWith('warn'))).toEqual(
    kinds.map((kind, seq) => `warn: The observer failed at event ${seq} (${kind}): out of paper`),
  )
})
