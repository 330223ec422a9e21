import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { canonicalJson } from '../../../src/core/index.ts'
import type { JsonObject } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents } from '../../../src/ports/index.ts'
import { encodeLine, stateSchemaVersion } from '../../../src/trace/index.ts'
import type { EventBody, StateDocument, WorkflowEvent } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const { crc32, sha256 } = createDigest()

const workflow: AgentWorkflow = {
  id: 'notes',
  steps: [
    { id: 'outline', agent: 'writer', creates: ['outline.md'] },
    { id: 'review', agent: 'writer', gate: { condition: 'output.good', onFail: 'outline', maxLoops: 1 } },
  ],
}

function writer(good: boolean): Agents {
  return {
    async writer({ step, artifacts }) {
      if (step === 'outline') await artifacts.write('outline.md', '# Notes')
      return { good }
    },
  }
}

interface FailedRun {
  readonly files: VirtualFiles
  readonly runId: string
  readonly folder: string
}

/** A run whose gate has failed twice: the loop is used up, and the state has something in every member. */
async function failedRun(): Promise<FailedRun> {
  const files = createVirtualFiles()
  const life = engineBench(files).life(writer(false))
  const runId = await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('failed')
  return { files, runId, folder: `.workflow/runs/${runId}` }
}

const stateOf = ({ files, runId }: FailedRun): Promise<StateDocument> =>
  Promise.resolve(engineBench(files).reader.read(runId)).then(({ state }) => state)

function bytesAt(files: VirtualFiles, path: string): Uint8Array {
  return files.snapshotFiles().get(path) as Uint8Array
}

const decoder = new TextDecoder()

function unsealed(snapshot: JsonObject): JsonObject {
  const { checksum: _, ...body } = snapshot
  return body
}

/** The snapshot with the checksum that its content has. */
function sealed(snapshot: JsonObject): JsonObject {
  const body = unsealed(snapshot)
  return { ...body, checksum: sha256(canonicalJson(body)) }
}

describe('a damaged snapshot', () => {
  test('never changes what is read, wherever a byte is flipped', async () => {
    const run = await failedRun()
    const path = `${run.folder}/state.json`
    const intact = await stateOf(run)
    const snapshot = bytesAt(run.files, path)
    expect(intact.saveSeq).toBe(2)
    for (let position = 0; position < snapshot.length; position += 3) {
      const damaged = snapshot.slice()
      damaged[position] = (damaged[position] as number) ^ 0x01
      run.files.perform({ op: 'write', path, data: damaged })
      // The log says everything but how often it was saved.
      expect([position, await stateOf(run)]).toEqual([position, { ...intact, saveSeq: 0 }])
    }
  }, 30_000)

  /** What `member` of the snapshot leads to when it is changed and the checksum is not. */
  async function resumedWith(change: (snapshot: JsonObject) => unknown): Promise<readonly unknown[]> {
    const { files, folder } = await failedRun()
    const path = `${folder}/state.json`
    const snapshot = JSON.parse(decoder.decode(bytesAt(files, path))) as JsonObject
    const data = change(snapshot)
    files.perform({ op: 'write', path, data: typeof data === 'string' ? data : `${JSON.stringify(data)}\n` })
    const bench = engineBench(files)
    const life = bench.life(writer(true))
    const { restarts } = await life.incarnation.recover({})
    const { status } = await life.runToEnd()
    return [
      restarts,
      status,
      ...bench.logs.map(({ level, message }) => `${level}: ${message.replace(folder, '<run>')}`),
    ]
  }

  const ignored = (why: string): readonly unknown[] => [
    ['review'],
    'completed',
    `warn: <run>/state.json was ignored because ${why}; the log stands in for it.`,
  ]

  test('with any member changed is ignored, says so, and the log stands in for it', async () => {
    const run = await failedRun()
    const members = Object.keys(
      JSON.parse(decoder.decode(bytesAt(run.files, `${run.folder}/state.json`))) as JsonObject,
    )
    expect(members.length).toBeGreaterThan(20)
    for (const member of members) {
      const outcome = await resumedWith((snapshot) => ({ ...snapshot, [member]: 'changed' }))
      expect([member, outcome]).toEqual([member, ignored('its checksum does not match its content')])
    }
  })

  test.each([
    ['no JSON', () => '{"seq":', 'it is not valid JSON'],
    ['a list', () => [], 'it is not a JSON object'],
    ['one without a checksum', unsealed, 'it has no checksum'],
    [
      'one of a later version',
      (snapshot: JsonObject) => sealed({ ...snapshot, schemaVersion: stateSchemaVersion + 1 }),
      `it has schema version ${stateSchemaVersion + 1}, and this faultline reads ${stateSchemaVersion} and older ones`,
    ],
    [
      'one of another run',
      (snapshot: JsonObject) => sealed({ ...snapshot, runId: 'other', seq: 9_999 }),
      `it belongs to run 'other'`,
    ],
  ])('that is %s is ignored', async (_, change, why) => {
    expect(await resumedWith(change)).toEqual(ignored(why))
  })

  test('that somebody has merely laid out anew is trusted', async () => {
    expect(await resumedWith((snapshot) => JSON.stringify(snapshot, undefined, 2))).toEqual([
      ['review'],
      'completed',
    ])
  })

  test('that is gone is missed: the last pointer was written after it', async () => {
    const { files, folder } = await failedRun()
    files.perform({ op: 'remove', path: `${folder}/state.json` })
    const bench = engineBench(files)
    const life = bench.life(writer(true))
    await life.incarnation.recover({})
    expect([(await life.runToEnd()).status, bench.logs.map(({ message }) => message)]).toEqual([
      'completed',
      [`${folder}/state.json was ignored because it is missing; the log stands in for it.`],
    ])
  })
})

