import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { canonicalJson } from '../../../../src/core/index.ts'
import type { JsonObject } from '../../../../src/core/index.ts'
import { createReferenceDriver } from '../../../../src/engine/index.ts'
import type { RunReader } from '../../../../src/ports/index.ts'
import { migrateState, stateSchemaVersion } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const runId = 'golden-e37cb382'
const runFolder = `.workflow/runs/${runId}`
const golden = fileURLToPath(new URL('../../../golden/state/', import.meta.url))

/**
 * A run as a faultline of that version left it: it went through a review loop, a retry at `polish` and a failure at
 * `publish`, was resumed and died before `publish`. The folder is called `workflow`, since the other name is not kept in git.
 */
function leftBy(version: string): VirtualFiles {
  const folder = join(golden, version)
  const files: Record<string, Uint8Array> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const absolute = join(entry.parentPath, entry.name)
    files[absolute.slice(folder.length + 1).replace(/^workflow\//, '.workflow/')] = readFileSync(absolute)
  }
  return createVirtualFiles(files)
}

function savedState(files: VirtualFiles): JsonObject {
  const bytes = files.snapshotFiles().get(`${runFolder}/state.json`)
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject
}

/** Puts another state there with a good checksum. */
function saveState(files: VirtualFiles, state: JsonObject): void {
  const json = canonicalJson({ ...state, checksum: undefined })
  const text = `${json.slice(0, -1)},"checksum":"${createDigest().sha256(json)}"}\n`
  files.perform({ op: 'write', path: `${runFolder}/state.json`, data: text })
}

function readerOf(files: VirtualFiles): RunReader {
  return createReferenceDriver().reader({
    files,
    digest: createDigest(),
    owner: createInventedOwner('reader'),
  })
}

describe('runs of older versions', () => {
  const versions = readdirSync(golden)

  test('there is one of every version up to the present', () => {
    expect(versions).toEqual(Array.from({ length: stateSchemaVersion }, (_, index) => `v${index + 1}`))
  })

  test.each(versions)('%s: the saved state is read as one of the present version', (version) => {
    const files = leftBy(version)
    const saved = savedState(files)
    expect(saved['schemaVersion']).toBe(Number(version.slice(1)))
    expect(migrateState(saved)).toMatchObject({
      schemaVersion: stateSchemaVersion,
      status: 'failed',
      reason: `injected failure of agent 'writer'`,
      progress: { completed: 3, total: 4 },
      safePoint: { step: 'polish' },
      monitoring: { errorCount: 2, recoveryAttempts: 0 },
    })
  })

  test.each(versions)('%s: a run is shown, resumed and finished, and nothing is ignored', async (version) => {
    const files = leftBy(version)
    const { state, status } = await readerOf(files).read(runId)
    expect([status, state.progress]).toEqual(['interrupted', { completed: 3, total: 4 }])
    const executions: string[] = []
    const bench = engineBench(files)
    const life = bench.life({
      writer: async ({ step, artifacts }) => {
        executions.push(step)
        await artifacts.write(`out/${step}.txt`, `by ${step}\n`)
      },
    })
    await life.incarnation.recover({})
    expect((await life.runToEnd()).status).toBe('completed')
    expect(executions).toEqual(['publish'])
    expect(bench.logs).toEqual([])
    expect(savedState(files)).toMatchObject({
      schemaVersion: stateSchemaVersion,
      status: 'completed',
      saveSeq: Number(savedState(leftBy(version))['saveSeq']) + 1,
      reason: null,
      progress: { completed: 4, total: 4 },
      safePoint: { step: 'publish' },
      monitoring: { errorCount: 2, recoveryAttempts: 2 },
    })
  })
})

describe('a state of a newer version', () => {
  test('is not read, and the log stands in for it with a warning', async () => {
    const files = leftBy('v1')
    saveState(files, { ...savedState(files), schemaVersion: stateSchemaVersion + 1, status: 'levitating' })
    const bench = engineBench(files)
    const life = bench.life({ writer: async ({ artifacts }) => artifacts.write('out/publish.txt', '') })
    await life.incarnation.recover({})
    expect((await life.runToEnd()).status).toBe('completed')
    expect(bench.logs).toMatchObject([
      {
        level: 'warn',
        message:
          `${runFolder}/state.json was ignored because it has schema version ${stateSchemaVersion + 1}, and this faultline ` +
          `reads ${stateSchemaVersion} and older ones; the log stands in for it.`,
      },
    ])
  })

  test.each([0, -1, 1.5, '1', null, undefined])('neither is one of version %s', (schemaVersion) => {
    const { schemaVersion: _, ...rest } = savedState(leftBy('v1'))
    expect(migrateState(schemaVersion === undefined ? rest : { ...rest, schemaVersion })).toBeUndefined()
  })
})
