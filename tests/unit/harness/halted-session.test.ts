import { afterEach, describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { WorkflowSession, WorkflowSessionOptions } from '../../../src/harness/index.ts'

const open: WorkflowSession[] = []

afterEach(async () => {
  for (const session of open.splice(0)) await session.close()
})

const workflow = defineWorkflow({
  id: 'letter',
  settings: { cancelGrace: '1s' },
  steps: [
    { id: 'write', agent: 'writer', parameters: { to: '${input.name}' } },
    { id: 'sign', agent: 'writer', gate: { human: true, expiresAfter: '1h', onPass: 'send' } },
    { id: 'send', agent: 'sender' },
  ],
})

async function sessionOf(options: WorkflowSessionOptions = {}): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(workflow, {
    project: await createProject({ storage: 'memory' }),
    agents: { writer: ({ parameters }) => parameters, sender: ({ clock }) => clock.sleep(500) },
    ...options,
  })
  open.push(session)
  return session
}

describe('a session whose run wants something from outside', () => {
  test('says what, takes it, and goes on with the next call', async () => {
    const session = await sessionOf()
    expect(await session.runToEnd()).toEqual({ status: 'paused', step: 'write', missingVar: 'input.name' })
    await session.provideInput({ name: 'Ada' })
    expect(session.state().status).toBe('running')
    expect(await session.runToEnd()).toEqual({ status: 'waiting', step: 'sign' })
    await session.answerGate('sign', { passed: true, reason: 'fine' })
    expect(session.state().completedSteps).toEqual(['write', 'sign'])
    expect(await session.runToEnd()).toMatchObject({ status: 'completed' })
    expect(session.state().steps['write']?.output).toEqual({ to: 'Ada' })
    expect(session.incarnation).toBe(3)
  })

  test('has no gate to wait for once it has expired', async () => {
    const session = await sessionOf({ input: { name: 'Ada' } })
    await session.runToEnd()
    await session.advance(3_600_000)
    await expect(session.answerGate('sign', true)).rejects.toMatchObject({ code: 'GATE_NOT_WAITING' })
    await session.resume()
    expect(await session.runToEnd()).toMatchObject({
      status: 'failed',
      step: 'sign',
      error: { kind: 'gate' },
    })
  })

  test('can be cancelled', async () => {
    const session = await sessionOf()
    await session.runToEnd()
    expect((await session.cancel('never mind')).status).toBe('cancelled')
    expect(session.state()).toMatchObject({ status: 'cancelled', reason: 'never mind' })
  })

  test('does nothing else before it has that, and says what to call', async () => {
    const session = await sessionOf()
    await session.runToEnd()
    await expect(session.next()).rejects.toThrow(
      /is paused for want of input: provideInput\(\) before it can go on\.$/,
    )
    await session.provideInput({ name: 'Ada' })
    await expect(session.provideInput({ name: 'Ada' })).rejects.toThrow('is not paused for want of input')
    await session.runToEnd()
    await expect(session.next()).rejects.toThrow(
      /waits for the answer to a gate: answerGate\(\) before it can go on\.$/,
    )
  })

  test('takes no controller for a gate that only a person answers', async () => {
    await expect(sessionOf({ gates: { sign: () => true } })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: `gates.sign would never be asked: the gate of step 'sign' is answered by a person, with session.answerGate.`,
    })
  })
})

describe('cancelling a session', () => {
  async function sending(): Promise<WorkflowSession> {
    const session = await sessionOf({ input: { name: 'Ada' } })
    await session.runToEnd()
    await session.answerGate('sign', true)
    return session
  }

  test('lets the step in flight finish within the time of grace', async () => {
    const session = await sending()
    await session.next()
    expect(session.state().status).toBe('completed')
    const other = await sending()
    const moving = other.runToEnd()
    const cancelled = other.cancel('enough')
    expect(await cancelled).toEqual(await moving)
    expect(other.state()).toMatchObject({
      status: 'cancelled',
      reason: 'enough',
      steps: { send: { status: 'completed' } },
    })
  })

  test('aborts what does not finish within it', async () => {
    const session = await sessionOf({
      input: { name: 'Ada' },
      agents: { writer: () => null, sender: ({ clock }) => clock.sleep(5_000) },
    })
    await session.runToEnd()
    await session.answerGate('sign', true)
    const moving = session.runToEnd()
    await session.cancel('enough')
    expect((await moving).status).toBe('cancelled')
    expect(session.state().steps['send']).toMatchObject({ status: 'failed', error: { kind: 'cancelled' } })
    const [cancel] = session.events().filter((event) => event.kind === 'workflow_cancel')
    expect(session.events().at(-1)?.at).toBe((cancel?.at ?? 0) + 1_000)
  })
})
