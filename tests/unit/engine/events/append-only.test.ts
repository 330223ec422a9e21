import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agent, Agents, FilesPort } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'growing',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'thinker' },
  ],
}

function agents(thinks: Agent): Agents {
  return {
    writer: ({ artifacts }) => artifacts.write('out/one.txt', 'by one'),
    thinker: thinks,
  }
}

const failing = agents(() => {
  throw new Error('overloaded')
})

function logOf(files: VirtualFiles): { readonly path: string; readonly text: string } | undefined {
  const [path, bytes] = [...files.snapshotFiles()].find(([name]) => name.endsWith('/events.jsonl')) ?? []
  return path === undefined ? undefined : { path, text: new TextDecoder().decode(bytes) }
}

interface Line {
  readonly seq: number
  readonly epoch: number
  readonly kind: string
}

function linesOf(files: VirtualFiles): readonly Line[] {
  const { text = '' } = logOf(files) ?? {}
  expect(text.endsWith('\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(9)) as Line)
}

/** Fails at `two`, fails again after a resume, and completes after another one. */
async function threeLives(files: FilesPort, between: () => void = () => {}): Promise<void> {
  const first = engineBench(files).life(failing)
  await first.start(workflow)
  expect((await first.runToEnd()).status).toBe('failed')
  for (const [who, status] of [
    [failing, 'failed'],
    [agents(() => null), 'completed'],
  ] as const) {
    between()
    const life = engineBench(files).life(who)
    await life.incarnation.recover({})
    expect((await life.runToEnd()).status).toBe(status)
  }
}

describe('the log of a run', () => {
  test('only grows: after any file operation, also of a resume, it begins with all that it held before', async () => {
    const files = createVirtualFiles()
    let before = ''
    let growths = 0
    await threeLives({
      perform(operation) {
        const result = files.perform(operation)
        const now = logOf(files)?.text ?? ''
        expect(now.startsWith(before)).toBe(true)
        if (now !== before) growths++
        before = now
        return result
      },
    })
    expect(growths).toBeGreaterThan(6)
  })

  test('numbers its events without a gap over resumes, also behind a tail that was cut', async () => {
    const files = createVirtualFiles()
    await threeLives(files, () => {
      const { path = '' } = logOf(files) ?? {}
      files.perform({ op: 'append', path, data: '00000000 {"v":1,"seq":' })
    })
    const lines = linesOf(files)
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index))
    expect([...new Set(lines.map(({ epoch }) => epoch))]).toEqual([1, 2, 3])
  })

  test('says once that the run began, and of each life how it took over and how it ended', async () => {
    const files = createVirtualFiles()
    await threeLives(files)
    const kinds = linesOf(files).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind.startsWith('workflow_'))).toEqual([
      'workflow_start',
      'workflow_end',
      'workflow_resume',
      'workflow_end',
      'workflow_resume',
      'workflow_end',
    ])
  })
})
