import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { renderDiagnostics } from '../../../../src/cli/render-state.ts'
import { createStateKeeper } from '../../../../src/engine/index.ts'
import type { AgentWorkflow, Diagnostics } from '../../../../src/engine/index.ts'
import type { Agents, OwnerPort } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const workflow: AgentWorkflow = {
  id: 'watched',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'], retries: 1, retryDelayMs: 0 },
    { id: 'two', agent: 'stuck', timeout: '10s', dependsOn: 'one' },
  ],
}
const agents: Agents = {
  async writer({ artifacts, attempt }) {
    if (attempt === 1) throw new Error('not yet')
    await artifacts.write('out/one.txt', 'by one')
    return null
  },
  stuck: () => new Promise(() => {}),
}

interface Watched {
  readonly files: VirtualFiles
  readonly folder: string
  readonly runId: string
  readonly now: number
}

/** Stands in its second step. */
async function watched(): Promise<Watched> {
  const files = createVirtualFiles()
  const bench = engineBench(files)
  const life = bench.life(agents)
  const runId = await life.start(workflow)
  for (let tick = 0; tick < 5; tick++) await life.tick()
  return { files, runId, folder: `.workflow/runs/${runId}`, now: bench.clock.now() }
}

function diagnosed(
  { files, runId, now }: Watched,
  liveness: ReturnType<OwnerPort['liveness']> = 'alive',
): Promise<Diagnostics> {
  const owner: OwnerPort = { ...createInventedOwner('looker'), liveness: () => liveness }
  return createStateKeeper({ files, digest: createDigest(), owner }).diagnose(runId, now)
}

const unhealthy = ({ checks }: Diagnostics): readonly string[] =>
  checks.flatMap(({ name, healthy, what }) => (healthy ? [] : [`${name}: ${what}`]))

describe('diagnostics', () => {
  test('of a run that moves say where it stands, what went wrong before, and who holds it', async () => {
    const run = await watched()
    const found = await diagnosed({ ...run, now: run.now + 3_000 })
    expect(found.standing).toEqual({
      status: 'running',
      steps: 2,
      ended: 1,
      current: ['two#1@1 (running)'],
      failedAttempts: 1,
      recoveries: 0,
      sinceLastEventMs: 3_000,
    })
    expect(unhealthy(found)).toEqual([])
    expect(renderDiagnostics({ ...found, runId: 'watched-1' })).toMatchInlineSnapshot(`
      "run         watched-1
      status      running, 1 of 2 steps ended
      in hand     two#1@1 (running)
      troubles    1 failed attempt, 0 recoveries
      last event  3 s ago

        ✓ log
        ✓ state
        ✓ pointer
        ✓ artifacts
        ✓ owner     process 0 holds it
        ✓ pace"
    `)
  })

  test('of a run whose process is gone name it, and what to do', async () => {
    const run = await watched()
    const found = await diagnosed(run, 'dead')
    expect(found.standing?.status).toBe('interrupted')
    expect(unhealthy(found)).toEqual([expect.stringMatching(/^owner: process \d+, which held it, is gone$/)])
    expect(renderDiagnostics(found)).toContain(`Take it up with 'faultline resume ${run.runId}'.`)
    expect(unhealthy(await diagnosed(run, 'elsewhere'))).toEqual([])
  })

  test('of a run with a limit that nobody keeps say for how long', async () => {
    const run = await watched()
    expect(unhealthy(await diagnosed({ ...run, now: run.now + 15_000 }))).toEqual([])
    expect(unhealthy(await diagnosed({ ...run, now: run.now + 16_000 }))).toEqual([
      'pace: a limit passed 6 s ago, and nothing has come of it',
    ])
  })

  test.each([
    ['state.json', 'state'],
    ['events.jsonl', 'log'],
    ['../../last.json', 'pointer'],
    ['../../../out/one.txt', 'artifacts'],
  ])('name a damaged %s as the %s', async (file, name) => {
    const run = await watched()
    const path = new URL(`http://x/${run.folder}/${file}`).pathname.slice(1)
    run.files.perform({ op: 'write', path, data: 'damaged\nat\nlength\n' })
    const found = unhealthy(await diagnosed(run))
    expect(found).toEqual([expect.stringContaining(`${name}: ${path}: `)])
  })

  test('of a run that has ended hold nothing against it', async () => {
    const files = createVirtualFiles()
    const bench = engineBench(files)
    const life = bench.life({ ...agents, stuck: () => null })
    const runId = await life.start(workflow)
    await life.runToEnd()
    const run = { files, runId, folder: '', now: bench.clock.now() + 86_400_000 }
    const found = await diagnosed(run, 'dead')
    expect([found.standing?.status, found.standing?.ended, unhealthy(found)]).toEqual(['completed', 2, []])
  })
})
