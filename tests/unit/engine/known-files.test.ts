import { expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { isFaultlineError, seededRandom } from '../../../src/core/index.ts'
import { foldLog } from '../../../src/engine/run/fold-log.ts'
import { reduce } from '../../../src/engine/run/reducer.ts'
import { stateDocument } from '../../../src/engine/run/state-view.ts'
import { storeLayout } from '../../../src/engine/store/layout.ts'
import { readStoredRun } from '../../../src/engine/store/read-run.ts'
import type { StoredRun } from '../../../src/engine/store/read-run.ts'
import { serialDisk } from '../../../src/engine/store/serial-disk.ts'
import { isWriteLike } from '../../../src/ports/index.ts'
import type { Agents, FilesPort } from '../../../src/ports/index.ts'
import { KnownFiles } from '../../../src/trace/index.ts'
import type { EventOf } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const workflow = {
  id: 'reviewed',
  steps: [
    { id: 'draft', agent: 'writer', creates: ['out/draft.txt'], retries: 1, retryDelayMs: 0 },
    {
      id: 'review',
      agent: 'reviewer',
      gate: { condition: 'output.good', onFail: 'draft', maxLoops: 2 },
    },
    { id: 'publish', agent: 'writer', creates: ['out/publish.txt'] },
  ],
}

/** Fails once, and is sent back once: by what the context says alone, so that lives do not differ. */
const agents: Agents = {
  writer: async ({ step, visit, attempt, artifacts }) => {
    if (step === 'draft' && visit === 1 && attempt === 1) throw new Error('model overloaded')
    await artifacts.write(`out/${step}.txt`, `${step} ${visit}\n`)
    // The log grows so that the state is saved more than once.
    return { text: step.padEnd(6_000, '.') }
  },
  reviewer: async ({ visit }) => ({ good: visit > 1 }),
}

async function lifeOn(files: FilesPort, owner: string, knownFiles?: KnownFiles): Promise<string> {
  const life = engineBench(files, knownFiles === undefined ? {} : { knownFiles }).life(
    agents,
    undefined,
    owner,
  )
  try {
    await life.incarnation.recover({})
    return (await life.runToEnd()).status
  } catch (error) {
    if (isFaultlineError(error)) return error.code
    throw error
  }
}

/** Forks a disk before every operation that changes it. */
function forking(disk: VirtualFiles, forks: VirtualFiles[]): FilesPort {
  return {
    perform(operation) {
      if (isWriteLike(operation)) forks.push(disk.fork())
      return disk.perform(operation)
    },
  }
}

/** The disks that a run leaves when its first life is killed, and when one that took it over is killed in its turn. */
async function disksOfKills(): Promise<readonly VirtualFiles[]> {
  const first: VirtualFiles[] = []
  const life = engineBench(forking(createVirtualFiles(), first)).life(agents, undefined, 'first')
  await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('completed')
  const second: VirtualFiles[] = []
  for (let index = 20; index < first.length; index += 12) {
    const forks: VirtualFiles[] = []
    const disk = (first[index] as VirtualFiles).fork()
    await lifeOn(forking(disk, forks), `second ${index}`)
    second.push(...forks.filter((_, count) => count % 4 === 0))
  }
  return [...first, ...second]
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  const random = seededRandom(3)
  const left = [...values]
  return values.map(() => left.splice(Math.floor(random.next() * left.length), 1)[0] as T)
}

test('a run that is taken up with what is known of others leaves just what it leaves without', async () => {
  const disks = await disksOfKills()
  expect(disks.length).toBeGreaterThan(100)
  const known = new KnownFiles()
  for (const [index, disk] of shuffled(disks).entries()) {
    const [plain, knowing] = [disk.fork(), disk.fork()]
    const status = await lifeOn(plain, 'last')
    expect([index, await lifeOn(knowing, 'last', known)]).toEqual([index, status])
    expect([index, knowing.visibleDigest()]).toEqual([index, plain.visibleDigest()])
  }
})

async function storedOn(files: FilesPort, known?: KnownFiles): Promise<StoredRun> {
  return serialDisk(files).run(readStoredRun(undefined, storeLayout(undefined), createDigest(), known))
}

test('a log whose beginning was folded before is folded from there, up to any of its events', async () => {
  const disks = (await disksOfKills()).slice(40, 60)
  const known = new KnownFiles()
  const whole = await storedOn(disks.at(-1) as VirtualFiles, known)
  const before = await foldLog(whole)
  expect(await foldLog(await storedOn(disks.at(-1) as VirtualFiles, known))).toBe(before)
  for (const disk of shuffled(disks)) {
    const stored = await storedOn(disk, known)
    const plain = await storedOn(disk)
    for (const throughSeq of [Infinity, 4, 0, 7, Infinity]) {
      const state = await foldLog(stored, throughSeq)
      expect(stateDocument(state, 1)).toEqual(stateDocument(await foldLog(plain, throughSeq), 1))
    }
  }
})

test('a resume changes the steps that it interrupts, leaves the others as they are, and nothing of the state before', async () => {
  const disks = await disksOfKills()
  const stored = (
    await Promise.all(
      disks.slice(20).map(async (disk) => {
        const run = await storedOn(disk)
        return { run, state: await foldLog(run) }
      }),
    )
  ).find(({ state }) => state.active.includes(2))
  const { run, state } = stored as NonNullable<typeof stored>
  const before = structuredClone(stateDocument(state, 1))
  const event: EventOf<'workflow_resume'> = {
    ...run.start,
    kind: 'workflow_resume',
    status: 'running',
    seq: state.seq + 1,
    epoch: 2,
    owner: 'second',
    restarts: ['publish'],
  }
  const next = reduce(state, event)
  expect([0, 1, 2].map((index) => next.steps.get(index) === state.steps.get(index))).toEqual([
    true,
    true,
    false,
  ])
  expect([state.steps.get(2).status, next.steps.get(2).status]).toEqual(['running', 'pending'])
  expect(stateDocument(state, 1)).toEqual(before)
  expect(stateDocument(next, 1).steps['publish']?.attempts.at(-1)?.outcome).toBe('interrupted')
})