describe('a damaged log', () => {
  /** The message with which the run is refused after `damage`; neither reading nor recovering changes a byte. */
  async function refusal(damage: (run: FailedRun) => void): Promise<string> {
    const run = await failedRun()
    damage(run)
    const before = run.files.snapshotFiles()
    const bench = engineBench(run.files)
    const life = bench.life(writer(true))
    const messages = await Promise.all(
      [() => bench.reader.read(run.runId), () => life.incarnation.recover({ runId: run.runId })].map(
        async (attempt) => {
          try {
            await attempt()
            return 'it can be read'
          } catch (error) {
            return (error as Error).message
          }
        },
      ),
    )
    expect(messages[1]).toBe(messages[0])
    expect(run.files.snapshotFiles()).toEqual(before)
    return (messages[0] as string).replace(run.folder, '<run>').split('. Nothing was changed.')[0] as string
  }

  function log({ files, folder }: FailedRun): readonly string[] {
    return decoder.decode(bytesAt(files, `${folder}/events.jsonl`)).split(/(?<=\n)/)
  }

  function writeLog({ files, folder }: FailedRun, lines: readonly string[]): void {
    files.perform({ op: 'write', path: `${folder}/events.jsonl`, data: lines.join('') })
  }

  /** Adds a line that is intact and that no engine would write there. */
  function forge(run: FailedRun, kept: number, body: EventBody): void {
    const lines = log(run).slice(0, kept)
    const last = JSON.parse((lines.at(-1) as string).slice(9)) as WorkflowEvent
    const { v, epoch, at, workflowId, runId, correlationId, seq } = last
    const event = { v, seq: seq + 1, epoch, durableSeq: seq, at, workflowId, runId, correlationId, ...body }
    writeLog(run, [...lines, encodeLine(JSON.stringify(event), crc32)])
    run.files.perform({ op: 'remove', path: `${run.folder}/state.json` })
  }

  const context = { visit: 1, attempt: 1, agent: 'writer' } as const
  const finish: EventBody = {
    kind: 'step_finish',
    status: 'completed',
    step: 'outline',
    output: null,
    artifacts: [],
    durationMs: 0,
    ...context,
  }
  const start: EventBody = { kind: 'step_start', status: 'running', step: 'outline', ...context }

  test.each([
    ['a step finishes that was not started', 1, finish, 'a step that finishes is running'],
    [
      'a step starts before what it depends on',
      1,
      { ...start, step: 'review' },
      'a step starts after all it depends on',
    ],
    ['a step starts twice', 2, start, 'a step that starts is pending or retrying'],
    ['an attempt is left out', 1, { ...start, attempt: 2 }, 'attempts are numbered in order'],
    [
      'a step is named that is not there',
      1,
      { ...start, step: 'outlin' },
      `has no step 'outlin'. Did you mean 'outline'?`,
    ],
  ] as const)('in which %s is refused with file, line and event', async (_, kept, body, why) => {
    const message = await refusal((run) => forge(run, kept, body))
    expect(message).toMatch(`<run>/events.jsonl is damaged: line ${kept + 1} (event ${kept}) cannot follow: `)
    expect(message).toContain(why)
  })

  test('that goes on behind the end of its run is refused', async () => {
    let length = 0
    const message = await refusal((run) => {
      length = log(run).length
      forge(run, length, start)
    })
    expect(message).toMatch(`line ${length + 1} (event ${length}) cannot follow: `)
    expect(message).toContain('nothing follows the end of a run')
  })

  test('that is shorter than its snapshot knows it to be is refused', async () => {
    expect(await refusal((run) => writeLog(run, log(run).slice(0, 3)))).toMatch(
      /^<run>\/events\.jsonl is damaged: line 4 \(event 3\): the log ends although event \d+ was known to be durable$/,
    )
  })

  test('that is shorter than the last pointer knows it to be is refused', async () => {
    const message = await refusal((run) => {
      run.files.perform({ op: 'remove', path: `${run.folder}/state.json` })
      writeLog(run, [])
    })
    expect(message).toBe(
      `<run>/events.jsonl is damaged: line 1 (event 0): the log ends although event 0 was known to be durable`,
    )
  })

  test('without a complete first event, for which nobody vouches, holds no run', async () => {
    const message = await refusal((run) => {
      run.files.perform({ op: 'remove', path: `${run.folder}/state.json` })
      run.files.perform({ op: 'remove', path: '.workflow/last.json' })
      writeLog(run, [(log(run)[0] as string).slice(0, 40)])
    })
    expect(message).toMatch(
      /^Run '.*' ended before its first event was recorded, so no step of it has run\. Start a new run\.$/,
    )
  })
})

