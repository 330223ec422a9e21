import { describe, expect, test } from 'vitest'
import { createCompression, createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { deferred, isFaultlineError } from '../../../../src/core/index.ts'
import { createReferenceDriver } from '../../../../src/engine/index.ts'
import { isWriteLike } from '../../../../src/ports/index.ts'
import type { Agents, FileOperation, FilesPort, RunReader } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import type { EngineLifeUnderTest } from '../../../support/engine-run.ts'

/** Everything that can be switched on. */
const storage = {
  directories: {
    stateDirectory: 'kept/state',
    checkpointDirectory: 'kept/checkpoints',
    logDirectory: 'kept/logs',
  },
  checkpointEvery: 2,
  history: { keep: 2, compress: true },
  compression: createCompression(),
}

const workflow = {
  id: 'chain',
  steps: ['one', 'two', 'three', 'four'].map((id) => ({ id, agent: 'writer', creates: [`out/${id}.txt`] })),
}

const agents: Agents = {
  writer: async ({ step, artifacts, log }) => {
    log(`writing ${step}`)
    await artifacts.write(`out/${step}.txt`, `by ${step}\n`)
    // The log doubles, and the state is saved, more than once.
    return { text: step.padEnd(10_000, '.') }
  },
}

function lifeOn(files: FilesPort): EngineLifeUnderTest {
  return engineBench(files, storage).life(agents)
}

function readerOf(files: FilesPort): RunReader {
  const { directories, compression } = storage
  return createReferenceDriver().reader({
    files,
    digest: createDigest(),
    owner: createInventedOwner('reader'),
    directories,
    compression,
  })
}

/** The disk as it is when the process dies before operation `last + 1`; undefined when the work ends before. */
async function diskAfter(
  disk: VirtualFiles,
  last: number,
  work: (life: EngineLifeUnderTest) => Promise<unknown>,
): Promise<VirtualFiles | undefined> {
  let count = 0
  const died = deferred<'died'>()
  const dying: FilesPort = {
    perform(operation) {
      if (++count <= last) return disk.perform(operation)
      died.resolve('died')
      return new Promise(() => {}) as never
    },
  }
  const ended = work(lifeOn(dying)).then(() => 'ended' as const)
  return (await Promise.race([ended, died.promise])) === 'ended' ? undefined : disk
}

async function begin(life: EngineLifeUnderTest): Promise<string> {
  await life.start(workflow)
  return (await life.runToEnd()).status
}

/** All that is on the disk reads right, or is not there. */
async function expectReadable(files: VirtualFiles, runId: string): Promise<void> {
  const reader = readerOf(files)
  const view = await reader.read(runId)
  expect(view.stateProblem).toBeUndefined()
  for (const { throughSeq, step } of await reader.checkpoints(runId)) {
    const { state } = await reader.read(runId, throughSeq)
    expect(state.completedSteps.at(-1)).toBe(step)
  }
  for (const { saveSeq, seq } of await reader.history(runId)) {
    const { state } = await reader.read(runId, seq)
    expect(await reader.savedState(runId, saveSeq)).toEqual({ ...state, saveSeq })
  }
}

async function outcomeOf(reader: RunReader, runId: string): Promise<unknown> {
  const { status, steps, artifacts, completedSteps, progress } = (await reader.read(runId)).state
  return {
    status,
    completedSteps,
    progress,
    outputs: Object.entries(steps).map(([id, step]) => [id, step.status, step.output]),
    artifacts: artifacts.map(({ path, sha256 }) => [path, sha256]),
    checkpoints: (await reader.checkpoints(runId)).map(({ step }) => step),
  }
}

/** Resumes, unless the run had ended already, and answers how it ended. */
async function finish(files: VirtualFiles): Promise<unknown> {
  const life = lifeOn(files)
  try {
    await life.incarnation.recover({})
    await life.runToEnd()
  } catch (error) {
    if (!isFaultlineError(error, 'RUN_NOT_RESUMABLE')) throw error
  }
  const reader = readerOf(files)
  const runId = (await reader.last()) ?? ''
  await expectReadable(files, runId)
  const left = [...files.snapshotFiles().keys()].filter((path) => path.endsWith('.tmp'))
  expect(left).toEqual([])
  return outcomeOf(reader, runId)
}

async function undisturbed(): Promise<{ readonly files: VirtualFiles; readonly outcome: unknown }> {
  const files = createVirtualFiles()
  await begin(lifeOn(files))
  const reader = readerOf(files)
  const runId = (await reader.last()) ?? ''
  expect((await reader.history(runId)).length).toBe(2)
  expect((await reader.checkpoints(runId)).length).toBe(2)
  return { files, outcome: await outcomeOf(reader, runId) }
}

describe('with history, checkpoints and logs in directories of their own', () => {
  test.each(['kill', 'power-min'] as const)(
    'a death at any file operation (%s) leaves nothing that reads wrong, and the run can be finished',
    async (crash) => {
      const { outcome } = await undisturbed()
      let deaths = 0
      for (let last = 1; ; last++) {
        const died = await diskAfter(createVirtualFiles(), last, begin)
        if (died === undefined) break
        const disk = died.afterCrash(crash)
        const runId = await readerOf(disk).last()
        if (runId === undefined) continue
        deaths++
        await expectReadable(disk, runId)
        expect([last, await finish(disk)]).toEqual([last, outcome])
      }
      expect(deaths).toBeGreaterThan(80)
    },
  )

  test('so does a death at any file operation of a recovery that writes a damaged state anew', async () => {
    const { outcome } = await undisturbed()
    const failed = createVirtualFiles()
    const first = engineBench(failed, storage).life({
      writer: async (context) => {
        if (context.step === 'three') throw new Error('overloaded')
        return agents['writer']?.(context)
      },
    })
    await first.start(workflow)
    expect((await first.runToEnd()).status).toBe('failed')
    const state = [...failed.snapshotFiles().keys()].find((path) => path.endsWith('/state.json')) ?? ''
    failed.perform({ op: 'write', path: state, data: '{' })
    failed.perform({ op: 'fsync', path: state })
    let deaths = 0
    for (let last = 1; ; last++) {
      const died = await diskAfter(failed.fork(), last, async (life) => life.incarnation.recover({}))
      if (died === undefined) break
      deaths++
      for (const crash of ['kill', 'power-min'] as const) {
        expect([last, crash, await finish(died.afterCrash(crash))]).toEqual([last, crash, outcome])
      }
    }
    expect(deaths).toBeGreaterThan(20)
  })

  test('an error of the disk at any write stops the run, fails a step or does no harm, and the run can be finished', async () => {
    const { outcome } = await undisturbed()
    const stopped = new Set<string>()
    const unharmed = new Set<string>()
    for (let at = 1; ; at++) {
      const disk = createVirtualFiles()
      let writes = 0
      let hit: FileOperation | undefined
      const failing: FilesPort = {
        perform(operation) {
          if (isWriteLike(operation) && ++writes === at) {
            hit = operation
            throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
          }
          return disk.perform(operation)
        },
      }
      const result = await begin(lifeOn(failing)).catch(() => 'stopped')
      if (hit === undefined) break
      const where = hit.path.replace(/chain-[0-9a-f]+/, '<run>').replace(/\d{6}-.*/, '<name>')
      if (result === 'stopped') stopped.add(where)
      if (result === 'completed') unharmed.add(where)
      if ((await readerOf(disk).last()) === undefined) continue
      await expectReadable(disk, (await readerOf(disk).last()) ?? '')
      expect([at, await finish(disk)]).toEqual([at, outcome])
    }
    expect([...unharmed].filter((path) => !/^kept($|\/(logs|checkpoints))/.test(path))).toEqual([])
    expect([...unharmed]).toContain('kept/checkpoints/<run>/<name>')
    expect([...unharmed]).toContain('kept/logs/workflow-20260101.log')
    expect([...stopped]).toContain('kept/state/runs/<run>/history/<name>')
    expect([...stopped]).toContain('kept/state/runs/<run>/state.json.tmp')
  })
})
