import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { isFaultlineError } from '../../../../src/core/index.ts'
import { createReferenceDriver, loadWorkflow, workflowFromText } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agents, FilesPort, RunReader, StorageOptions } from '../../../../src/ports/index.ts'
import type { EventOf, WorkflowEvent } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const records = { checkpointDirectory: '.github/workflow-checkpoints' }

const agents: Agents = { worker: ({ step }) => ({ step }) }

function chain(steps: number, milestones: readonly number[] = []): AgentWorkflow {
  return {
    id: 'chain',
    steps: Array.from({ length: steps }, (_, index) => ({
      id: `s${index + 1}`,
      agent: 'worker',
      ...(milestones.includes(index + 1) ? { milestone: true } : {}),
    })),
  }
}

async function completedRun(
  workflow: AgentWorkflow,
  storage: StorageOptions = {},
  files: FilesPort = createVirtualFiles(),
): Promise<{
  readonly runId: string
  readonly events: readonly WorkflowEvent[]
  readonly trace: readonly string[]
}> {
  const bench = engineBench(files, storage)
  const life = bench.life(agents)
  const runId = await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('completed')
  return { runId, events: bench.events, trace: bench.trace }
}

function checkpointsIn(events: readonly WorkflowEvent[]): readonly EventOf<'checkpoint'>[] {
  return events.filter((event) => event.kind === 'checkpoint')
}

function words(events: readonly WorkflowEvent[]): readonly string[] {
  return checkpointsIn(events).map(({ step, visit, because }) => `${step}#${visit} ${because}`)
}

function readerOf(files: FilesPort): RunReader {
  return createReferenceDriver().reader({
    files,
    digest: createDigest(),
    owner: createInventedOwner('reader'),
  })
}

function text(files: VirtualFiles, path: string): string {
  return new TextDecoder().decode(files.snapshotFiles().get(path))
}

