import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred, isFaultlineError } from '../../../src/core/index.ts'
import { defineWorkflow, loadWorkflow } from '../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FilesPort } from '../../../src/ports/index.ts'
import type { StateDocument, WorkflowEvent } from '../../../src/trace/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineLifeUnderTest } from '../../support/engine-run.ts'

const chain: AgentWorkflow = {
  id: 'chain',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', creates: ['out/two.txt'] },
    { id: 'three', agent: 'writer', creates: ['out/three.txt'] },
  ],
}

function countingWriter(executions: string[]): Agents {
  return {
    writer: async ({ step, artifacts }) => {
      executions.push(step)
      await artifacts.write(`out/${step}.txt`, `by ${step}\n`)
      return { step }
    },
  }
}

function text(files: VirtualFiles, path: string): string {
  const bytes = files.snapshotFiles().get(path)
  return bytes === undefined ? '<missing>' : new TextDecoder().decode(bytes)
}

function path(files: VirtualFiles, name: string): string {
  return [...files.snapshotFiles().keys()].find((each) => each.endsWith(name)) ?? '<missing>'
}

/** Runs until the disk stops answering at operation `last`, as if the process had died there. */
async function runUntilOperation(files: VirtualFiles, last: number, executions: string[]): Promise<boolean> {
  let count = 0
  const died = deferred<'died'>()
  const dying: FilesPort = {
    perform(operation) {
      if (++count <= last) return files.perform(operation)
      died.resolve('died')
      return new Promise(() => {}) as never
    },
  }
  const life = engineBench(dying).life(countingWriter(executions))
  const whole = life.start(chain).then(async () => {
    await life.runToEnd()
    return 'ended' as const
  })
  const ended = (await Promise.race([whole, died.promise])) === 'ended'
  return ended
}

async function recoveredStatus(life: EngineLifeUnderTest): Promise<string> {
  try {
    await life.incarnation.recover({})
    return (await life.runToEnd()).status
  } catch (error) {
    return isFaultlineError(error) ? error.code : String(error)
  }
}

/** A run that has failed at the second step. */
async function failedRun(): Promise<VirtualFiles> {
  const files = createVirtualFiles()
  const life = engineBench(files).life({
    writer: async (context) => {
      if (context.step === 'two') throw new Error('model overloaded')
      return countingWriter([])['writer']?.(context)
    },
  })
  await life.start(chain)
  expect((await life.runToEnd()).status).toBe('failed')
  return files
}

function replaceText(files: VirtualFiles, name: string, change: (content: string) => string): void {
  const target = path(files, name)
  files.perform({ op: 'write', path: target, data: change(text(files, target)) })
}

