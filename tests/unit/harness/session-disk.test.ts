import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Agents, Project, WorkflowSession, WorkflowSessionOptions } from '../../../src/harness/index.ts'
import type { CrashOutcome } from '../../../src/definition/index.ts'
import type { DiskAtCrash, UnsyncedFile } from '../../../src/trace/index.ts'

const open: WorkflowSession[] = []

afterEach(async () => {
  for (const session of open.splice(0)) {
    await session.close()
    await session.project.remove()
  }
})

const fork = defineWorkflow({
  id: 'fork',
  steps: [
    { id: 'quick', agent: 'quick', creates: ['out/quick.txt'], requires: [] },
    { id: 'slow', agent: 'slow', creates: ['out/slow.txt'] },
  ],
})

const text = 'twenty bytes of text'

/** Writes at once and goes on long after the other step has completed. */
const agents: Agents = {
  async quick({ artifacts, clock }) {
    await clock.sleep(10)
    await artifacts.write('out/quick.txt', 'quick\n')
  },
  async slow({ artifacts, clock }) {
    await artifacts.write('out/slow.txt', text)
    await clock.sleep(1_000)
  },
}

const staged = /staging\/.*out\/slow\.txt$/

/** A run whose slow step has written a file that no sync has reached. */
async function underWay(options: WorkflowSessionOptions = {}): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(fork, { agents, ...options })
  open.push(session)
  expect(await session.next()).toMatchObject({ status: 'stopped', step: 'quick' })
  return session
}

async function crashed(
  session: WorkflowSession,
  disk?: CrashOutcome,
): Promise<{ readonly crash: DiskAtCrash; readonly slow: UnsyncedFile | undefined }> {
  expect(await session.crash(disk === undefined ? {} : { disk })).toMatchObject({ status: 'crashed' })
  const crash = (await session.recording()).crashes.at(-1) as DiskAtCrash
  return { crash, slow: crash.unsynced.find(({ path }) => staged.test(path)) }
}

function textOf(bytes: Uint8Array | null | undefined): string | null {
  return bytes == null ? null : new TextDecoder().decode(bytes)
}

/** The staged file as it lies in the project's folder. */
function stagedIn({ folder }: Project): string | undefined {
  const run = join(folder as string, '.workflow/runs')
  if (!existsSync(run)) return undefined
  const found = readdirSync(run, { recursive: true }).find((path) => staged.test(String(path)))
  return found === undefined ? undefined : readFileSync(join(run, String(found)), 'utf8')
}

describe.each(['folder', 'simulated'] as const)('a crash of a session on a %s disk', (disk) => {
  test.each([
    ['kill', text],
    ['torn-half', text.slice(0, 10)],
    ['power-min', null],
  ] as const)('leaves after %s what its name says, and tells what was not durable', async (outcome, left) => {
    const session = await underWay({ disk })
    const { crash, slow } = await crashed(session, outcome)
    expect([crash.incarnation, crash.outcome, crash.seq]).toEqual([1, outcome, session.events().at(-1)?.seq])
    expect(textOf(slow?.written)).toBe(text)
    expect(slow?.durable).toBeNull()
    expect(textOf(slow?.left)).toBe(left)
    expect(crash.durable.map(({ path }) => path)).toContain('out/quick.txt')
    expect(stagedIn(session.project) ?? null).toBe(disk === 'folder' ? left : null)
    await session.resume()
    expect(await session.runToEnd()).toMatchObject({ status: 'completed' })
    expect(session.events().filter(({ kind }) => kind === 'workflow_resume')).toHaveLength(1)
  })

  test('keeps everything unless it is told otherwise', async () => {
    const { crash, slow } = await crashed(await underWay({ disk }))
    expect([crash.outcome, textOf(slow?.left)]).toEqual(['kill', text])
  })

  test('tells of each crash what was not durable then', async () => {
    const session = await underWay({ disk })
    await crashed(session, 'power-min')
    await session.resume()
    await session.runToEnd()
    const { crashes } = await session.recording()
    expect(crashes.map(({ incarnation }) => incarnation)).toEqual([1])
  })
})

test('a crash in a folder leaves files alone that were there before', async () => {
  const project = await createProject()
  await project.write('out/slow.txt', 'by hand\n')
  await project.write('notes.md', 'notes\n')
  const session = await underWay({ project })
  await crashed(session, 'power-min')
  expect(await project.readText('out/slow.txt')).toBe('by hand\n')
  expect(await project.readText('notes.md')).toBe('notes\n')
  expect(existsSync(join(project.folder as string, 'out/quick.txt'))).toBe(true)
})

describe('what a recording holds of artifacts', () => {
  const loop = defineWorkflow({
    id: 'loop',
    steps: [
      { id: 'write', agent: 'write', creates: ['out/page.md'], next: 'review' },
      {
        id: 'review',
        agent: 'review',
        gate: { condition: 'output.good == true', onFail: 'write', maxLoops: 3 },
      },
    ],
  })
  const looping: Agents = {
    write: ({ artifacts, visit }) => artifacts.write('out/page.md', `draft ${visit}\n`),
    review: ({ visit }) => ({ good: visit === 3 }),
  }

  test.each(['folder', 'simulated'] as const)(
    'is every content that they had, on a %s disk',
    async (disk) => {
      const session = await runWorkflowStepByStep(loop, { agents: looping, disk })
      open.push(session)
      await session.runToEnd()
      const { artifacts, earlierArtifacts, events } = await session.recording()
      expect(artifacts.map(({ bytes }) => textOf(bytes))).toEqual(['draft 3\n'])
      expect(
        earlierArtifacts.map(({ seq, bytes }) => {
          const event = events[seq]
          return [event?.kind, event !== undefined && 'visit' in event ? event.visit : null, textOf(bytes)]
        }),
      ).toEqual([
        ['artifact_created', 1, 'draft 1\n'],
        ['artifact_created', 2, 'draft 2\n'],
      ])
    },
  )

  test('is what lay in their place before the run', async () => {
    const project = await createProject()
    await project.write('out/page.md', 'by hand\n')
    const session = await runWorkflowStepByStep(loop, { agents: looping, project })
    open.push(session)
    await session.runToEnd()
    const { originals } = await session.recording()
    expect(originals?.from).toBe('project')
    expect(originals?.files.map(({ path, bytes }) => [path, textOf(bytes)])).toEqual([
      ['out/page.md', 'by hand\n'],
    ])
  })

  test('is what the template has in their place', async () => {
    const project = await createProject({ template: 'small' })
    const path = 'src/app.js'
    const inTemplate = await project.readText(path)
    await project.write(path, 'by hand\n')
    const workflow = defineWorkflow({ id: 'one', steps: [{ id: 'write', agent: 'write', creates: [path] }] })
    const session = await runWorkflowStepByStep(workflow, {
      agents: { write: ({ artifacts }) => artifacts.write(path, 'by the agent\n') },
      project,
    })
    open.push(session)
    await session.runToEnd()
    const { originals } = await session.recording()
    expect(originals?.from).toBe('template')
    expect(originals?.files.map(({ bytes }) => textOf(bytes))).toEqual([inTemplate])
  })
})
