import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { defineWorkflow, loadWorkflow } from '../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FileOperation, FilesPort, RecoverRequest } from '../../../src/ports/index.ts'
import type { WorkflowEvent } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'

/** `left` and `right` stand side by side; `join` reads `left` alone. */
const workflow: AgentWorkflow = {
  id: 'flow',
  steps: [
    { id: 'left', agent: 'writer', dependsOn: [], creates: ['left.txt'] },
    { id: 'right', agent: 'writer', dependsOn: [], creates: ['right.txt'] },
    { id: 'join', agent: 'writer', dependsOn: ['left'], creates: ['join.txt'] },
    { id: 'last', agent: 'writer', dependsOn: ['join', 'right'] },
    { id: 'never', agent: 'writer', dependsOn: ['last'] },
  ],
}

function writer(calls: string[], fails: (step: string) => boolean = () => false): Agents {
  return {
    async writer({ step, creates, artifacts }) {
      calls.push(step)
      if (fails(step)) throw new Error('model overloaded')
      for (const path of creates) await artifacts.write(path, `by ${step}`)
      return { step }
    },
  }
}

/** A run that has failed at its last step, with all artifacts made. */
async function failedRun(files: VirtualFiles = createVirtualFiles()): Promise<VirtualFiles> {
  const life = engineBench(files).life(writer([], (step) => step === 'last'))
  await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('failed')
  return files
}

/** Which agents are called by a resume, or the message with which it is refused. */
async function resume(
  files: VirtualFiles,
  request: RecoverRequest = {},
): Promise<readonly string[] | string> {
  const calls: string[] = []
  const life = engineBench(files).life(writer(calls))
  try {
    await life.incarnation.recover(request)
  } catch (error) {
    return (error as Error).message
  }
  expect((await life.runToEnd()).status).toBe('completed')
  return calls
}

const text = (files: VirtualFiles, path: string): string =>
  new TextDecoder().decode(files.snapshotFiles().get(path))

describe('artifacts that have changed since they were made', () => {
  test('are built again with what depends on them, and nothing else is', async () => {
    const files = await failedRun()
    files.perform({ op: 'write', path: 'left.txt', data: 'tampered' })
    expect(await resume(files, { artifacts: 'rebuild' })).toEqual(['left', 'join', 'last', 'never'])
    expect(text(files, 'left.txt')).toBe('by left')
    const { events } = await engineBench(files).reader.read(
      (await engineBench(files).reader.last()) as string,
    )
    expect(events.find(({ kind }) => kind === 'workflow_resume')).toMatchObject({
      restarts: ['left', 'join', 'last'],
    })
  })

  test('are all named when the resume is refused, removed ones as removed', async () => {
    const files = await failedRun()
    files.perform({ op: 'write', path: 'left.txt', data: 'tampered' })
    files.perform({ op: 'remove', path: 'right.txt' })
    const refused = await resume(files)
    expect(refused).toContain(
      `'left.txt' (from step 'left') was changed, 'right.txt' (from step 'right') was removed. `,
    )
    expect(await resume(files, { artifacts: 'refuse' })).toBe(refused)
  })

  test('cannot be accepted when they are gone, but can be rebuilt', async () => {
    const files = await failedRun()
    files.perform({ op: 'remove', path: 'right.txt' })
    expect(await resume(files, { artifacts: 'accept' })).toMatch(
      /cannot resume: 'right\.txt' is missing and cannot be accepted\. Restore the file/,
    )
    expect(await resume(files, { artifacts: 'rebuild' })).toEqual(['right', 'last', 'never'])
  })

  test('are trusted when they were edited on the record, and cannot be rebuilt once that edit is gone', async () => {
    const files = await failedRun()
    const life = engineBench(files).life(writer([], (step) => step === 'last'))
    await life.incarnation.recover({})
    await life.incarnation.edit('left.txt', new TextEncoder().encode('edited'))
    await life.incarnation.edit('notes/new.md', new TextEncoder().encode('added'))
    expect(life.incarnation.state().artifacts.map(({ path, producedBy }) => [path, producedBy])).toEqual([
      ['join.txt', 'join'],
      ['left.txt', null],
      ['notes/new.md', null],
      ['right.txt', 'right'],
    ])
    await life.incarnation.close()
    expect(await resume(files.fork())).toEqual(['last', 'never'])
    files.perform({ op: 'write', path: 'left.txt', data: 'by left' })
    for (const artifacts of ['refuse', 'rebuild'] as const) {
      expect(await resume(files, { artifacts })).toContain(`cannot resume: 'left.txt' (edited) was changed. `)
    }
    expect(await resume(files, { artifacts: 'accept' })).toEqual(['last', 'never'])
  })

  test('do not matter when their step has not completed and makes them again', async () => {
    const files = createVirtualFiles()
    const gated = {
      ...workflow,
      steps: [{ ...workflow.steps[0], gate: { condition: 'false' } }],
    } as AgentWorkflow
    const life = engineBench(files).life(writer([]))
    await life.start(gated)
    expect((await life.runToEnd()).status).toBe('failed')
    files.perform({ op: 'write', path: 'left.txt', data: 'tampered' })
    const next = engineBench(files).life(writer([]), { decide: async () => ({ passed: true }) })
    await next.incarnation.recover({})
    expect((await next.runToEnd()).status).toBe('completed')
    expect(text(files, 'left.txt')).toBe('by left')
  })
})

