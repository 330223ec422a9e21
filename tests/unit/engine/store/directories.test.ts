import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { isFaultlineError, messageOf } from '../../../../src/core/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { agentError } from '../../../../src/fault-injection/index.ts'
import {
  assertWorkflowArtifacts,
  createProject,
  runWorkflowStepByStep,
} from '../../../../src/harness/index.ts'
import type { Agents, Directories, FilesPort } from '../../../../src/ports/index.ts'
import type { LogEntry } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'

const chain = {
  id: 'chain',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', creates: ['out/two.txt'] },
  ],
}

const agents: Agents = {
  writer: async ({ step, artifacts, log }) => {
    log(`writing ${step}`)
    await artifacts.write(`out/${step}.txt`, `by ${step}`)
    return { seen: [...(await artifacts.list())] }
  },
}

function paths(files: VirtualFiles, runId: string): readonly string[] {
  return [...files.snapshotFiles().keys()].map((path) => path.replace(runId, '<run>')).sort()
}

/** Fails at the second step, is resumed in a new life and runs to its end. */
async function failAndResume(files: VirtualFiles, directories: Directories): Promise<string> {
  const first = engineBench(files, { directories }).life({
    writer: async (context) => {
      if (context.step === 'two') throw new Error('model overloaded')
      return agents['writer']?.(context)
    },
  })
  const runId = await first.start(chain)
  expect((await first.runToEnd()).status).toBe('failed')
  const second = engineBench(files, { directories }).life(agents)
  await second.incarnation.recover({})
  expect((await second.runToEnd()).status).toBe('completed')
  return runId
}

describe('the directories of a run', () => {
  for (const [directories, expected] of [
    [
      {},
      [
        '.workflow/last.json',
        '.workflow/logs/workflow-20260101.log',
        '.workflow/runs/<run>/events.jsonl',
        '.workflow/runs/<run>/state.json',
      ],
    ],
    [
      { stateDirectory: '.tapps-agents/workflow-state' },
      [
        '.tapps-agents/workflow-state/last.json',
        '.tapps-agents/workflow-state/logs/workflow-20260101.log',
        '.tapps-agents/workflow-state/runs/<run>/events.jsonl',
        '.tapps-agents/workflow-state/runs/<run>/state.json',
      ],
    ],
    [
      {
        stateDirectory: '.github/workflow-states',
        checkpointDirectory: '.github/workflow-checkpoints',
        logDirectory: '.github/workflow-logs',
      },
      [
        '.github/workflow-logs/workflow-20260101.log',
        '.github/workflow-states/last.json',
        '.github/workflow-states/runs/<run>/events.jsonl',
        '.github/workflow-states/runs/<run>/state.json',
      ],
    ],
  ] as const) {
    test(`hold all that a run leaves: ${JSON.stringify(directories)}`, async () => {
      const files = createVirtualFiles()
      const runId = await failAndResume(files, directories)
      expect(paths(files, runId)).toEqual([...expected, 'out/one.txt', 'out/two.txt'].sort())
    })
  }

  test('are neither listed to agents nor open to their artifacts', async () => {
    const directories = { stateDirectory: 'state/here', logDirectory: 'logs', checkpointDirectory: 'marks' }
    const files = createVirtualFiles({ 'state/mine.txt': '', 'logs/x': '', 'marks/x': '' })
    const refused: string[] = []
    let listed: readonly string[] = []
    const life = engineBench(files, { directories }).life({
      writer: async ({ artifacts }) => {
        for (const folder of [
          'state/here',
          'state/here/runs',
          'logs/a',
          'marks/b',
          'state/mine',
          'logs2/a',
        ]) {
          await artifacts.write(folder, '').catch((error: unknown) => refused.push(messageOf(error)))
        }
        listed = await artifacts.list()
      },
    })
    await life.start({ id: 'nosy', steps: [{ id: 'one', agent: 'writer' }] })
    await life.runToEnd()
    expect(listed).toEqual(['logs2/a', 'state/mine', 'state/mine.txt'])
    expect(refused).toEqual([
      `An artifact cannot lie in 'state/here', which belongs to the engine: 'state/here'.`,
      `An artifact cannot lie in 'state/here', which belongs to the engine: 'state/here/runs'.`,
      `An artifact cannot lie in 'logs', which belongs to the engine: 'logs/a'.`,
      `An artifact cannot lie in 'marks', which belongs to the engine: 'marks/b'.`,
    ])
  })

  test('lie in the project', () => {
    for (const directories of [
      { stateDirectory: '/var/state' },
      { stateDirectory: '../state' },
      { stateDirectory: '.' },
      { checkpointDirectory: 'a/../../b' },
      { logDirectory: 'C:\\logs' },
    ]) {
      const life = (): unknown => engineBench(createVirtualFiles(), { directories }).life(agents)
      expect([directories, errorCode(life)]).toEqual([directories, 'PATH_OUTSIDE'])
    }
  })

  test('are named by the errors about them', async () => {
    const directories = { stateDirectory: '.github/workflow-states' }
    const life = engineBench(createVirtualFiles(), { directories }).life(agents)
    await expect(async () => life.incarnation.recover({})).rejects.toThrow(
      `No run has been started here: '.github/workflow-states/runs' holds none.`,
    )
    const blocked = engineBench(createVirtualFiles({ '.github': 'a file' }), { directories }).life(agents)
    await expect(blocked.start(chain)).rejects.toThrow(
      `The state folder '.github/workflow-states' cannot be used`,
    )
  })

  test('belong to no project: a session hides them from lists, templates and artifact assertions', async () => {
    const directories = { stateDirectory: 'out/state', logDirectory: 'out/logs' }
    const project = await createProject({ storage: 'memory', directories })
    const session = await runWorkflowStepByStep(
      defineWorkflow({ id: 'wide', steps: [{ id: 'one', agent: 'writer', creates: ['out/'] }] }),
      { project, agents, faults: [agentError('one')] },
    )
    await session.runToEnd()
    await session.resume()
    expect((await session.runToEnd()).status).toBe('completed')
    expect(await project.list()).toEqual(['out/one.txt'])
    expect(await project.list({ all: true })).toContain('out/state/last.json')
    expect(session.state().steps['one']?.output).toEqual({ seen: ['out/one.txt'] })
    await assertWorkflowArtifacts(session, { 'out/one.txt': { producedBy: 'one' } })
    await session.close()
  })
})

