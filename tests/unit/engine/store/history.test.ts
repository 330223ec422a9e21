import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createCompression, createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { createReferenceDriver } from '../../../../src/engine/index.ts'
import type { Agents, FilesPort, HistoryOptions, RunReader } from '../../../../src/ports/index.ts'
import { eventWords, engineBench } from '../../../support/engine-run.ts'
import type { EngineBench } from '../../../support/engine-run.ts'

const compression = createCompression()

/** Returns so much that the log doubles, and the state is saved, several times. */
const agents: Agents = { talker: ({ step }) => ({ text: step.repeat(2_000) }) }

const chain = {
  id: 'chain',
  steps: Array.from({ length: 8 }, (_, index) => ({ id: `step-${index}`, agent: 'talker' })),
}

function bench(files: FilesPort, history: HistoryOptions): EngineBench {
  return engineBench(files, { history, compression })
}

async function completedRun(
  history: HistoryOptions,
): Promise<{ readonly files: VirtualFiles; readonly runId: string; readonly saves: number }> {
  const files = createVirtualFiles()
  const engine = bench(files, history)
  const run = engine.life(agents)
  const runId = await run.start(chain)
  expect((await run.runToEnd()).status).toBe('completed')
  return { files, runId, saves: engine.trace.filter((line) => line.endsWith('-> <run>/state.json')).length }
}

function readerOf(files: FilesPort): RunReader {
  return createReferenceDriver().reader({
    files,
    digest: createDigest(),
    compression,
    owner: createInventedOwner('reader'),
  })
}

function names(files: VirtualFiles): readonly string[] {
  return [...files.snapshotFiles().keys()]
    .filter((path) => path.includes('/history/'))
    .map((path) => path.split('/').at(-1) ?? '')
}

function statePath(files: VirtualFiles): string {
  return [...files.snapshotFiles().keys()].find((path) => path.endsWith('/state.json')) ?? '<missing>'
}

describe('the history of states', () => {
  test('is empty unless it is asked for', async () => {
    const { files, runId } = await completedRun({})
    expect(names(files)).toEqual([])
    expect(await readerOf(files).history(runId)).toEqual([])
  })

  test('holds every former state, numbered, though no time passes between two saves', async () => {
    const { files, runId, saves } = await completedRun({ keep: 100 })
    expect(saves).toBeGreaterThan(3)
    expect(names(files).map((name) => Number(name.slice(0, 6)))).toEqual(
      Array.from({ length: saves - 1 }, (_, index) => index + 1),
    )
    const reader = readerOf(files)
    for (const { saveSeq, seq } of await reader.history(runId)) {
      const { state } = await reader.read(runId, seq)
      expect(await reader.savedState(runId, saveSeq)).toEqual({ ...state, saveSeq })
    }
  })

  test('forgets the oldest beyond what is kept', async () => {
    const { files, saves } = await completedRun({ keep: 2 })
    expect(names(files).map((name) => Number(name.slice(0, 6)))).toEqual([saves - 2, saves - 1])
  })

  test('can be compressed, into files that any tool reads', async () => {
    const { files, runId } = await completedRun({ keep: 100, compress: true })
    const plain = await completedRun({ keep: 100 })
    expect(names(files)).toEqual(names(plain.files).map((name) => `${name}.gz`))
    const reader = readerOf(files)
    for (const { path, saveSeq } of await reader.history(runId)) {
      const packed = files.snapshotFiles().get(path) ?? new Uint8Array()
      const original = plain.files.snapshotFiles().get(path.replace(/\.gz$/, '')) ?? new Uint8Array()
      expect(new Uint8Array(gunzipSync(packed))).toEqual(original)
      expect((await reader.savedState(runId, saveSeq)).saveSeq).toBe(saveSeq)
    }
  })

  test('says what is damaged or not there', async () => {
    for (const compress of [false, true]) {
      const { files, runId } = await completedRun({ keep: 100, compress })
      const reader = readerOf(files)
      const [first, second, third] = await reader.history(runId)
      const flip = (path = '', from = 0): void => {
        const bytes = (files.snapshotFiles().get(path) ?? new Uint8Array()).slice()
        bytes[from] = (bytes[from] ?? 0) ^ 1
        files.perform({ op: 'write', path, data: bytes })
      }
      flip(first?.path, 30)
      flip(second?.path, 0)
      await expect(async () => reader.savedState(runId, 1)).rejects.toThrow(`${first?.path} is damaged: `)
      await expect(async () => reader.savedState(runId, 2)).rejects.toThrow(`${second?.path} is damaged: `)
      expect((await reader.savedState(runId, 3)).seq).toBe(third?.seq)
      await expect(async () => reader.savedState(runId, 99)).rejects.toThrow(
        'holds no state 99: there are 1, 2, 3',
      )
    }
  })

  test('is checked before a run begins', () => {
    const life = (history: HistoryOptions) => (): unknown =>
      engineBench(createVirtualFiles(), { history }).life({})
    expect(life({ keep: -1 })).toThrow(
      'history.keep must be a whole number of states, or 0 for none, and it is -1.',
    )
    expect(life({ keep: 0.5 })).toThrow('and it is 0.5.')
    expect(life({ keep: 1, compress: true })).toThrow(
      'history.compress needs something that compresses, and this engine was given nothing.',
    )
  })

  test('keeps no state that does not verify, and goes on numbering behind it', async () => {
    const failed = createVirtualFiles()
    const first = bench(failed, { keep: 100 }).life({
      talker: (context) => {
        if (context.step === 'step-6') throw new Error('overloaded')
        return agents['talker']?.(context)
      },
    })
    await first.start(chain)
    expect((await first.runToEnd()).status).toBe('failed')
    const before = names(failed)
    failed.perform({ op: 'write', path: statePath(failed), data: '{"saveSeq":4' })
    const second = bench(failed, { keep: 100 }).life(agents)
    await second.incarnation.recover({})
    expect((await second.runToEnd()).status).toBe('completed')
    const numbers = names(failed).map((name) => Number(name.slice(0, 6)))
    expect(names(failed).slice(0, before.length)).toEqual(before)
    expect(numbers).toEqual([...new Set(numbers)].sort((left, right) => left - right))
    expect(second.incarnation.state().saveSeq).toBe((numbers.at(-1) ?? 0) + 1)
  })

  test('is swept by a resume that keeps none itself', async () => {
    const files = createVirtualFiles()
    const first = bench(files, { keep: 100 }).life({
      talker: () => {
        throw new Error('overloaded')
      },
    })
    const runId = await first.start(chain)
    expect((await first.runToEnd()).status).toBe('failed')
    const [kept] = await readerOf(files).history(runId)
    files.perform({ op: 'write', path: `${kept?.path}.tmp`, data: '{' })
    await engineBench(files).life(agents).incarnation.recover({})
    expect(names(files)).toEqual([kept?.path.split('/').at(-1)])
  })

  test('costs fewer bytes than twice the log, however long the run is', async () => {
    for (const steps of [32, 512]) {
      let bytes = 0
      let logged = 0
      const files = createVirtualFiles()
      const counting: FilesPort = {
        perform(operation) {
          if (operation.op === 'append') logged += operation.data.length
          if (operation.op === 'write' && operation.path.includes('/history/')) bytes += operation.data.length
          return files.perform(operation)
        },
      }
      const run = bench(counting, { keep: 100 }).life(agents)
      await run.start({
        id: 'long',
        steps: Array.from({ length: steps }, (_, index) => ({ id: `s${index}`, agent: 'talker' })),
      })
      await run.runToEnd()
      expect([steps, bytes > 0 && bytes < 2 * logged]).toEqual([steps, true])
    }
  })
})