describe('a resume', () => {
  test('takes the run that is named, which then is the last', async () => {
    const files = await failedRun()
    const { reader } = engineBench(files)
    const first = (await reader.last()) as string
    await engineBench(files)
      .life(writer([]))
      .start({ ...workflow, id: 'other' })
    expect(await reader.last()).not.toBe(first)
    expect(await resume(files, { runId: first })).toEqual(['last', 'never'])
    expect(await reader.last()).toBe(first)
  })

  test('accepts the definition that the run was started with', async () => {
    const { definition } = await loadWorkflow(defineWorkflow(workflow))
    expect(await resume(await failedRun(), { expects: definition })).toEqual(['last', 'never'])
  })

  test('shows five differences of a changed definition and counts the others', async () => {
    const { definition } = await loadWorkflow(
      defineWorkflow({
        ...workflow,
        steps: workflow.steps.map((step) => ({ ...step, retries: 2, timeoutMs: 7 })),
      }),
    )
    expect(await resume(await failedRun(), { expects: definition })).toMatch(
      /: steps\.join\.retries: 0 is now 2; .*; and 5 more\. Restore the definition, or /,
    )
  })

  test('sweeps what a dead engine left half-written', async () => {
    const files = await failedRun()
    const folder = `.workflow/runs/${await engineBench(files).reader.last()}`
    files.perform({ op: 'write', path: `${folder}/lock.tmp`, data: 'half' })
    files.perform({ op: 'makeFolder', path: `${folder}/staging` })
    files.perform({ op: 'write', path: `${folder}/staging/orphan`, data: 'half' })
    await resume(files)
    const left = [...files.snapshotFiles().keys()].filter((path) => path.startsWith('.workflow/runs'))
    expect(left).toEqual([`${folder}/events.jsonl`, `${folder}/state.json`])
  })

  test('runs a gated step again whose artifacts were announced before its gate had spoken', async () => {
    const files = createVirtualFiles()
    const gated: AgentWorkflow = {
      id: 'gated',
      steps: [{ id: 'only', agent: 'writer', creates: ['only.txt'], gate: { condition: 'true' } }],
    }
    const first = engineBench(files).life(writer([]), { decide: () => new Promise(() => {}) })
    await first.start(gated)
    await first.tick()
    await first.tick()
    expect(text(files, 'only.txt')).toBe('by only')
    expect(await resume(files)).toEqual(['only'])
  })
})

test('a step that is finished from its announcement is recorded as if its engine had lived', async () => {
  const files = createVirtualFiles()
  const scored: AgentWorkflow = {
    id: 'scored',
    steps: [
      {
        id: 'only',
        agent: 'writer',
        action: 'draft',
        creates: ['only.txt'],
        scoring: { thresholds: { overall_min: 1 } },
      },
    ],
  }
  const bench = engineBench(files)
  const life = bench.life(writer([]))
  const runId = await life.start(scored)
  expect((await life.runToEnd()).status).toBe('completed')
  const log = `.workflow/runs/${runId}/events.jsonl`
  const lines = text(files, log).split(/(?<=\n)/)
  files.perform({ op: 'write', path: log, data: lines.slice(0, 3).join('') })
  files.perform({ op: 'remove', path: `.workflow/runs/${runId}/state.json` })
  const calls: string[] = []
  const next = engineBench(files)
  const second = next.life(writer(calls))
  await second.incarnation.recover({})
  expect((await second.runToEnd()).status).toBe('completed')
  expect(calls).toEqual([])
  const {
    epoch: _,
    durableSeq: __,
    ...finish
  } = bench.events.find(({ kind }) => kind === 'step_finish') as WorkflowEvent
  expect(finish).toMatchObject({ kind: 'step_finish', action: 'draft', scoring: { passed: false } })
  expect(next.events.find(({ kind }) => kind === 'step_finish')).toMatchObject(finish)
})

