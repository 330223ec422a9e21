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
      `"Run '<run>' was started with another definition of workflow 'chain': steps.last is new; steps.three is gone; steps.two.retries: 0 is now 2; steps.zero is new; edges["two -> last"] is new; and 2 more. Restore the definition, or start a new run."`,
    )
    await session.project.write(file, workflow(chain))
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
  })

  test('goes on when only what it means has stayed the same, and under the limits it was started with', async () => {
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
