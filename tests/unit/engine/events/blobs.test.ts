import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { deferred, isFaultlineError } from '../../../../src/core/index.ts'
import { createReferenceDriver } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agents, FilesPort, RunReader, RunView } from '../../../../src/ports/index.ts'
import type { StateDocument } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import type { EngineLifeUnderTest } from '../../../support/engine-run.ts'

/** Small, so that outputs that are too large are quick to write. */
const outputCapBytes = 200
const settings = { outputCapBytes }
const large = { text: 'x'.repeat(300) }

/** A large output with an artifact, the same one without, a small one, and one that asks for the first. */
const workflow: AgentWorkflow = {
  id: 'large',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'thinker', next: 'three' },
    {
      id: 'three',
      agent: 'reader',
      gate: { condition: `steps['one'].output.text.size() == 300 && output.seen == 300` },
    },
  ],
}

function agents(executions: string[] = []): Agents {
  return {
    writer: async ({ step, artifacts }) => {
      executions.push(step)
      await artifacts.write('out/one.txt', 'by one')
      return large
    },
    thinker: ({ step }) => {
      executions.push(step)
      return large
    },
    reader: ({ step, outputs }) => {
      executions.push(step)
      return { seen: (outputs['two'] as typeof large).text.length }
    },
  }
}

async function completed(files: VirtualFiles): Promise<void> {
  const life = engineBench(files, settings).life(agents())
  await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('completed')
}

function paths(files: VirtualFiles): readonly string[] {
  return [...files.snapshotFiles().keys()]
}

function textOf(files: VirtualFiles, name: string): string {
  const [, bytes] = [...files.snapshotFiles()].find(([path]) => path.endsWith(name)) ?? []
  return new TextDecoder().decode(bytes)
}

function blobs(files: VirtualFiles): readonly string[] {
  return paths(files).filter((path) => path.includes('/blobs/'))
}

function reader(files: FilesPort): RunReader {
  return createReferenceDriver().reader({
    files,
    digest: createDigest(),
    owner: createInventedOwner('reader'),
  })
}

async function view(files: FilesPort): Promise<RunView> {
  const each = reader(files)
  return each.read((await each.last()) as string)
}

interface Line {
  readonly kind: string
  readonly output?: unknown
  readonly outputBlob?: { readonly sha256: string; readonly sizeBytes: number }
}