describe('a run', () => {
  test('has to be in hand before it can be moved, edited, asked or cancelled', async () => {
    const life = engineBench(createVirtualFiles()).life({})
    const { incarnation } = life
    const misuse = { code: 'SESSION_MISUSE', message: 'No run is in hand: start or recover one first.' }
    await expect(life.tick()).rejects.toMatchObject(misuse)
    for (const use of [
      () => incarnation.state(),
      () => incarnation.cancel('why'),
      () => incarnation.edit('a.txt', new Uint8Array()),
    ]) {
      await expect(async () => use()).rejects.toMatchObject(misuse)
    }
    await incarnation.close()
  })

  test('takes another id when a folder of that name is there already', async () => {
    const ids: string[] = []
    for (const files of [createVirtualFiles(), createVirtualFiles()]) {
      if (ids[0] !== undefined) await occupied(files, ids[0])
      ids.push(await engineBench(files).life(writer([])).start(workflow))
    }
    expect(ids[1]).toMatch(/^flow-[0-9a-f]{8}$/)
    expect(ids[1]).not.toBe(ids[0])
  })

  async function occupied(files: VirtualFiles, runId: string): Promise<void> {
    for (const path of ['.workflow', '.workflow/runs', `.workflow/runs/${runId}`]) {
      files.perform({ op: 'makeFolder', path })
    }
  }

  test.each(['state.json', 'last.json', 'events.jsonl'])(
    'stops for good when %s cannot be written',
    async (name) => {
      const files = createVirtualFiles()
      const bench = engineBench(refusing(files, ({ op, path }) => op !== 'read' && path.includes(name)))
      const life = bench.life(writer([]))
      await expect(life.start(workflow)).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('failed (ENOSPC: no space left), so the run stopped') as unknown,
      })
    },
  )

  test('stops for good when an artifact cannot be put in place, and goes on from there', async () => {
    const files = createVirtualFiles()
    let full = true
    const bench = engineBench(
      refusing(files, ({ op, path }) => full && op === 'rename' && path.includes('staging')),
    )
    const life = bench.life(writer([]))
    await life.start(workflow)
    await expect(life.runToEnd()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    full = false
    await expect(life.tick()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await resume(files)).toEqual(['join', 'last', 'never'])
    expect(['left.txt', 'right.txt'].map((path) => text(files, path))).toEqual(['by left', 'by right'])
  })

  function refusing(files: FilesPort, refuses: (operation: FileOperation) => boolean): FilesPort {
    return {
      perform(operation) {
        if (refuses(operation)) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
        return files.perform(operation)
      },
    }
  }

  test('saves its state at its start and end, and in between whenever its log has doubled', async () => {
    const files = createVirtualFiles()
    const sizes: number[] = []
    const watched: FilesPort = {
      perform(operation) {
        if (operation.op === 'rename' && operation.to.endsWith('/state.json')) {
          const log = files.perform({ op: 'stat', path: operation.to.replace('state.json', 'events.jsonl') })
          sizes.push(log?.sizeBytes as number)
        }
        return files.perform(operation)
      },
    }
    const life = engineBench(watched).life({ writer: () => 'x'.repeat(1_000) })
    const steps = Array.from({ length: 200 }, (_, index) => ({ id: `s${index}`, agent: 'writer' }))
    await life.start({ id: 'long', steps })
    await life.runToEnd()
    const log = [...files.snapshotFiles()].find(([path]) => path.endsWith('events.jsonl'))
    expect(sizes.at(-1)).toBe(log?.[1].length)
    const between = sizes.slice(1, -1)
    expect(between.length).toBeGreaterThan(1)
    expect(life.incarnation.state().saveSeq).toBe(sizes.length)
    for (const [index, size] of between.entries()) {
      const due = 2 * Math.max(sizes[index] as number, 32 * 1_024)
      expect(size).toBeGreaterThanOrEqual(due)
      expect(size).toBeLessThan(due + 4_000)
    }
  })
})
