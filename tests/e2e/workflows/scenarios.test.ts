import { assertWorkflowArtifacts, diffSnapshots, runWorkflowStepByStep } from 'faultline'
import type { SnapshotChange } from 'faultline'
import { agentError, gateFailure, stepTimeout } from 'faultline/fault-injection'
import { describe, expect } from 'faultline/vitest'
import { fail, failures } from './failures.ts'
import { readStateFile } from './state-file.ts'
import {
  assertOrder,
  faultline,
  filesOf,
  keysOf,
  release,
  resultOf,
  startedSinceResume,
  steps,
  test,
  undisturbedResult,
} from './story.ts'

const table = failures.map((failure) => [failure.title, failure] as const)

describe.each(table)('%s', { tags: ['e2e_workflow'] }, (_title, failure) => {
  test('is persisted: steps, error, results, artifacts, gate decisions', async ({ project, agents }) => {
    const session = await fail({ project, agents }, failure)
    expect(session).toHaveFailedAt(failure.step)
    const state = await readStateFile(project, session.runId)
    expect([state.status, state.completedSteps, state.currentSteps, state.error]).toEqual([
      'failed',
      failure.completed,
      [failure.step],
      { ...failure.error, step: failure.step },
    ])
    const statuses = Object.entries(state.steps).map(([id, { status }]) => [id, status])
    expect(Object.fromEntries(statuses)).toEqual({
      ...Object.fromEntries(failure.completed.map((id) => [id, 'completed'])),
      ...Object.fromEntries(failure.pending.map((id) => [id, 'pending'])),
      [failure.step]: 'failed',
    })
    const results = Object.entries(state.steps).filter(([, { output }]) => output !== null)
    expect(results.map(([id]) => id)).toEqual(expect.arrayContaining([...failure.completed]))
    expect(
      state.gateDecisions.map(
        ({ step, visit, attempt, route, reason }) => `${step}#${visit}@${attempt} ${route}: ${reason}`,
      ),
    ).toEqual(failure.gateDecisions)
    expect(state.artifacts.map(({ path }) => path)).toEqual(failure.artifacts)
  })

  test('can be loaded: another process reads the same state', async ({ project, agents }) => {
    const session = await fail({ project, agents }, failure)
    const { checksum: _checksum, ...state } = await readStateFile(project, session.runId)
    const read = faultline(project, 'status', '--json')
    expect([read.code, read.stderr]).toEqual([0, ''])
    expect(JSON.parse(read.stdout)).toEqual(state)
    expect(session.state()).toEqual(state)
  })

  test('has its resume point at the safe point', async ({ project, agents }) => {
    const session = await fail({ project, agents }, failure)
    expect(await session.resume(failure.resume)).toEqual({ status: 'stopped', step: failure.resumePoint })
    const { completedSteps, currentSteps } = session.state()
    expect([completedSteps, currentSteps]).toEqual([
      failure.completed.filter((step) => !failure.restarted.includes(step)),
      [],
    ])
    expect(startedSinceResume(session)).toEqual([])
  })

  test('executes what was not complete, and nothing else again', async ({ project, agents }) => {
    const session = await fail({ project, agents }, failure)
    await session.resume(failure.resume)
    await session.runToEnd()
    expect(startedSinceResume(session)).toEqual(failure.startedAfterResume)
    const starts = keysOf(session, 'step_start').map((key) => key.slice(0, key.indexOf('#')))
    const counts = steps.map((step) => [step, starts.filter((started) => started === step).length])
    expect(Object.fromEntries(counts)).toEqual({
      ...Object.fromEntries(steps.map((step) => [step, 1])),
      ...failure.repeated,
    })
  })

  test('keeps the order of dependent and parallel steps, over the resume too', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, failure)
    await session.resume(failure.resume)
    await session.runToEnd()
    assertOrder(session)
  })

  test('leaves four snapshots between which only what happened changes', async ({ project, agents }) => {
    const session = await fail({ project, agents }, failure)
    await session.resume(failure.resume)
    const { beforeFailure, atFailure, beforeResume, afterResume } = session.snapshots
    const album = [beforeFailure, atFailure, beforeResume[0], afterResume[0]]
    expect(album.map((snapshot) => snapshot?.status)).toEqual(['running', 'failed', 'failed', 'running'])

    expect(changed(diffSnapshots(beforeFailure?.state, atFailure?.state))).toEqual(
      new Set([
        'error',
        'monitoring',
        'reason',
        'seq',
        'status',
        `steps.${failure.step}`,
        ...(failure.endedMeanwhile.length === 0
          ? []
          : ['artifacts', 'completedSteps', 'currentSteps', 'progress', 'safePoint']),
        ...failure.endedMeanwhile.map((step) => `steps.${step}`),
      ]),
    )
    expect(diffSnapshots(atFailure?.state, beforeResume[0]?.state)).toEqual([])
    expect(changed(diffSnapshots(beforeResume[0]?.state, afterResume[0]?.state))).toEqual(
      new Set([
        'currentSteps',
        'epoch',
        'error',
        'monitoring',
        'reason',
        'seq',
        'status',
        ...(failure.completed.some((step) => failure.restarted.includes(step))
          ? ['completedSteps', 'progress', 'safePoint']
          : []),
        ...failure.restarted.map((step) => `steps.${step}`),
      ]),
    )

    const taken = JSON.stringify(album)
    await session.runToEnd()
    expect(JSON.stringify(album)).toBe(taken)
    expect(album.every((snapshot) => Object.isFrozen(snapshot?.state.steps['plan']?.artifacts))).toBe(true)
  })

  test('keeps the artifacts of completed steps and adds the others in their places', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, failure)
    const kept = await filesOf(project)
    expect(Object.keys(kept)).toEqual(expect.arrayContaining([...failure.artifacts]))
    await session.resume(failure.resume)
    expect(await filesOf(project)).toEqual(kept)
    await session.runToEnd()
    expect(await filesOf(project)).toMatchObject(kept)
    await assertWorkflowArtifacts(
      session,
      {
        'release/plan.json': { producedBy: 'plan' },
        'reports/lint.json': { producedBy: 'lint' },
        'dist/app.js': { producedBy: 'build' },
        'docs/api/': { producedBy: 'document' },
        'reports/tests.json': { producedBy: 'test' },
        'reports/review.md': { producedBy: 'review' },
        'release/package/': { producedBy: 'package' },
        'release/announcement.md': { producedBy: 'announce' },
      },
      { exact: true },
    )
  })

  test('completes, and comes to what an undisturbed run comes to', async ({ project, agents, seed }) => {
    const session = await fail({ project, agents }, failure)
    await session.resume(failure.resume)
    await session.runToEnd()
    expect(session).toHaveCompleted()
    expect(session.state().completedSteps.toSorted()).toEqual(steps.toSorted())
    expect(await resultOf(session)).toEqual(await undisturbedResult(seed))
  })
})