test('an announced artifact that is neither staged nor in place is named, and nothing is lost by saying so', async () => {
  const { files, runId, folder } = await failedRun()
  const path = `${folder}/events.jsonl`
  const lines = decoder.decode(bytesAt(files, path)).split(/(?<=\n)/)
  const prepared = lines.findIndex((line) => line.includes('"kind":"artifacts_prepared"'))
  files.perform({ op: 'write', path, data: lines.slice(0, prepared + 1).join('') })
  files.perform({ op: 'remove', path: `${folder}/state.json` })
  files.perform({ op: 'remove', path: 'outline.md' })
  const life = engineBench(files).life(writer(true))
  await expect(async () => life.incarnation.recover({})).rejects.toMatchObject({
    code: 'STATE_CORRUPT',
    message: expect.stringMatching(
      `^outline\\.md is damaged: it was announced in event ${prepared} and is neither staged nor in place`,
    ) as unknown,
    details: { path: 'outline.md', seq: prepared },
  })
  expect(files.snapshotFiles().has(`${folder}/lock`)).toBe(false)
  files.perform({ op: 'write', path: 'outline.md', data: '# Notes' })
  expect(await life.incarnation.recover({})).toEqual({ runId, restarts: ['review'] })
  expect((await life.runToEnd()).status).toBe('completed')
})