test('what a template has left in those directories is not copied from it', async () => {
  const templates = mkdtempSync(join(tmpdir(), 'faultline-templates-'))
  try {
    for (const path of ['mine/notes.md', 'mine/kept/state/last.json', 'mine/kept/logs/x.log']) {
      mkdirSync(dirname(join(templates, path)), { recursive: true })
      writeFileSync(join(templates, path), path)
    }
    const directories = { stateDirectory: 'kept/state', logDirectory: 'kept/logs' }
    const project = await createProject({ template: 'mine', templates, storage: 'memory', directories })
    expect(await project.list({ all: true })).toEqual(['notes.md'])
  } finally {
    rmSync(templates, { recursive: true })
  }
})

describe('the daily log', () => {
  test('holds what agents say and what went wrong, a line of JSON each, in the file of the day', async () => {
    const files = createVirtualFiles()
    const runId = await failAndResume(files, {})
    const entries = logLines(files, '.workflow/logs/workflow-20260101.log')
    expect(entries).toMatchObject([
      { level: 'info', message: 'writing one', runId, step: 'one', visit: 1, attempt: 1 },
      { level: 'error', message: 'model overloaded', runId, step: 'two', visit: 1, attempt: 1 },
      { level: 'info', message: 'writing two', runId, step: 'two', visit: 1, attempt: 2 },
    ])
  })

  test('tells of the end of a run that no step is to blame for', async () => {
    const files = createVirtualFiles()
    const bench = engineBench(files)
    const late = bench.life({ writer: () => new Promise(() => {}) })
    await late.start({ ...chain, id: 'late', settings: { timeout: '10s' } })
    bench.clock.advanceTo(bench.clock.now() + 10_000)
    expect((await late.runToEnd()).status).toBe('failed')
    const unwanted = bench.life({ writer: () => new Promise(() => {}) })
    await unwanted.start(chain)
    await unwanted.incarnation.cancel('changed our minds')
    expect(logLines(files, '.workflow/logs/workflow-20260101.log')).toMatchObject([
      { level: 'error', message: "Workflow 'late' exceeded its limit of 10 s." },
      { level: 'error', message: 'The run was cancelled: changed our minds' },
    ])
  })

  test('goes on in another file at midnight', async () => {
    const files = createVirtualFiles()
    const bench = engineBench(files)
    const life = bench.life({
      talker: ({ log, step }) => {
        log(step)
        bench.clock.advanceTo(bench.clock.now() + 86_400_000)
      },
    })
    await life.start({
      id: 'late',
      settings: { stepTimeout: '48h' },
      steps: [
        { id: 'before', agent: 'talker', next: 'after' },
        { id: 'after', agent: 'talker' },
      ],
    })
    await life.runToEnd()
    expect(logLines(files, '.workflow/logs/workflow-20260101.log')).toMatchObject([{ message: 'before' }])
    expect(logLines(files, '.workflow/logs/workflow-20260102.log')).toMatchObject([{ message: 'after' }])
    expect(bench.trace.filter((line) => line.startsWith('close .workflow/logs'))).toHaveLength(2)
  })

  test('never stops a run that cannot write it', async () => {
    for (const op of ['append', 'makeFolder', 'close']) {
      const files = createVirtualFiles()
      const failing: FilesPort = {
        perform(operation) {
          if (operation.op === op && operation.path.startsWith('.workflow/logs'))
            throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
          return files.perform(operation)
        },
      }
      const life = engineBench(failing).life(agents)
      await life.start(chain)
      expect([op, (await life.runToEnd()).status]).toEqual([op, 'completed'])
    }
  })
})

function logLines(files: VirtualFiles, path: string): readonly LogEntry[] {
  const text = new TextDecoder().decode(files.snapshotFiles().get(path))
  expect(text.endsWith('\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LogEntry)
}

function errorCode(work: () => unknown): string {
  try {
    work()
    return 'no error'
  } catch (error) {
    return isFaultlineError(error) ? error.code : String(error)
  }
}
