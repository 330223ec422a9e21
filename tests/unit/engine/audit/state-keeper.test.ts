import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { createStateKeeper } from '../../../../src/engine/index.ts'
import type { AgentWorkflow, Finding, StateKeeper } from '../../../../src/engine/index.ts'
import type { Agents, OwnerPort } from '../../../../src/ports/index.ts'
import { encodeLine } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'kept',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], next: 'two' },
    { id: 'two', agent: 'failing' },
  ],
}
const agents: Agents = {
  writer: async ({ artifacts }) => {
    await artifacts.write('out/one.txt', 'by one')
    return 'x'.repeat(200)
  },
  failing: () => {
    throw new Error('overloaded')
  },
}

interface Kept {
  readonly files: VirtualFiles
  readonly runId: string
  readonly folder: string
  readonly log: string
  readonly state: string
  readonly blob: string
}

async function failedRun(): Promise<Kept> {
  const files = createVirtualFiles()
  const life = engineBench(files, { outputCapBytes: 100 }).life(agents)
  const runId = await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('failed')
  const folder = `.workflow/runs/${runId}`
  const blob = [...files.snapshotFiles().keys()].find((path) => path.includes('/blobs/')) as string
  return { files, runId, folder, log: `${folder}/events.jsonl`, state: `${folder}/state.json`, blob }
}

function keeper(files: VirtualFiles, owner: OwnerPort = createInventedOwner('keeper')): StateKeeper {
  return createStateKeeper({ files, digest: createDigest(), owner })
}

async function findings({ files, runId }: Kept): Promise<readonly Finding[]> {
  return (await keeper(files).validate(runId)).findings
}

function text(files: VirtualFiles, path: string): string {
  return new TextDecoder().decode(files.perform({ op: 'read', path }))
}

function write(files: VirtualFiles, path: string, data: string): void {
  files.perform({ op: 'write', path, data })
}

/** Replaces an event of the log by another with a right checksum. */
function forge({ files, log }: Kept, seq: number, change: (json: string) => string): void {
  const lines = text(files, log).trimEnd().split('\n')
  lines[seq] = encodeLine(change(lines[seq]?.slice(9) as string), createDigest().crc32).trimEnd()
  write(files, log, `${lines.join('\n')}\n`)
}

describe('a check of a run', () => {
  test('finds nothing wrong with a run as the engine leaves it, and changes nothing', async () => {
    const run = await failedRun()
    const before = run.files.snapshotFiles()
    expect(await keeper(run.files).validate(run.runId)).toEqual({
      runId: run.runId,
      events: text(run.files, run.log).trimEnd().split('\n').length,
      artifacts: 1,
      findings: [],
    })
    expect(run.files.snapshotFiles()).toEqual(before)
    await expect(keeper(run.files).validate('kept-00000000')).rejects.toThrow(
      `There is no run 'kept-00000000'`,
    )
  })

  const damages: readonly (readonly [string, (run: Kept) => void, (run: Kept) => Partial<Finding>])[] = [
    [
      'a flipped byte of the log',
      (run) => write(run.files, run.log, text(run.files, run.log).replace('writer', 'wrider')),
      ({ log }) => ({ file: log, line: 1, seq: 0, what: 'line 1 (event 0): the checksum does not match' }),
    ],
    [
      'an event that cannot follow',
      (run) =>
        forge(run, 2, (json) => json.replace('"attempt":1', '"attempt":7').replace('prepared', 'creating')),
      ({ log }) => ({ file: log, line: 3, seq: 2 }),
    ],
    [
      'a missing blob',
      ({ files, blob }) => files.perform({ op: 'remove', path: blob }),
      ({ blob }) => ({ file: blob, line: 3, seq: 2 }),
    ],
    [
      'a cut tail that nothing vouches for',
      ({ files, log }) => files.perform({ op: 'append', path: log, data: '0badc0de {"v"' }),
      ({ log }) => ({ severity: 'note', file: log }),
    ],
    [
      'a missing snapshot',
      ({ files, state }) => files.perform({ op: 'remove', path: state }),
      ({ state }) => ({ file: state, what: 'it is missing' }),
    ],
    [
      'a changed snapshot',
      ({ files, state }) => write(files, state, text(files, state).replace('failed', 'paused')),
      ({ state }) => ({ file: state, what: 'its checksum does not match its content' }),
    ],
    [
      'a snapshot with a right checksum that says other than the log',
      ({ files, state }) => {
        const { checksum: _checksum, ...body } = JSON.parse(text(files, state)) as { checksum: string }
        const other = JSON.stringify(body).replace('"seed":1', '"seed":2')
        write(files, state, `${other.slice(0, -1)},"checksum":"${createDigest().sha256(other)}"}\n`)
      },
      ({ state }) => ({ file: state, what: expect.stringMatching(/^seed differs from/) as string }),
    ],
    [
      'no last pointer',
      ({ files }) => files.perform({ op: 'remove', path: '.workflow/last.json' }),
      () => ({ file: '.workflow/last.json', what: 'it is missing' }),
    ],
    [
      'a damaged last pointer',
      ({ files }) => write(files, '.workflow/last.json', '{}'),
      () => ({ file: '.workflow/last.json', what: 'it is not a last pointer' }),
    ],
    [
      'a last pointer to nowhere',
      ({ files }) => write(files, '.workflow/last.json', '{"runId":"kept-00000000","seq":1}'),
      () => ({ file: '.workflow/last.json', what: `it names run 'kept-00000000', which has no log` }),
    ],
    [
      'a changed artifact',
      ({ files }) => write(files, 'out/one.txt', 'mine'),
      () => ({
        file: 'out/one.txt',
        what: expect.stringMatching(/^it is not what it was: step 'one' left 6 bytes/) as string,
      }),
    ],
    [
      'a missing artifact',
      ({ files }) => files.perform({ op: 'remove', path: 'out/one.txt' }),
      () => ({ file: 'out/one.txt', what: expect.stringMatching(/^it is missing/) as string }),
    ],
    [
      'a blob that nothing names',
      ({ files, folder }) => write(files, `${folder}/blobs/${'0'.repeat(64)}`, 'left over'),
      ({ folder }) => ({ severity: 'note', file: `${folder}/blobs/${'0'.repeat(64)}` }),
    ],
  ]

  test.each(damages)('names %s with its place and with what to do', async (_name, damage, expected) => {
    const run = await failedRun()
    damage(run)
    const found = await findings(run)
    expect(found).toEqual([expect.objectContaining({ severity: 'problem', ...expected(run) })])
    expect(found[0]?.advice).toMatch(/^[A-Z].*\.$/)
  })

  test('takes a snapshot of an older version as good', async () => {
    const run = await failedRun()
    const newer = JSON.parse(text(run.files, run.state)) as Readonly<Record<string, unknown>>
    const added = new Set(['checksum', 'reason', 'progress', 'safePoint', 'monitoring'])
    const kept = Object.entries({ ...newer, schemaVersion: 1 }).filter(([member]) => !added.has(member))
    const older = JSON.stringify(Object.fromEntries(kept))
    write(run.files, run.state, `${older.slice(0, -1)},"checksum":"${createDigest().sha256(older)}"}\n`)
    expect(await findings(run)).toEqual([])
  })

  test('does not take artifacts on their way for damage, unless they are gone', async () => {
    const run = await failedRun()
    const lines = text(run.files, run.log).split('\n')
    const prepared = lines.findIndex((line) => line.includes('"kind":"artifacts_prepared"'))
    run.files.perform({ op: 'remove', path: run.state })
    write(run.files, run.log, `${lines.slice(0, prepared + 1).join('\n')}\n`)
    expect((await findings(run)).map(({ file }) => file)).toEqual([run.state])
    const staging = `${run.folder}/staging/one#1@1/out`
    for (const path of [`${run.folder}/staging`, `${run.folder}/staging/one#1@1`, staging])
      run.files.perform({ op: 'makeFolder', path })
    run.files.perform({ op: 'rename', path: 'out/one.txt', to: `${staging}/one.txt` })
    expect((await findings(run)).map(({ file }) => file)).toEqual([run.state])
    run.files.perform({ op: 'remove', path: `${staging}/one.txt` })
    expect(await findings(run)).toEqual([
      expect.objectContaining({ file: run.state }),
      expect.objectContaining({ severity: 'problem', file: 'out/one.txt', seq: prepared }),
    ])
  })
})

