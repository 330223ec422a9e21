import { captureWorkflowState, runWorkflowStepByStep } from 'faultline'
import { agentError } from 'faultline/fault-injection'
import { describe, expect } from 'faultline/vitest'
import { fail } from './failures.ts'
import { readStateFile, stateFile, statePath } from './state-file.ts'
import { filesOf, release, steps, test } from './story.ts'

const reviewerFails = { fault: agentError('review', { message: 'model overloaded' }) }

describe('what a failure leaves on disk', { tags: ['e2e_workflow'] }, () => {
  test('is the result of every completed step, and nothing of the later ones', async ({
    project,
    agents,
  }) => {
    const session = await fail({ project, agents }, reviewerFails)
    const { steps: written, artifacts } = await readStateFile(project, session.runId)
    const outputs = steps.map((step) => [step, written[step]?.output])
    expect(Object.fromEntries(outputs)).toEqual({
      plan: { version: '1.5.0', changes: 2 },
      lint: { lines: expect.any(Number), findings: 0 },
      build: { modules: expect.arrayContaining(['src/app.js']) },
      document: { functions: expect.any(Number) },
      test: { cases: expect.any(Number), coverage: expect.any(Number) },
      review: null,
      package: null,
      announce: null,
    })
    const attempts = steps.map((step) => written[step]?.attempts.map(({ outcome }) => outcome))
    expect(attempts).toEqual([
      ...Array.from({ length: 5 }, () => ['completed']),
      ['failed'],
      ...Array.from({ length: 2 }, () => []),
    ])
    expect(written['review']?.error).toEqual({
      kind: 'exception',
      name: 'InjectedAgentError',
      message: 'model overloaded',
    })
    const digests = await filesOf(project)
    expect(artifacts.map(({ path, sha256 }) => [path, sha256])).toEqual(
      artifacts.map(({ path }) => [path, digests[path]]),
    )
    expect(artifacts.every(({ sizeBytes }) => sizeBytes > 0)).toBe(true)
  })

  test('is there after every single step, and shows no later one', async ({ project, agents }) => {
    const session = await runWorkflowStepByStep(release, { project, agents })
    for (const step of ['plan', 'build', 'review']) {
      expect(await session.runUntil(step)).toEqual({ status: 'stopped', step })
      const { state } = await captureWorkflowState(session)
      expect([state.status, state.completedSteps.at(-1)]).toEqual(['running', step])
    }
    expect(await project.exists('release/announcement.md')).toBe(false)
    expect(await session.executions('package')).toEqual([])
  })

  test('has a version, a rising number and a checksum in every save', async ({ project, agents }) => {
    const session = await runWorkflowStepByStep(release, {
      project,
      agents,
      faults: [reviewerFails.fault],
    })
    const saves = [await readStateFile(project, session.runId)]
    await session.runToEnd()
    saves.push(await readStateFile(project, session.runId))
    await session.resume()
    await session.runToEnd()
    saves.push(await readStateFile(project, session.runId))
    expect(saves.map(({ status, schemaVersion }) => [status, schemaVersion])).toEqual([
      ['running', 2],
      ['failed', 2],
      ['completed', 2],
    ])
    const numbers = saves.map(({ saveSeq }) => saveSeq)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((left, right) => left - right))
    expect(new Set(saves.map(({ checksum }) => checksum)).size).toBe(3)
  })

  test('carries one correlation id in state, events and logs', async ({ project, agents, correlationId }) => {
    const session = await fail({ project, agents }, reviewerFails)
    const { correlationId: persisted } = await readStateFile(project, session.runId)
    const ids = [persisted, ...[...session.events(), ...session.logs].map((entry) => entry.correlationId)]
    expect(session.logs.length).toBeGreaterThan(0)
    expect(new Set(ids)).toEqual(new Set([correlationId]))
  })
})

describe('a state file that somebody has changed', { tags: ['e2e_workflow'] }, () => {
  test.override('template', 'minimal')

  test(
    'is noticed at every single field, and the log stands in for it',
    { timeout: 120_000 },
    async ({ project, agents }) => {
      const session = await runWorkflowStepByStep(release, { project, agents, faults: [agentError('check')] })
      await session.runToEnd()
      const path = statePath(session.runId)
      const pristine = JSON.parse(await project.readText(path)) as unknown
      const edits = [...changedLeaves(pristine)]
      expect(edits.length).toBeGreaterThan(100)
      for (const { place, changed } of edits) {
        if (session.incarnation > 1) await session.crash()
        await project.write(path, JSON.stringify(changed))
        const warnings = session.logs.length
        await session.resume()
        const said = session.logs.slice(warnings).map(({ level, message }) => `${place}: ${level} ${message}`)
        expect(said).toEqual([expect.stringContaining(`${place}: warn ${path} was ignored because it`)])
      }
      await session.runToEnd()
      expect(session).toHaveCompleted()
      expect(session).toHaveRunOnce('build')
    },
  )

  test('is noticed when a part is missing, each of which the format requires', async ({
    project,
    agents,
  }) => {
    const session = await runWorkflowStepByStep(release, { project, agents, faults: [agentError('check')] })
    await session.runToEnd()
    const path = statePath(session.runId)
    const pristine = await readStateFile(project, session.runId)
    const parts = Object.entries(stateFile.shape)
      .filter(([, part]) => !part.safeParse(undefined).success)
      .map(([name]) => name as keyof typeof pristine)
    expect(parts).toEqual(
      expect.arrayContaining(['completedSteps', 'currentSteps', 'steps', 'artifacts', 'gateDecisions']),
    )
    for (const part of parts) {
      if (session.incarnation > 1) await session.crash()
      const { [part]: _removed, ...rest } = pristine
      expect([part, stateFile.safeParse(rest).success]).toEqual([part, false])
      await project.write(path, JSON.stringify(rest))
      const warnings = session.logs.length
      await session.resume()
      expect([part, session.logs.length - warnings]).toEqual([part, 1])
    }
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })
})

interface Edit {
  readonly place: string
  readonly changed: unknown
}

/** The document with one leaf changed, for each of its leaves. An empty list or object is a leaf. */
function* changedLeaves(value: unknown, place = ''): Generator<Edit> {
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) {
    yield { place, changed: otherThan(value) }
    return
  }
  for (const [key, member] of Object.entries(value)) {
    for (const edit of changedLeaves(member, `${place}/${key}`)) {
      const changed = Array.isArray(value) ? [...(value as unknown[])] : { ...value }
      Object.assign(changed, { [key]: edit.changed })
      yield { place: edit.place, changed }
    }
  }
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'string') return `${value}!`
  if (typeof value === 'boolean') return !value
  return 'something'
}
