import { afterEach, describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError } from '../../../src/fault-injection/index.ts'
import {
  assertWorkflowArtifacts,
  captureWorkflowState,
  createProject,
  diffSnapshots,
  openProject,
  runWorkflowStepByStep,
} from '../../../src/harness/index.ts'
import type { ExpectedArtifacts, Project, WorkflowSession } from '../../../src/harness/index.ts'

const projects: Project[] = []

afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

async function made(options: Parameters<typeof createProject>[0] = {}): Promise<Project> {
  const project = await createProject(options)
  projects.push(project)
  return project
}

const workflow = defineWorkflow({
  id: 'pair',
  steps: [
    { id: 'build', agent: 'builder', creates: ['dist/app.js', 'dist/second.txt'] },
    { id: 'report', agent: 'reporter', creates: ['report.json'] },
  ],
})

async function completed(second = 'text'): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(workflow, {
    project: await made(),
    agents: {
      builder: async ({ artifacts }) => {
        await artifacts.write('dist/app.js', 'export {}\n')
        await artifacts.write('dist/second.txt', second)
      },
      reporter: ({ artifacts }) => artifacts.write('report.json', '{"failed":0}'),
    },
  })
  await session.runToEnd()
  return session
}

async function problems(session: WorkflowSession, expected: ExpectedArtifacts): Promise<readonly string[]> {
  try {
    await assertWorkflowArtifacts(session, expected)
    return []
  } catch (error) {
    return (error as Error).message.split('\n').filter((line) => line.trim() !== '')
  }
}

describe('assertWorkflowArtifacts', () => {
  test('says nothing when every artifact is what it should be', async () => {
    const found = await problems(await completed(), {
      'dist/app.js': { producedBy: 'build', text: 'export {}\n' },
      'report.json': { json: { failed: 0 } },
    })
    expect(found).toEqual([])
  })

  test('finds an artifact that is empty', async () => {
    expect((await problems(await completed(''), { 'dist/second.txt': {} })).join('\n')).toMatch(
      /empty.*dist\/second\.txt/,
    )
  })

  test.each([
    ['missing', { 'dist/lib.js': {} }, /missing.*dist\/lib\.js/],
    ['from another step', { 'dist/app.js': { producedBy: 'report' } }, /dist\/app\.js.*report/],
    ['of other text', { 'dist/app.js': { text: 'export default 1\n' } }, /dist\/app\.js/],
    ['of other JSON', { 'report.json': { json: { failed: 1 } } }, /report\.json/],
    ['of another digest', { 'report.json': { sha256: '00' } }, /report\.json/],
    ['elsewhere', { 'app.js': {} }, /app\.js.*dist\/app\.js/],
  ] as const)('finds an artifact that is %s', async (_name, expected: ExpectedArtifacts, line) => {
    expect((await problems(await completed(), expected)).join('\n')).toMatch(line)
  })

  test('finds a file that was changed, or taken away, behind the run', async () => {
    const session = await completed()
    await session.project.write('report.json', '{"failed":9}')
    expect((await problems(session, {})).join('\n')).toMatch(/report\.json/)
  })
})

describe('captureWorkflowState', () => {
  test('gives frozen snapshots that show what a step has changed', async () => {
    const session = await runWorkflowStepByStep(workflow, { project: await made() })
    const before = await captureWorkflowState(session, 'before')
    await session.next()
    const after = await captureWorkflowState(session, 'after')
    expect(Object.isFrozen(before.state.steps)).toBe(true)
    const paths = diffSnapshots(before, after).map(({ path }) => path)
    expect(paths).toContain('state.steps.build.status')
    expect(paths).not.toContain('state.steps.report.status')
    expect(diffSnapshots(after, after)).toEqual([])
  })
})

describe('a project', () => {
  test('is fresh every time: a file that one leaves is not in the next', async () => {
    const first = await made({ template: 'minimal' })
    await first.write('left-over.txt', 'mine')
    const second = await made({ template: 'minimal' })
    expect([await first.exists('left-over.txt'), await second.exists('left-over.txt')]).toEqual([true, false])
    expect(first.folder).not.toBe(second.folder)
    const { folder } = first
    await first.remove()
    expect(() => openProject(folder as string)).toThrow('There is no folder')
  })

  test('names the nearest template for one that does not exist', async () => {
    await expect(createProject({ template: 'medum' })).rejects.toThrow(
      `There is no project template 'medum'. Did you mean 'medium'?`,
    )
  })
})

describe.each(['minimal', 'small', 'medium'])('the template %s', (template) => {
  test('fails at each of its steps, resumes and comes to the same artifacts as an undisturbed run', async () => {
    const project = await made({ template })
    const undisturbed = await runWorkflowStepByStep('workflows/release.yaml', {
      project,
      agents: project.agents,
    })
    expect(await undisturbed.runToEnd()).toEqual({ status: 'completed' })
    const digests = undisturbed.state().artifacts.map(({ path, sha256 }) => [path, sha256])
    for (const { id } of undisturbed.state().definition.steps) {
      const other = await made({ template })
      const session = await runWorkflowStepByStep('workflows/release.yaml', {
        project: other,
        agents: other.agents,
        faults: [agentError(id, { times: 'until-failed' })],
      })
      expect([id, (await session.runToEnd()).step]).toEqual([id, id])
      await session.resume()
      expect([id, await session.runToEnd()]).toEqual([id, { status: 'completed' }])
      expect(session.state().artifacts.map(({ path, sha256 }) => [path, sha256])).toEqual(digests)
      await assertWorkflowArtifacts(session, {})
      await session.close()
    }
  })
})