describe('a restored snapshot', () => {
  test('is what the engine would have written, and a resume takes it', async () => {
    const run = await failedRun()
    const written = JSON.parse(text(run.files, run.state)) as Readonly<Record<string, unknown>>
    const log = text(run.files, run.log)
    run.files.perform({ op: 'remove', path: run.state })
    expect(await keeper(run.files).restore(run.runId)).toEqual({
      path: run.state,
      seq: written['seq'],
      status: 'failed',
    })
    const restored = JSON.parse(text(run.files, run.state)) as Readonly<Record<string, unknown>>
    expect(restored).toEqual({ ...written, saveSeq: 1, checksum: restored['checksum'] })
    expect(text(run.files, run.log)).toBe(log)
    expect(await findings(run)).toEqual([])
  })

  test('is not written while a live process holds the run; the lock of a dead one is put back', async () => {
    const run = await failedRun()
    const lock = `${run.folder}/lock`
    const holder = createInventedOwner('holder').self
    const held = `${JSON.stringify({ owner: holder, runId: run.runId })}\n`
    write(run.files, lock, held)
    const before = run.files.snapshotFiles()
    const owner = (liveness: 'alive' | 'dead'): OwnerPort => ({ self: holder, liveness: () => liveness })
    await expect(keeper(run.files, owner('alive')).restore(run.runId)).rejects.toThrow('is held by process')
    expect(run.files.snapshotFiles()).toEqual(before)
    await keeper(run.files, owner('dead')).restore(run.runId)
    expect(text(run.files, lock)).toBe(held)
    run.files.perform({ op: 'remove', path: lock })
    await keeper(run.files).restore(run.runId)
    expect(run.files.perform({ op: 'stat', path: lock })).toBeUndefined()
  })

  test('of the past is text that says its place, and the run is not touched', async () => {
    const run = await failedRun()
    const before = run.files.snapshotFiles()
    const past = JSON.parse(await keeper(run.files).stateAt(run.runId, 1)) as Readonly<
      Record<string, unknown>
    >
    expect(past).toMatchObject({ seq: 1, status: 'running', currentSteps: ['one'] })
    await expect(keeper(run.files).stateAt(run.runId, 99)).rejects.toThrow('has no event 99')
    expect(run.files.snapshotFiles()).toEqual(before)
  })
})

test('the size of a run is that of all its files', async () => {
  const { files, runId, folder } = await failedRun()
  const sizes = [...files.snapshotFiles()].filter(([path]) => path.startsWith(folder))
  expect(sizes.length).toBeGreaterThan(2)
  expect(await keeper(files).sizeOf(runId)).toBe(sizes.reduce((sum, [, bytes]) => sum + bytes.length, 0))
})
