import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { createReferenceDriver } from '../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, OwnerPort } from '../../../src/ports/index.ts'
import type { StateDocument, WorkflowEvent } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../support/engine-run.ts'

const eventful: AgentWorkflow = {
  id: 'eventful',
  steps: [
    { id: 'draft', agent: 'writer', creates: ['draft.md'], retries: 1, retryDelayMs: 10 },
    { id: 'review', agent: 'writer', gate: { condition: 'output.visit == 2', onFail: 'draft' } },
    { id: 'publish', agent: 'writer', creates: ['site/'] },
  ],
}

function writers(broken: boolean): Agents {
  return {
    async writer({ step, visit, attempt, artifacts }) {
      if (step === 'draft' && attempt === 1) throw new Error('model overloaded')
      if (step === 'draft') await artifacts.write('draft.md', `draft ${visit}`)
      if (step === 'publish' && broken) throw new Error('no space')
      if (step === 'publish') await artifacts.write('site/index.html', '<p>')
      return { visit }
    },
  }
}

interface Told {
  readonly bench: EngineBench
  readonly runId: string
  /** What the engine said of its state, one event after another. */
  readonly told: readonly StateDocument[]
}

/** A run with a retry, a review loop, a failure and a resume, which has told its state after every commit. */
async function eventfulRun(): Promise<Told> {
  const bench = engineBench(createVirtualFiles())
  const told: StateDocument[] = []
  const move = async (life: EngineLifeUnderTest): Promise<void> => {
    told.push(life.incarnation.state())
    while (life.incarnation.state().status === 'running') {
      const { nextAt, events } = await life.tick({ stopsAfter: () => true, maxResults: 1 })
      if (events.length > 0) told.push(life.incarnation.state())
      else if (nextAt !== undefined) bench.clock.advanceTo(nextAt)
    }
  }
  const first = bench.life(writers(true))
  const runId = await first.start(eventful)
  await move(first)
  const second = bench.life(writers(false))
  await second.incarnation.recover({})
  await move(second)
  return { bench, runId, told }
}

