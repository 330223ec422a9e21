import { runWorkflowStepByStep } from 'faultline'
import { agentError, gateFailure, stepTimeout } from 'faultline/fault-injection'
import { describe, expect } from 'faultline/vitest'
import { fail } from './failures.ts'
import { assertOrder, keysOf, release, startedSinceResume, steps, test } from './story.ts'

/** What the log may say about a step after each event of it. */
const followers: Readonly<Record<string, readonly string[]>> = {
  step_start: ['artifacts_prepared', 'gate_result', 'step_finish', 'step_retry', 'step_fail'],
  artifacts_prepared: ['gate_result', 'step_finish'],
  gate_result: ['step_finish', 'step_fail', 'step_start'],
  step_retry: ['step_start'],
  step_fail: ['step_start'],
  // Only as a new visit, which is checked apart.
  step_finish: ['step_start'],
}

describe('the transitions of a run', { tags: ['e2e_workflow'] }, () => {
  test('keep sequential and parallel steps in order', async ({ project, agents }) => {
    const session = await runWorkflowStepByStep(release, { project, agents })
    await session.runToEnd()
    const rows = session
      .timeline()
      .flatMap(({ kind, step }) => (/^step_(start|finish)$/.test(kind) ? [`${kind.slice(5)} ${step}`] : []))
    expect(rows).toEqual([
      'start plan',
      'finish plan',
      'start lint',
      'start build',
      'start document',
      'finish lint',
      'finish document',
      'finish build',
      'start test',
      'finish test',
      'start review',
      'finish review',
      'start package',
      'finish package',
      'start announce',
      'finish announce',
    ])
    assertOrder(session)
  })

  test.for(steps)('are complete and none happens twice when %s fails', async (step, { project, agents }) => {
    const session = await fail({ project, agents }, { fault: agentError(step, { times: 'until-failed' }) })
    expect(session).toHaveFailedAt(step)
    const done = session.state().completedSteps
    await session.resume()
    await session.runToEnd()
    const finished = keysOf(session, 'step_finish').map((key) => key.slice(0, key.indexOf('@')))
    expect(finished.toSorted()).toEqual(steps.map((id) => `${id}#1`).toSorted())
    const again = startedSinceResume(session).map((key) => key.slice(0, key.indexOf('#')))
    expect(again.toSorted()).toEqual(steps.filter((id) => !done.includes(id)).toSorted())
    assertOrder(session)
  })

  test('lead every step along allowed ways, through retries, a review loop and two resumes', async ({
    project,
    agents,
  }) => {
    const session = await runWorkflowStepByStep(release, {
      project,
      agents,
      faults: [
        agentError('document'),
        stepTimeout('test', { visit: 1 }),
        gateFailure('review'),
        agentError('package'),
      ],
    })
    await session.runToEnd()
    await session.resume()
    await session.runToEnd()
    await session.resume()
    await session.runToEnd()
    expect(session).toHaveCompleted()
    for (const step of steps) {
      const events = session
        .events()
        .flatMap((event) => ('step' in event && event.step === step ? [event] : []))
      const kinds = events.filter(({ kind }) => followers[kind] !== undefined).map(({ kind }) => kind)
      const wrong = kinds.filter(
        (kind, index) => index > 0 && !followers[kinds[index - 1] ?? '']?.includes(kind),
      )
      expect([step, kinds[0], wrong, kinds.at(-1)]).toEqual([step, 'step_start', [], 'step_finish'])
    }
    expect(keysOf(session, 'step_start').toSorted()).toEqual([
      'announce#1@1',
      'build#1@1',
      'build#2@1',
      'document#1@1',
      'document#1@2',
      'lint#1@1',
      'package#1@1',
      'package#1@2',
      'plan#1@1',
      'review#1@1',
      'review#2@1',
      'test#1@1',
      'test#1@2',
      'test#2@1',
    ])
    assertOrder(session)
  })
})
