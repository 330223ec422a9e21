import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { assertWorkflowArtifacts, createProject, runWorkflowStepByStep } from 'faultline'
import type { Project, WorkflowSession } from 'faultline'
import { agentError } from 'faultline/fault-injection'
import { describe, expect } from 'faultline/vitest'
import { fail } from './failures.ts'
import { release, test } from './story.ts'

describe('artifacts', { tags: ['e2e_workflow'] }, () => {
  test('of completed steps are not touched again: same path, content and time of change', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, { fault: agentError('package') })
    const before = await recorded(session)
    expect(before.length).toBeGreaterThan(5)
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(await recorded(session)).toEqual(expect.arrayContaining([...before]))
  })

  test('of a failed attempt are not in the project, and nothing of it is left', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, { fault: agentError('package', { moment: 'after' }) })
    expect(await filesBelow(project, 'release/')).toEqual(['release/plan.json'])
    expect(await filesBelow(project, '.workflow/runs/')).toEqual([
      `.workflow/runs/${session.runId}/events.jsonl`,
      `.workflow/runs/${session.runId}/state.json`,
    ])
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })

  test('that a process left half-written when it died are swept away by the resume', async ({
    project,
    agents,
  }) => {
    const session = await runWorkflowStepByStep(release, { project, agents })
    await session.runUntil('lint')
    await session.crash()
    const staging = `.workflow/runs/${session.runId}/staging`
    expect(await filesBelow(project, staging)).toContain(`${staging}/document#1@1/docs/api/modules/app.md`)
    expect(await filesBelow(project, 'docs/')).toEqual([])
    await session.resume()
    expect(await filesBelow(project, staging)).toEqual([])
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })

  test('are there once, after retries and a resume', async ({ project, agents }) => {
    const given = await project.list()
    const fault = agentError('test', { moment: 'after', times: 'until-failed' })
    const session = await fail({ project, agents }, { fault })
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveRun('test', 4)
    const paths = session.state().artifacts.map(({ path }) => path)
    expect(paths).toEqual([...new Set(paths)])
    expect(await project.list()).toEqual([...given, ...paths].sort())
    const announced = session
      .events()
      .flatMap((event) => (event.kind === 'step_finish' ? event.artifacts.map(({ path }) => path) : []))
    expect(announced.toSorted()).toEqual(paths)
    expect(await filesBelow(project, `.workflow/runs/${session.runId}/staging`)).toEqual([])
  })

  test('that were changed behind the run are refused by name until they are as they were', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, { fault: agentError('review') })
    const built = await project.read('dist/app.js')
    await project.write('dist/app.js', 'something else')
    await expect(assertWorkflowArtifacts(session, {})).rejects.toThrow(
      "changed: dist/app.js was produced by step 'build'",
    )
    await expect(session.resume()).rejects.toThrow(/dist\/app\.js/)
    await project.write('dist/app.js', built)
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(session).toHaveRunOnce('build')
  })
})

describe('projects', { tags: ['e2e_workflow'], concurrent: true }, () => {
  for (const [mine, other] of [
    ['first', 'second'],
    ['second', 'first'],
  ] as const) {
    test(`are isolated: what the ${mine} test writes the ${other} one does not see`, async ({
      project,
      agents,
      expect: expectHere,
    }) => {
      expectHere(await project.exists('left-over.txt')).toBe(false)
      await project.write('left-over.txt', mine)
      const session = await fail({ project, agents }, { fault: agentError('review') })
      await session.resume()
      await session.runToEnd()
      expectHere(session).toHaveCompleted()
      expectHere(await project.readText('left-over.txt')).toBe(mine)
    })
  }

  test('are gone when they are removed', async ({ expect: expectHere }) => {
    const project = await createProject({ template: 'medium' })
    const folder = project.folder ?? ''
    expectHere((await stat(folder)).isDirectory()).toBe(true)
    await project.remove()
    await expectHere(stat(folder)).rejects.toThrow('ENOENT')
  })
})

/** What the run has recorded, with what the disk says about it. */
async function recorded(session: WorkflowSession): Promise<readonly object[]> {
  const { artifacts } = await session.capture()
  return Promise.all(
    artifacts.map(async (artifact) => {
      const { mtimeNs, ino } = await stat(join(session.project.folder ?? '', artifact.path), { bigint: true })
      return { ...artifact, mtimeNs, ino }
    }),
  )
}

async function filesBelow(project: Project, folder: string): Promise<readonly string[]> {
  return (await project.list({ all: true })).filter((path) => path.startsWith(folder))
}