/** Statuses by a reading of its own: the last word of the log on each step. */
function statuses(events: readonly WorkflowEvent[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = { draft: 'pending', review: 'pending', publish: 'pending' }
  const words: Readonly<Record<string, string>> = {
    step_start: 'running',
    step_retry: 'retrying',
    step_finish: 'completed',
    step_fail: 'failed',
  }
  for (const event of events) {
    if ('step' in event && event.step !== undefined)
      found[event.step] = words[event.kind] ?? (found[event.step] as string)
    if (event.kind === 'workflow_resume') for (const step of event.restarts) found[step] = 'pending'
    if (event.kind === 'gate_result' && event.route.to === 'loop')
      found['draft'] = found['review'] = 'pending'
  }
  return found
}

/** The number of the snapshot is not a matter of the log. */
function unsaved(state: StateDocument): StateDocument {
  return { ...state, saveSeq: 0 }
}

describe('a run as it stood after any event', () => {
  test('is what the engine said at that time', async () => {
    const { bench, runId, told } = await eventfulRun()
    expect(told.length).toBeGreaterThan(15)
    for (const state of told) {
      const view = await bench.reader.read(runId, state.seq)
      expect([unsaved(view.state), view.status]).toEqual([unsaved(state), state.status])
    }
  })

  test('is the fold of exactly the events up to there', async () => {
    const { bench, runId } = await eventfulRun()
    const { events } = await bench.reader.read(runId)
    expect(events).toEqual(bench.events)
    for (const { seq } of events) {
      const view = await bench.reader.read(runId, seq)
      const prefix = events.slice(0, seq + 1)
      expect([view.state.seq, view.events]).toEqual([seq, prefix])
      const read = Object.entries(view.state.steps).map(([id, { status }]) => [id, status])
      expect([seq, Object.fromEntries(read)]).toEqual([seq, statuses(prefix)])
    }
    expect((await bench.reader.read(runId, 9_999)).state).toEqual((await bench.reader.read(runId)).state)
  })
})

describe('what a reader sees', () => {
  function readerAs(bench: EngineBench, liveness: ReturnType<OwnerPort['liveness']>) {
    const { files } = bench
    const owner: OwnerPort = { ...createInventedOwner('somebody'), liveness: () => liveness }
    return createReferenceDriver().reader({ files, digest: createDigest(), owner })
  }

  async function running(): Promise<{
    readonly bench: EngineBench
    readonly runId: string
    readonly life: EngineLifeUnderTest
  }> {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({ writer: () => new Promise(() => {}) })
    const runId = await life.start(eventful)
    await life.tick()
    return { bench, runId, life }
  }

  test.each([
    ['alive', 'running'],
    ['elsewhere', 'running'],
    ['dead', 'interrupted'],
  ] as const)('a run in the hands of an owner that is %s is %s', async (liveness, status) => {
    const { bench, runId } = await running()
    expect(await readerAs(bench, liveness).read(runId)).toMatchObject({
      status,
      state: { status: 'running' },
    })
    expect((await readerAs(bench, liveness).read(runId, 1)).status).toBe('running')
  })

  test('a run that nobody holds is interrupted, unless it has ended', async () => {
    const { bench, runId, life } = await running()
    await life.incarnation.close()
    expect((await readerAs(bench, 'alive').read(runId)).status).toBe('interrupted')
    const done = await eventfulRun()
    expect((await readerAs(done.bench, 'dead').read(done.runId)).status).toBe('completed')
  })

  test('a lock that was cut short counts as none', async () => {
    const { bench, runId } = await running()
    for (const data of ['{"owner":', '{}', 'null', '{"owner":{"nonce":1}}']) {
      await bench.files.perform({ op: 'write', path: `.workflow/runs/${runId}/lock`, data })
      expect([data, (await readerAs(bench, 'alive').read(runId)).status]).toEqual([data, 'interrupted'])
    }
  })

  test('runs are listed by name, and the newest is the last', async () => {
    const { bench, runId } = await running()
    expect(await runsOf(bench)).toEqual([[runId], runId])
    const other = await bench.life({ writer: () => null }).start({ ...eventful, id: 'another' })
    await bench.files.perform({ op: 'write', path: '.workflow/runs/notes.txt', data: 'not a run' })
    expect(await runsOf(bench)).toEqual([[other, runId], other])
    expect(await runsOf(engineBench(createVirtualFiles()))).toEqual([[], undefined])
  })

  async function runsOf({ reader }: EngineBench): Promise<unknown> {
    return [await reader.list(), await reader.last()]
  }

  test.each(['{"runId":', 'null', '{"runId":"x"}', '{"seq":1}', '[]'])(
    'a last pointer that reads %s points nowhere',
    async (data) => {
      const { bench, runId } = await running()
      await bench.files.perform({ op: 'write', path: '.workflow/last.json', data })
      expect(await bench.reader.last()).toBeUndefined()
      expect((await bench.reader.read(runId)).state.runId).toBe(runId)
    },
  )

  test('a run that is not there is refused with the nearest name, and an id that is no id by its form', async () => {
    const { bench, runId } = await running()
    await expect(async () => bench.reader.read(`${runId}x`)).rejects.toThrow(
      `There is no run '${runId}x' in '.workflow/runs'. Did you mean '${runId}'?`,
    )
    await expect(async () => bench.reader.read('../runs')).rejects.toThrow(`'../runs' is not a valid run id`)
    await expect(async () => engineBench(createVirtualFiles()).reader.read('one')).rejects.toThrow(
      `There is no run 'one' in '.workflow/runs'. No run has been started here.`,
    )
  })

  test('a state folder that cannot be read is said to be the matter', async () => {
    const { bench, runId } = await running()
    const reader = createReferenceDriver().reader({
      digest: createDigest(),
      owner: createInventedOwner('somebody'),
      files: {
        perform({ path }) {
          throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path })
        },
      },
    })
    await expect(async () => reader.read(runId)).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      message:
        `The state folder '.workflow' cannot be used: EACCES: permission denied. Check that it is a folder and that you may ` +
        `read and write it.`,
      details: { code: 'EACCES', path: expect.stringMatching(/^\.workflow\//) as unknown },
    })
    await bench.files.perform({ op: 'remove', path: '.workflow/last.json' })
    await bench.files.perform({ op: 'makeFolder', path: '.workflow/last.json' })
    await expect(async () => bench.reader.last()).rejects.toMatchObject({
      code: 'STATE_UNREADABLE',
      details: { code: 'EISDIR' },
    })
  })
})