function lines(files: VirtualFiles): readonly Line[] {
  return textOf(files, 'events.jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line.slice(9)) as Line)
}

/** Runs until the disk stops answering at operation `last`, as if the process had died there. */
async function dies(
  files: VirtualFiles,
  last: number,
  executions: string[],
  move: (life: EngineLifeUnderTest) => Promise<unknown>,
  caps = settings,
): Promise<boolean> {
  let count = 0
  const died = deferred<boolean>()
  const dying: FilesPort = {
    perform(operation) {
      if (++count <= last) return files.perform(operation)
      died.resolve(true)
      return new Promise(() => {}) as never
    },
  }
  const ended = move(engineBench(dying, caps).life(agents(executions))).then(() => false)
  return Promise.race([ended, died.promise])
}

async function startAndRun(life: EngineLifeUnderTest): Promise<unknown> {
  await life.start(workflow)
  return life.runToEnd()
}

async function recoverAndRun(life: EngineLifeUnderTest): Promise<unknown> {
  await life.incarnation.recover({})
  return life.runToEnd()
}

describe('an output that is too large for the log', () => {
  test('lies in one file per content; log and state name it, readers get it whole', async () => {
    const files = createVirtualFiles()
    await completed(files)
    const json = JSON.stringify(large)
    const outputBlob = { sha256: createDigest().sha256(json), sizeBytes: json.length }
    expect(blobs(files)).toEqual([expect.stringMatching(new RegExp(`/blobs/${outputBlob.sha256}$`))])
    expect(textOf(files, outputBlob.sha256)).toBe(json)
    const written = lines(files).filter(({ kind }) => /prepared|finish/.test(kind))
    expect(written.map(({ kind, output, outputBlob: named }) => [kind, output, named])).toEqual([
      ['artifacts_prepared', undefined, outputBlob],
      ['step_finish', undefined, outputBlob],
      ['step_finish', undefined, outputBlob],
      ['step_finish', { seen: 300 }, undefined],
    ])
    const saved = JSON.parse(textOf(files, 'state.json')) as StateDocument
    expect(Object.keys(saved.steps['one'] ?? {})).not.toContain('output')
    expect(saved.steps['one']?.outputBlob).toEqual(outputBlob)
    expect(saved.steps['three']).toMatchObject({ output: { seen: 300 } })
    expect(Object.keys(saved.steps['three'] ?? {})).not.toContain('outputBlob')

    const { state, events } = await view(files)
    expect(state.steps['one']).toMatchObject({ output: large, outputBlob })
    const read = events.filter(({ kind }) => kind === 'artifacts_prepared' || kind === 'step_finish')
    expect(read.map((event) => 'output' in event && event.output)).toEqual([
      large,
      large,
      large,
      { seen: 300 },
    ])
  })

  test('is told apart by its bytes, not its characters', async () => {
    for (const [letter, count, outside] of [
      ['a', 198, 0],
      ['a', 199, 1],
      ['ä', 99, 0],
      ['ä', 100, 1],
    ] as const) {
      const files = createVirtualFiles()
      const life = engineBench(files, settings).life({ worker: () => letter.repeat(count) })
      await life.start({ id: 'one', steps: [{ id: 'only', agent: 'worker' }] })
      await life.runToEnd()
      expect([letter, count, blobs(files).length]).toEqual([letter, count, outside])
    }
  })

  test('is told to observers and moving calls as it is read back later', async () => {
    const files = createVirtualFiles()
    const bench = engineBench(files, settings)
    const life = bench.life(agents())
    await life.start(workflow)
    await life.runToEnd()
    expect((await view(files)).events).toEqual(bench.events)
    expect(life.incarnation.state()).toEqual((await view(files)).state)
  })

  test('is durable, by content and by name, before the event that names it is written', async () => {
    const bench = engineBench(createVirtualFiles(), settings)
    const life = bench.life(agents())
    await life.start(workflow)
    await life.runToEnd()
    const digest = createDigest().sha256(JSON.stringify(large))
    const first = bench.trace.indexOf('makeFolder <run>/blobs')
    expect(bench.trace.slice(first, first + 8).map((line) => line.replaceAll(digest, '<digest>'))).toEqual([
      'makeFolder <run>/blobs',
      'fsyncFolder <run>',
      'write <run>/blobs/<digest>.tmp',
      'fsync <run>/blobs/<digest>.tmp',
      'rename <run>/blobs/<digest>.tmp -> <run>/blobs/<digest>',
      'fsyncFolder <run>/blobs',
      'append <run>/events.jsonl',
      'fsync <run>/events.jsonl',
    ])
    expect(bench.trace.filter((line) => line.includes('/blobs'))).toHaveLength(5)
  })

  test('by default has more than 64 KiB', async () => {
    for (const [length, outside] of [
      [64 * 1024 - 2, 0],
      [64 * 1024 - 1, 1],
    ] as const) {
      const files = createVirtualFiles()
      const life = engineBench(files).life({ worker: () => 'a'.repeat(length) })
      await life.start({ id: 'one', steps: [{ id: 'only', agent: 'worker' }] })
      await life.runToEnd()
      expect([length, blobs(files).length]).toEqual([length, outside])
    }
  })
})

describe('after a death', () => {
  test.each(['kill', 'power-min'] as const)(
    'at any file operation (%s), also of the recovery, the run comes to the same and leaves no blob that nothing names',
    async (outcome) => {
      const undisturbed = createVirtualFiles()
      await completed(undisturbed)
      let orphans = 0
      for (let last = 1; ; last++) {
        const files = createVirtualFiles()
        const executions: string[] = []
        if (!(await dies(files, last, executions, startAndRun))) break
        const left = files.afterCrash(outcome)
        if (!paths(left).some((path) => path.endsWith('last.json'))) continue
        if (lines(left).at(-1)?.kind === 'workflow_end') continue
        const named = lines(left).flatMap(({ outputBlob }) => outputBlob?.sha256 ?? [])
        if (blobs(left).some((path) => !named.some((digest) => path.endsWith(digest)))) orphans++
        // Every third operation of the recovery: all of them, over the deaths before it.
        for (let again = last % 3; ; again += 3) {
          const twice = left.fork()
          const died = await dies(twice, again, executions, recoverAndRun)
          const disk = died ? twice.afterCrash(outcome) : twice
          if (died && lines(disk).at(-1)?.kind !== 'workflow_end')
            await recoverAndRun(engineBench(disk, settings).life(agents(executions)))
          expect([last, again, blobs(disk)]).toEqual([last, again, blobs(undisturbed)])
          const { state } = await view(disk)
          expect([last, again, state.status]).toEqual([last, again, 'completed'])
          expect([state.steps['one']?.output, state.steps['two']?.output]).toEqual([large, large])
          if (!died) break
        }
      }
      expect(orphans).toBeGreaterThan(0)
    },
  )

  test('an orphan is removed and never believed, even under the right name', async () => {
    const files = createVirtualFiles()
    const json = JSON.stringify(large)
    const digest = createDigest().sha256(json)
    const life = engineBench(files, settings).life({
      ...agents(),
      writer: () => {
        throw new Error('overloaded')
      },
    })
    await life.start(workflow)
    expect((await life.runToEnd()).status).toBe('failed')
    const folder = paths(files)
      .find((path) => path.endsWith('events.jsonl'))
      ?.replace('events.jsonl', 'blobs') as string
    files.perform({ op: 'makeFolder', path: folder })
    files.perform({ op: 'write', path: `${folder}/${digest}`, data: 'not what its name says' })
    files.perform({ op: 'write', path: `${folder}/${'0'.repeat(64)}.tmp`, data: json })
    await recoverAndRun(engineBench(files, settings).life(agents()))
    expect(blobs(files)).toEqual([`${folder}/${digest}`])
    expect(textOf(files, digest)).toBe(json)
  })

  test.each([
    ['missing', undefined, 'is missing'],
    ['changed', JSON.stringify({ ...large, text: 'y' }), 'does not match its digest'],
    ['empty', '', 'does not match its digest'],
  ])(
    'a blob that is %s is reported with its path, and nothing is changed',
    async (_name, content, reason) => {
      const files = createVirtualFiles()
      const life = engineBench(files, settings).life({
        ...agents(),
        reader: () => {
          throw new Error('overloaded')
        },
      })
      await life.start(workflow)
      expect((await life.runToEnd()).status).toBe('failed')
      const [path = ''] = blobs(files)
      if (content === undefined) files.perform({ op: 'remove', path })
      else files.perform({ op: 'write', path, data: content })
      const before = files.snapshotFiles()
      for (const attempt of [
        () => view(files),
        () => recoverAndRun(engineBench(files, settings).life(agents())),
      ]) {
        const error = await attempt().catch((thrown: unknown) => thrown)
        expect(isFaultlineError(error, 'STATE_CORRUPT') && error.message).toMatch(
          `${path} is damaged: it ${reason}`,
        )
        expect(isFaultlineError(error) && error.details).toMatchObject({ file: path, seq: 2, line: 3 })
      }
      expect(files.snapshotFiles()).toEqual(before)
    },
  )

  test('a cap that was changed since changes nothing about what is on disk', async () => {
    const files = createVirtualFiles()
    const first = engineBench(files, settings).life({
      ...agents(),
      reader: () => {
        throw new Error('overloaded')
      },
    })
    await first.start(workflow)
    await first.runToEnd()
    await recoverAndRun(engineBench(files, { outputCapBytes: 10 }).life(agents()))
    expect(blobs(files)).toHaveLength(2)
    const { state } = await view(files)
    expect([state.steps['two']?.output, state.steps['three']?.output]).toEqual([large, { seen: 300 }])
  })

  test('a step that recovery finishes has its output made durable before the log names it', async () => {
    const inline = { outputCapBytes: 1_000 }
    for (let last = 1; ; last++) {
      const files = createVirtualFiles()
      const ended = !(await dies(files, last, [], startAndRun, inline))
      expect(ended).toBe(false)
      if (lines(files).at(-1)?.kind !== 'artifacts_prepared') continue
      const bench = engineBench(files.afterCrash('kill'), settings)
      await bench.life(agents()).incarnation.recover({})
      const operations = bench.trace.filter((line) => line.startsWith('rename'))
      const place = (part: string): number => operations.findIndex((line) => line.includes(part))
      expect(place('/blobs/')).toBeGreaterThanOrEqual(0)
      expect(place('/blobs/')).toBeLessThan(place('/events.jsonl'))
      return
    }
  })
})
