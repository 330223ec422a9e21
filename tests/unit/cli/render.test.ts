import { afterEach, expect, test } from 'vitest'
import { progressLine, renderStatus } from '../../../src/cli/render.ts'
import { runHead } from '../../../src/cli/run-head.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError, gateFailure } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { WorkflowSession } from '../../../src/harness/index.ts'

const workflow = defineWorkflow({
  id: 'note',
  name: 'Write a note',
  version: '1.0.0',
  steps: [
    { id: 'write', agent: 'writer', creates: ['note.md'], retries: 1 },
    { id: 'review', agent: 'reviewer', gate: { condition: 'true', onFail: 'write' } },
    { id: 'send', agent: 'sender' },
  ],
})

let open: WorkflowSession | undefined

afterEach(async () => {
  await open?.close()
  await open?.project.remove()
})

test('a run reads line by line, and its status shows where it stands and what to type next', async () => {
  open = await runWorkflowStepByStep(workflow, {
    project: await createProject(),
    disk: 'simulated',
    faults: [
      agentError('write', { message: 'too busy' }),
      gateFailure('review'),
      agentError('send', { message: 'no network' }),
    ],
  })
  await open.runToEnd()
  expect(open.events().flatMap((event) => progressLine(event) ?? [])).toMatchInlineSnapshot(`
    [
      "  > write",
      "  ↻ write  too busy (exception); again in 1 s",
      "  > write (attempt 2)",
      "  ✓ write  0 ms",
      "  > review",
      "  ↩ gate of review did not pass: back to write",
      "  > write (visit 2)",
      "  ✓ write  0 ms",
      "  > review (visit 2)",
      "  ✓ review  0 ms",
      "  > send",
      "  ✗ send  no network (exception)",
    ]
  `)
  expect(renderStatus(open.state(), 'failed', 'it is not valid JSON').split('\n')[3]).toBe(
    'note     state.json was ignored because it is not valid JSON; this is what the log says',
  )
  expect(renderStatus(open.state(), 'failed')).toMatchInlineSnapshot(`
    "run      note-b63f76fe
    workflow Write a note (note 1.0.0)
    status   failed at send: no network (exception)

      ✓ write   completed  (visit 2, 3 attempts)
      ✓ review  completed  (visit 2, 2 attempts)
      ✗ send    failed  (no network (exception))

    artifacts
      note.md  (write)

    next     npx faultline resume note-b63f76fe"
  `)
})

test.each([
  ['inside steps', { currentSteps: ['write', 'send'] }, 'in write, send'],
  ['between two steps', { completedSteps: ['write', 'review'] }, 'after review'],
  ['at its very beginning', {}, 'before the first step'],
])('the status of a run that was interrupted %s says where', async (_name, change, where) => {
  open = await runWorkflowStepByStep(workflow, { project: await createProject(), disk: 'simulated' })
  const [, , status] = renderStatus({ ...open.state(), ...change }, 'interrupted').split('\n')
  expect(status).toBe(`status   interrupted ${where}`)
})

test('what was decided of steps reads with its reason, in progress, timeline and status', async () => {
  open = await runWorkflowStepByStep(
    defineWorkflow({
      id: 'decided',
      nodes: [
        { id: 'a', type: 'x', continueOnError: true },
        { id: 'b', type: 'x' },
        { id: 'c', type: 'x' },
        { id: 'd', type: 'x' },
      ],
      connections: [
        { source: 'a', target: 'b', condition: 'on_success' },
        { source: 'b', target: 'c' },
        { source: 'a', target: 'd' },
      ],
    }),
    {
      project: await createProject({ storage: 'memory' }),
      agents: { x: () => ({ failures: ['one'] }) },
      faults: [agentError('a', { message: 'no' })],
    },
  )
  expect(await open.runToEnd()).toEqual({ status: 'completed', degraded: true, hasFailures: true })
  expect(open.events().flatMap((event) => progressLine(event) ?? [])).toMatchInlineSnapshot(`
    [
      "  > a",
      "  ✗ a  no (exception), tolerated",
      "  - b  skipped: no connection to it is taken: a",
      "  > d",
      "  - c  skipped: what it depends on was skipped: b",
      "  ✓ d  0 ms",
    ]
  `)
  expect(open.timeline().map(({ text }) => text)).toMatchInlineSnapshot(`
    [
      "run started: 4 steps, seed 1",
      "a#1@1 started (agent x)",
      "a#1@1 failed, which is tolerated: no (exception)",
      "b#1 skipped: no connection to it is taken: a",
      "d#1@1 started (agent x)",
      "c#1 skipped: what it depends on was skipped: b",
      "d#1@1 completed in 0 ms",
      "run completed (degraded, failures were found)",
    ]
  `)
  expect(renderStatus(open.state(), 'completed').split('\n').slice(2)).toMatchInlineSnapshot(`
    [
      "status   completed, degraded, failures were found",
      "",
      "  ✗ a  failed  (no (exception), tolerated)",
      "  - b  skipped  (no connection to it is taken: a)",
      "  - c  skipped  (what it depends on was skipped: b)",
      "  ✓ d  completed  (1 failure found)",
    ]
  `)
})

test.each([
  [true, null, 'completed, degraded'],
  [false, ['one'], 'completed, failures were found'],
  [true, ['one'], 'completed, degraded, failures were found'],
  [false, null, 'completed'],
])('status, history and timeline say how good the end was: %s, %j', async (fails, failures, said) => {
  open = await runWorkflowStepByStep(
    defineWorkflow({
      id: 'checks',
      steps: [
        { id: 'try', agent: 'trier', continueOnError: true },
        { id: 'check', agent: 'checker' },
      ],
    }),
    {
      project: await createProject(),
      disk: 'simulated',
      agents: {
        trier() {
          if (fails) throw new Error('no')
        },
        checker: () => ({ failures }),
      },
    },
  )
  await open.runToEnd()
  const state = open.state()
  expect(renderStatus(state, 'completed')).toContain(`\nstatus   ${said}\n`)
  expect(runHead({ state, status: 'completed', events: open.events() })).toContain(`\nstatus    ${said}\n`)
})

test.each([
  [11, 'to be answered by 2026-01-01 00:00:10 UTC', /npx faultline answer \S+ ask --pass$/],
  [10, 'nobody has answered by 2026-01-01 00:00:10 UTC', /npx faultline resume \S+$/],
])('status says until when an answer counts, and what to type then (%#)', async (early, said, next) => {
  open = await runWorkflowStepByStep(
    defineWorkflow({
      id: 'asking',
      steps: [{ id: 'ask', agent: 'asker', gate: { human: true, expiresAfter: 10 } }],
    }),
    { project: await createProject(), disk: 'simulated', agents: { asker: () => null } },
  )
  await open.runToEnd()
  const state = open.state()
  const now = Date.UTC(2026, 0, 1, 0, 0, 20 - early)
  expect(state.steps['ask']?.waiting?.expiresAt).toBe(Date.UTC(2026, 0, 1, 0, 0, 10))
  const told = renderStatus(state, 'waiting', undefined, now)
  expect(told).toContain(`  ? ask  waiting  (${said})`)
  expect(told).toMatch(next)
})