describe('checkpoints', () => {
  test('are kept every five completed steps, every so many as asked, or never', async () => {
    const every = async (storage: StorageOptions): Promise<readonly string[]> =>
      words((await completedRun(chain(12), storage)).events)
    expect(await every({})).toEqual(['s5#1 interval', 's10#1 interval'])
    expect(await every({ checkpointEvery: 4 })).toEqual(['s4#1 interval', 's8#1 interval', 's12#1 interval'])
    expect(await every({ checkpointEvery: 0 })).toEqual([])
    for (const checkpointEvery of [-1, 1.5, Number.NaN]) {
      await expect(every({ checkpointEvery })).rejects.toThrow(
        `checkpointEvery must be a whole number of steps, or 0 for none, and it is ${checkpointEvery}.`,
      )
    }
  })

  test('are kept at milestones besides, once where both fall together', async () => {
    const { events } = await completedRun(chain(6, [2, 5]))
    expect(words(events)).toEqual(['s2#1 milestone', 's5#1 milestone'])
    const yaml = 'id: a\nsteps:\n  - id: x\n    agent: y\n    milestone: sometimes\n'
    await expect(loadWorkflow(workflowFromText(yaml, 'a.yaml'))).rejects.toThrow(
      `steps[0].milestone must be true or false, not 'sometimes'`,
    )
  })

  test('do not overwrite one another when a review loop comes by again', async () => {
    const files = createVirtualFiles()
    const events = await loopRun(files)
    expect(words(events)).toEqual(['draft#1 milestone', 'draft#2 milestone'])
    const records = [...files.snapshotFiles().keys()].filter((path) =>
      path.includes('/workflow-checkpoints/'),
    )
    expect(records.map((path) => path.split('/').at(-1))).toEqual(
      checkpointsIn(events).map(({ name }) => `${name}.json`),
    )
  })

  test('share the commit of the step that they stand behind', async () => {
    const { trace } = await completedRun(chain(10))
    const without = await completedRun(chain(10), { checkpointEvery: 0 })
    const fsyncs = (lines: readonly string[]): number =>
      lines.filter((line) => line.startsWith('fsync ')).length
    expect(fsyncs(trace)).toBe(fsyncs(without.trace))
  })

  test('cost the same in a long run as in a short one', async () => {
    const bytes = async (steps: number): Promise<readonly number[]> => {
      const { events } = await completedRun(chain(steps), { checkpointEvery: 100 })
      return checkpointsIn(events).map((event) => JSON.stringify(event).length)
    }
    const sizes = await bytes(1_000)
    expect(sizes).toHaveLength(10)
    expect((sizes.at(-1) ?? 0) - (sizes[0] ?? 0)).toBeLessThan(20)
  })

  test('name the place at which the log gives back the state as it was', async () => {
    const files = createVirtualFiles()
    const bench = engineBench(files)
    const life = bench.life(agents)
    const runId = await life.start(chain(7))
    let then = life.incarnation.state()
    while (then.completedSteps.length < 5) {
      await life.incarnation.tick({
        holds: new Set(),
        stopsAfter: (event) => event.kind === 'step_finish',
        maxResults: 1,
      })
      await new Promise(setImmediate)
      then = life.incarnation.state()
    }
    await life.runToEnd()
    const [checkpoint] = await readerOf(files).checkpoints(runId)
    expect(checkpoint).toMatchObject({ name: '000010-s5', throughSeq: 10, step: 's5' })
    const { state } = await readerOf(files).read(runId, checkpoint?.throughSeq)
    expect(state).toEqual({ ...then, seq: 10, saveSeq: state.saveSeq })
  })

  test('survive a crash and a resume, and go on counting', async () => {
    const files = createVirtualFiles()
    const first = engineBench(files).life({
      worker: (context) => {
        if (context.step === 's7') throw new Error('overloaded')
        return context.step
      },
    })
    const runId = await first.start(chain(12))
    expect((await first.runToEnd()).status).toBe('failed')
    const second = engineBench(files).life(agents)
    await second.incarnation.recover({})
    await second.runToEnd()
    expect(words(await readerOf(files).checkpoints(runId))).toEqual(['s5#1 interval', 's10#1 interval'])
  })

  test('leave records that say what the log says, where a directory for them is given', async () => {
    const files = createVirtualFiles()
    const { runId, events } = await completedRun(chain(5), { directories: records }, files)
    const record = text(files, `.github/workflow-checkpoints/${runId}/000010-s5.json`)
    expect(JSON.parse(record)).toEqual(checkpointsIn(events)[0])
    const none = createVirtualFiles()
    await completedRun(chain(5), {}, none)
    expect([...none.snapshotFiles().keys()].filter((path) => path.includes('000010-s5'))).toEqual([])
  })

  test('go without records when those cannot be written', async () => {
    const files = createVirtualFiles()
    const failing: FilesPort = {
      perform(operation) {
        if (operation.path.includes('/workflow-checkpoints'))
          throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
        return files.perform(operation)
      },
    }
    const { runId } = await completedRun(chain(5), { directories: records }, failing)
    expect(await readerOf(files).checkpoints(runId)).toHaveLength(1)
  })

  test('are refused when the line that they name has been replaced by another with a good checksum', async () => {
    const files = createVirtualFiles()
    const { runId } = await completedRun(chain(5), {}, files)
    const log = `.workflow/runs/${runId}/events.jsonl`
    const lines = text(files, log).split('\n')
    const forged = (lines[10] ?? '').slice(9).replace('{"step":"s5"}', '{"step":"??"}')
    lines[10] = `${createDigest().crc32(forged).toString(16).padStart(8, '0')} ${forged}`
    files.perform({ op: 'write', path: log, data: lines.join('\n') })
    const outcome = await Promise.resolve()
      .then(async () => readerOf(files).checkpoints(runId))
      .catch((error: unknown) => error)
    expect(isFaultlineError(outcome, 'STATE_CORRUPT') ? outcome.message : outcome).toMatch(
      /events\.jsonl is damaged: line 11 \(event 10\) is not the one that checkpoint '000010-s5' was made of/,
    )
  })
})

/** A review that sends its draft back once. */
async function loopRun(files: FilesPort): Promise<readonly WorkflowEvent[]> {
  const bench = engineBench(files, { directories: records })
  let decisions = 0
  const life = bench.life(agents, { decide: async () => ({ passed: ++decisions > 1 }) })
  await life.start({
    id: 'loop',
    steps: [
      { id: 'draft', agent: 'worker', next: 'review', milestone: true },
      { id: 'review', agent: 'worker', gate: { condition: 'false', onFail: 'draft' } },
    ],
  })
  await life.runToEnd()
  return bench.events
}
