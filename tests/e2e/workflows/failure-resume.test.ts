import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runWorkflowStepByStep } from 'faultline'
import { agentError } from 'faultline/fault-injection'
import { describe, expect } from 'faultline/vitest'
import { fail } from './failures.ts'
import {
  faultline,
  filesOf,
  keysOf,
  release,
  resultOf,
  startedSinceResume,
  templateAgents,
  test,
  undisturbedResult,
} from './story.ts'

describe('a run that has failed', { tags: ['e2e_workflow'] }, () => {
  test('goes on in another process, which knows only what is on disk', async ({ project, agents, seed }) => {
    const session = await fail({ project, agents }, { fault: agentError('review') })
    const before = await filesOf(project)
    const resumed = faultline(project, 'resume', session.runId, '--agents', templateAgents)
    expect([resumed.code, resumed.stderr]).toEqual([0, ''])
    const { state } = await session.capture()
    expect([state.status, state.steps['review']?.attempt]).toEqual(['completed', 2])
    expect(await filesOf(project)).toMatchObject(before)
    const undisturbed = (await undisturbedResult(seed)) as {
      readonly files: object
      readonly outputs: object
    }
    expect(await filesOf(project)).toEqual(undisturbed.files)
    const outputs = Object.entries(state.steps).map(([id, { output }]) => [id, output])
    expect(Object.fromEntries(outputs)).toEqual(undisturbed.outputs)
  })

  test('needs no workflow file: the definition is part of what was saved', async ({ project, agents }) => {
    const session = await fail({ project, agents }, { fault: agentError('package') })
    await rm(join(project.folder ?? '', release))
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(startedSinceResume(session)).toEqual(['package#1@2', 'announce#1@1'])
  })

  test('keeps the finished one of two parallel steps and runs the failed one again', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, { fault: agentError('document', { moment: 'after' }) })
    expect(session.state().completedSteps).toEqual(['plan', 'lint', 'build'])
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(session).toHaveRunOnce('lint')
    expect(session).toHaveRunOnce('build')
    expect(session).toHaveRun('document', 2)
  })

  test('can fail again, at the same step and at a later one, and still completes', async ({
    project,
    agents,
    seed,
  }) => {
    const session = await runWorkflowStepByStep(release, {
      project,
      agents,
      faults: [agentError('test', { times: 6 }), agentError('announce', { times: 'until-failed' })],
    })
    const failedAt: (string | undefined)[] = []
    for (
      let outcome = await session.runToEnd();
      outcome.status === 'failed';
      outcome = await session.runToEnd()
    ) {
      failedAt.push(outcome.step)
      await session.resume()
    }
    expect(failedAt).toEqual(['test', 'test', 'announce'])
    expect(session).toHaveCompleted()
    expect(session.snapshots.beforeResume.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed'])
    expect(await resultOf(session)).toEqual(await undisturbedResult(seed))
  })
})

describe('a run whose process has died', { tags: ['e2e_workflow'] }, () => {
  test('goes on after the last complete step, wherever it was', async ({ project, agents, seed }) => {
    const session = await runWorkflowStepByStep(release, { project, agents })
    const stopped: string[] = []
    for (let outcome = await session.next(); outcome.status === 'stopped'; outcome = await session.next()) {
      stopped.push(outcome.step ?? '')
      await session.crash()
      expect((await session.capture()).status).toBe('interrupted')
      await session.resume()
    }
    expect(session).toHaveCompleted()
    expect([...stopped, 'announce']).toEqual(session.state().completedSteps)
    const finished = keysOf(session, 'step_finish').map((key) => key.slice(0, key.indexOf('#')))
    expect(finished).toEqual(session.state().completedSteps)
    expect(await resultOf(session)).toEqual(await undisturbedResult(seed))
  })
})