describe('more than one thing goes wrong', { tags: ['e2e_workflow'] }, () => {
  test('a time-out and an error in one step are retried, and no resume is needed', async ({
    project,
    agents,
    seed,
  }) => {
    const session = await runWorkflowStepByStep(release, {
      project,
      agents,
      faults: [stepTimeout('test', { attempt: 1 }), agentError('test', { attempt: 2, moment: 'after' })],
    })
    await session.runToEnd()
    expect(session).toHaveCompleted()
    const attempts = session
      .state()
      .steps['test']?.attempts.map(({ outcome, error }) => error?.kind ?? outcome)
    expect(attempts).toEqual(['timeout', 'exception', 'completed'])
    expect(await resultOf(session)).toEqual(await undisturbedResult(seed))
  })

  test('two parallel steps fail, both run again, the third is kept', async ({ project, agents, seed }) => {
    const session = await runWorkflowStepByStep(release, {
      project,
      agents,
      faults: [agentError('lint', { moment: 'after' }), agentError('document', { moment: 'after' })],
    })
    await session.runToEnd()
    expect(session).toHaveFailedAt('lint')
    expect(session.state().currentSteps).toEqual(['lint', 'document'])
    await session.resume()
    await session.runToEnd()
    expect(startedSinceResume(session).slice(0, 3)).toEqual(['lint#1@2', 'document#1@2', 'test#1@1'])
    expect(await resultOf(session)).toEqual(await undisturbedResult(seed))
  })

  test('the work sent back by the gate fails, then the process dies', async ({ project, agents, seed }) => {
    const session = await runWorkflowStepByStep(release, {
      project,
      agents,
      faults: [gateFailure('review'), agentError('build', { visit: 2 })],
    })
    await session.runToEnd()
    expect(session).toHaveFailedAt('build')
    await session.resume()
    await session.runUntil('test')
    await session.crash()
    expect(await session.resume()).toEqual({ status: 'stopped', step: 'review' })
    await session.runToEnd()
    expect(session).toHaveVisited('build', 2)
    expect(session).toHaveRunOnce('test')
    expect(await resultOf(session)).toEqual(await undisturbedResult(seed))
  })
})

/** The parts of the state, and the steps in it, that differ in more than the time. */
function changed(changes: readonly SnapshotChange[]): ReadonlySet<string> {
  const parts = new Set(changes.map(({ path }) => /^steps\.[^.]+|^[^.[]+/.exec(path)?.[0] ?? path))
  parts.delete('updatedAt')
  return parts
}
