import { afterEach, describe, expect, test } from 'vitest'
import { agentError } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Project, WorkflowSession, WorkflowSessionOptions } from '../../../src/harness/index.ts'

const open: { session: WorkflowSession; project: Project }[] = []

afterEach(async () => {
  for (const { session, project } of open.splice(0)) {
    await session.close().catch(() => {})
    await project.remove()
  }
})

const file = 'workflows/chain.yaml'

function workflow(steps: Readonly<Record<string, string>>): string {
  const list = Object.entries(steps).map(([id, rest]) => `  - { id: ${id}, ${rest} }\n`)
  return `id: chain\nsteps:\n${list.join('')}`
}

const chain = {
  one: 'agent: writer, creates: [out/one.txt], next: two',
  two: 'agent: writer, creates: [out/two.txt], next: three',
  three: 'agent: writer, creates: [out/three.txt]',
}

/** A run of the chain that has failed at its second step, with the file edited since. */
async function failedAtTwo(
  edited: string | undefined,
  options: WorkflowSessionOptions = {},
): Promise<WorkflowSession> {
  const project = await createProject({ storage: 'memory' })
  await project.write(file, workflow(chain))
  const session = await runWorkflowStepByStep(file, { ...options, project, faults: [agentError('two')] })
  open.push({ session, project })
  expect((await session.runToEnd()).status).toBe('failed')
  if (edited === undefined) project.fs?.unlinkSync(`/${file}`)
  else await project.write(file, edited)
  return session
}

describe('a resume after the workflow file was edited', () => {
  test('is refused with what has changed, step by step', async () => {
    const session = await failedAtTwo(
      workflow({
        zero: 'agent: writer, next: one',
        one: chain.one,
        two: `${chain.two}, retries: 2`,
        last: chain.three,
      }).replace('next: three', 'next: last'),
    )
    const { message, code } = (await session.resume().catch((error: unknown) => error)) as Error & {
      code: string
    }
    expect(code).toBe('DEFINITION_CHANGED')
    expect(message.replace(session.runId, '<run>')).toMatchInlineSnapshot(
      `"Run '<run>' goes by another definition of workflow 'chain': steps.last is new; steps.three is gone; steps.two.retries: 0 is now 2; steps.zero is new; edges["two -> last"] is new; and 2 more. Restore the definition, or resume with definition 'current' (goes on under what it says now; completed steps stay completed)."`,
    )
    await session.project.write(file, workflow(chain))
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })

  test('is refused after a crash too, and the run can be resumed once the file is restored', async () => {
    const project = await createProject({ storage: 'memory' })
    await project.write(file, workflow(chain))
    const session = await runWorkflowStepByStep(file, { project })
    open.push({ session, project })
    await session.next()
    await session.crash()
    await project.write(file, workflow({ one: chain.one, two: chain.three }))
    await expect(session.resume()).rejects.toMatchObject({ code: 'DEFINITION_CHANGED' })
    await expect(session.next()).rejects.toThrow('was refused: resume() it again before it can go on.')
    await project.write(file, workflow(chain))
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })

  test('goes on when it means the same, and under the limits it was started with', async () => {
    const session = await failedAtTwo(`# reviewed\n${workflow(chain)}`, { limits: { stepTimeoutMs: 7_000 } })
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })

  test('sees that steps only changed places', async () => {
    const { one, two, three } = chain
    const session = await failedAtTwo(workflow({ one, three, two }))
    await expect(session.resume()).rejects.toThrow(`'chain': the steps are in another order.`)
  })

  test('goes on with the recorded definition when the file is gone', async () => {
    const session = await failedAtTwo(undefined)
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })
})

describe(`resume({ definition: 'current' })`, () => {
  const edited = workflow({
    zero: 'agent: writer, creates: [out/zero.txt], next: one',
    one: 'agent: editor, creates: [out/one.txt], next: two',
    two: 'agent: editor, creates: [out/two.txt], next: last',
    last: 'agent: writer, creates: [out/last.txt]',
  })

  test('keeps what completed, runs what is new or was unfinished as defined now, and drops what is gone', async () => {
    const session = await failedAtTwo(edited)
    expect(await session.resume({ definition: 'current' })).toEqual({ status: 'stopped', step: 'zero' })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect((await session.executions()).map(({ step, attempt }) => `${step}@${attempt}`)).toEqual([
      'one@1',
      'two@1',
      'zero@1',
      'two@2',
      'last@1',
    ])
    const { steps, definition, artifacts } = session.state()
    expect(Object.keys(steps).sort()).toEqual(['last', 'one', 'two', 'zero'])
    expect(definition.steps.map(({ id, agent }) => `${id} ${agent}`)).toEqual([
      'zero writer',
      'one editor',
      'two editor',
      'last writer',
    ])
    expect(artifacts.map(({ path }) => path)).toEqual([
      'out/last.txt',
      'out/one.txt',
      'out/two.txt',
      'out/zero.txt',
    ])
    expect(session.timeline().map(({ text }) => text)).toContain(
      'resumed: restarts two; goes on under the current definition',
    )
    expect(session.faults.fired).toHaveLength(1)
  })

  test('is recorded: later lives and readers go by the new definition, earlier events by the old', async () => {
    const session = await failedAtTwo(edited)
    const before = session.state()
    await session.resume({ definition: 'current' })
    expect(await session.next()).toEqual({ status: 'stopped', step: 'zero' })
    await session.crash()
    await session.resume()
    expect(session.state().definition.steps[0]?.id).toBe('zero')
    await session.runToEnd()
    expect(session.snapshots.atFailure?.state.definition).toEqual(before.definition)
    const resumes = session.events().filter(({ kind }) => kind === 'workflow_resume')
    expect(resumes.map((event) => 'adopts' in event)).toEqual([true, false])
  })

  test('is the same as a plain resume where nothing has changed', async () => {
    const session = await failedAtTwo(workflow(chain))
    await session.resume({ definition: 'current' })
    expect(session.events().some((event) => 'adopts' in event)).toBe(false)
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })

  test.each([
    ['another workflow', workflow(chain).replace('id: chain', 'id: other'), 'or start a new run.'],
    ['an agent that was not given', edited, `names agent 'editor', which was not given`],
    ['a file that is gone', undefined, `The workflow file 'workflows/chain.yaml' is not there any more`],
    ['a malformed file', 'id: chain\nsteps: 3\n', 'workflows/chain.yaml:2'],
  ])('refuses %s, and the run can still be resumed', async (_what, text, message) => {
    const session = await failedAtTwo(text, {
      agents: { writer: async ({ artifacts, step }) => artifacts.write(`out/${step}.txt`, step) },
    })
    await expect(session.resume({ definition: 'current' })).rejects.toThrow(message)
    await session.project.write(file, workflow(chain))
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })
})