describe('a state.json that cannot be used', () => {
  async function failedRun(history: HistoryOptions = {}): Promise<VirtualFiles> {
    const files = createVirtualFiles()
    const first = bench(files, history).life({
      talker: (context) => {
        if (context.step === 'step-2') throw new Error('overloaded')
        return agents['talker']?.(context)
      },
    })
    await first.start(chain)
    expect((await first.runToEnd()).status).toBe('failed')
    return files
  }

  const other = JSON.stringify({ schemaVersion: 99 })
  test.each([
    [
      'cut',
      (files: VirtualFiles) => files.perform({ op: 'write', path: statePath(files), data: '{' }),
      'it is not valid JSON',
    ],
    [
      'emptied',
      (files: VirtualFiles) => files.perform({ op: 'write', path: statePath(files), data: '' }),
      'it is not valid JSON',
    ],
    [
      'replaced',
      (files: VirtualFiles) => files.perform({ op: 'write', path: statePath(files), data: other }),
      'it has no checksum',
    ],
    [
      'removed',
      (files: VirtualFiles) => files.perform({ op: 'remove', path: statePath(files) }),
      'it is missing',
    ],
  ])(
    'is told by status, log and event when it was %s, and made anew by the resume',
    async (_how, damage, problem) => {
      const files = await failedRun()
      const path = statePath(files)
      const [runId = ''] = await readerOf(files).list()
      expect(await readerOf(files).read(runId)).not.toHaveProperty('stateProblem')
      damage(files)
      const view = await readerOf(files).read(runId)
      expect(view).toMatchObject({ status: 'failed', stateProblem: problem })
      const again = bench(files, {})
      const life = again.life(agents)
      await life.incarnation.recover({})
      expect(again.events).toMatchObject([{ kind: 'workflow_resume', stateIgnored: problem }])
      expect(again.logs).toMatchObject([
        { level: 'warn', message: `${path} was ignored because ${problem}; the log stands in for it.` },
      ])
      expect(await readerOf(files).read(runId)).not.toHaveProperty('stateProblem')
      expect((await life.runToEnd()).status).toBe('completed')
      expect(
        eventWords(again.events)
          .filter((word) => word.startsWith('step_start'))
          .slice(0, 2),
      ).toEqual(['step_start step-2#1@2', 'step_start step-3#1@1'])
    },
  )

  test('is no fault when the run died before it was written for the first time', async () => {
    const files = createVirtualFiles()
    const dying: FilesPort = {
      perform(operation) {
        if (operation.path.endsWith('state.json.tmp')) throw new Error('the process dies here')
        return files.perform(operation)
      },
    }
    await expect(bench(dying, {}).life(agents).start(chain)).rejects.toThrow('the process dies here')
    const [runId = ''] = await readerOf(files).list()
    const again = bench(files, {})
    await again.life(agents).incarnation.recover({ runId })
    expect(again.logs).toEqual([])
    expect((await readerOf(files).read(runId)).stateProblem).toBeUndefined()
  })
})