describe('recovery', () => {
  test('resumes correctly after a death at every single file operation', async () => {
    let deaths = 0
    for (let last = 1; ; last++) {
      const files = createVirtualFiles()
      const executions: string[] = []
      if (await runUntilOperation(files, last, executions)) break
      const disk = files.afterCrash('kill')
      const bench = engineBench(disk)
      const life = bench.life(countingWriter(executions))
      const started = [...disk.snapshotFiles().keys()].some((each) => each.endsWith('last.json'))
      if (!started) continue
      deaths++
      const before = eventWords(logOf(disk)).filter((word) => word.startsWith('step_finish'))
      const ended = eventWords(logOf(disk)).includes('workflow_end')
      expect([last, await recoveredStatus(life)]).toEqual([last, ended ? 'RUN_NOT_RESUMABLE' : 'completed'])
      const leftOver = [...disk.snapshotFiles().keys()].filter((each) => /staging|\.tmp$|lock$/.test(each))
      expect([last, leftOver]).toEqual([last, []])
      const saved = JSON.parse(text(disk, path(disk, 'state.json'))) as StateDocument
      expect([last, saved.status, saved.seq]).toEqual([last, 'completed', logOf(disk).length - 1])
      for (const step of ['one', 'two', 'three']) {
        expect([last, text(disk, `out/${step}.txt`)]).toEqual([last, `by ${step}\n`])
        const runs = executions.filter((each) => each === step).length
        const done = before.includes(`step_finish ${step}#1@1`)
        expect([last, step, done ? runs === 1 : runs <= 2]).toEqual([last, step, true])
      }
    }
    expect(deaths).toBeGreaterThan(50)
  })

  test('finishes a step whose artifacts were announced without calling its agent again', async () => {
    const executions: string[] = []
    const files = createVirtualFiles()
    let last = 1
    for (; ; last++) {
      const probe = createVirtualFiles()
      await runUntilOperation(probe, last, [])
      if (eventWords(logOf(probe)).at(-1) === 'artifacts_prepared one#1@1') break
    }
    await runUntilOperation(files, last, executions)
    const bench = engineBench(files.afterCrash('kill'))
    const life = bench.life(countingWriter(executions))
    await life.incarnation.recover({})
    await life.runToEnd()
    expect(executions).toEqual(['one', 'two', 'three'])
    expect(eventWords(bench.events).slice(0, 3)).toEqual([
      'artifact_created one#1@1',
      'step_finish one#1@1',
      'workflow_resume',
    ])
  })

  test('drops a line that was cut short and says so', async () => {
    const files = createVirtualFiles()
    await runUntilOperation(files, 40, [])
    const whole = text(files, path(files, 'events.jsonl'))
    const lines = whole.trimEnd().split('\n')
    for (const kept of [1, 8, 9, 40]) {
      const disk = files.afterCrash('kill')
      replaceText(
        disk,
        'events.jsonl',
        () => `${lines.slice(0, -1).join('\n')}\n${lines.at(-1)?.slice(0, kept)}`,
      )
      const bench = engineBench(disk)
      const life = bench.life(countingWriter([]))
      await life.incarnation.recover({})
      const resume = bench.events.find((event) => event.kind === 'workflow_resume')
      expect(resume).toMatchObject({ tailCutAtSeq: lines.length - 1 })
      expect((await life.runToEnd()).status).toBe('completed')
    }
  })

  test('refuses damage in the middle with file, line and event, and changes nothing', async () => {
    const files = await failedRun()
    replaceText(files, 'events.jsonl', (log) => log.replace('"step":"one"', '"step":"0ne"'))
    const before = text(files, path(files, 'events.jsonl'))
    const life = engineBench(files).life(countingWriter([]))
    await expect(async () => life.incarnation.recover({})).rejects.toThrow(
      /^\.workflow\/runs\/chain-[0-9a-f]{8}\/events\.jsonl is damaged: line 2 \(event 1\): the checksum does not match\. Nothing was changed\./,
    )
    expect(text(files, path(files, 'events.jsonl'))).toBe(before)
  })

  test('ignores a damaged snapshot, since the log can stand in for it', async () => {
    const files = await failedRun()
    replaceText(files, 'state.json', (state) => state.replace('"status":"failed"', '"status":"faulty"'))
    const executions: string[] = []
    const life = engineBench(files).life(countingWriter(executions))
    await life.incarnation.recover({})
    expect((await life.runToEnd()).status).toBe('completed')
    expect(executions).toEqual(['two', 'three'])
  })

  test('refuses a changed artifact by name, rebuilds it, or accepts it', async () => {
    for (const [policy, expected] of [
      ['rebuild', ['one', 'two', 'three']],
      ['accept', ['two', 'three']],
    ] as const) {
      const files = await failedRun()
      files.perform({ op: 'write', path: 'out/one.txt', data: 'tampered\n' })
      const executions: string[] = []
      const life = engineBench(files).life(countingWriter(executions))
      await expect(async () => life.incarnation.recover({})).rejects.toThrow(
        `'out/one.txt' (from step 'one') was changed. Restore the file, or resume with artifacts 'rebuild'`,
      )
      expect(path(files, '/lock')).toBe('<missing>')
      await life.incarnation.recover({ artifacts: policy })
      expect((await life.runToEnd()).status).toBe('completed')
      expect(executions).toEqual(expected)
      expect(text(files, 'out/one.txt')).toBe(policy === 'rebuild' ? 'by one\n' : 'tampered\n')
    }
  })

  test('refuses a changed definition and shows the difference', async () => {
    const files = await failedRun()
    const { definition } = await loadWorkflow(
      defineWorkflow({ ...chain, steps: chain.steps.map((step) => ({ ...step, retries: 2 })) }),
    )
    const life = engineBench(files).life(countingWriter([]))
    await expect(async () => life.incarnation.recover({ expects: definition })).rejects.toThrow(
      'steps.one.retries: 0 is now 2; steps.three.retries: 0 is now 2; steps.two.retries: 0 is now 2',
    )
  })

  test('stops the run at the first failed write, and acknowledges nothing after it', async () => {
    const files = createVirtualFiles()
    let fail = false
    const bench = engineBench({
      perform(operation) {
        if (fail && operation.op === 'append')
          throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
        return files.perform(operation)
      },
    })
    const life = bench.life({
      writer: async (context) => {
        fail = context.step === 'two'
        return countingWriter([])['writer']?.(context)
      },
    })
    await life.start(chain)
    await expect(life.runToEnd()).rejects.toThrow('failed (EIO: i/o error, write), so the run stopped')
    expect(life.incarnation.state().completedSteps).toEqual(['one'])
    fail = false
    await expect(life.runToEnd()).rejects.toThrow('so the run stopped')
  })
})

function logOf(files: VirtualFiles): readonly WorkflowEvent[] {
  const log = path(files, 'events.jsonl')
  if (log === '<missing>') return []
  return text(files, log)
    .split('\n')
    .filter((line) => line.length > 9)
    .map((line) => JSON.parse(line.slice(9)) as WorkflowEvent)
}
