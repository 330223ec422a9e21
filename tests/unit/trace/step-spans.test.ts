import { afterEach, expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import { agentError, gateFailure } from '../../../src/fault-injection/index.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { WorkflowSession } from '../../../src/harness/index.ts'
import { formatStepSpans, stepSpansOf } from '../../../src/trace/index.ts'
import { eventBuilder, sampleDefinition, sampleEvents, stepContext } from '../../support/sample-run.ts'

let open: WorkflowSession | undefined

afterEach(async () => {
  await open?.close()
  await open?.project.remove()
  open = undefined
})

const workflow = defineWorkflow({
  id: 'note',
  steps: [
    { id: 'write', agent: 'writer', creates: ['note.md'], retries: 1 },
    {
      id: 'review',
      agent: 'reviewer',
      dependsOn: ['write'],
      gate: { condition: 'true', onFail: 'write' },
    },
    { id: 'send', agent: 'sender', dependsOn: ['review'] },
    { id: 'file', agent: 'clerk', dependsOn: ['review'] },
  ],
})

test('a timeline from the log agrees with the attempts in the state, over retries, a loop, a crash and a failure', async () => {
  open = await runWorkflowStepByStep(workflow, {
    project: await createProject(),
    disk: 'simulated',
    agents: {
      writer: async ({ artifacts }) => artifacts.write('note.md', 'a note'),
      reviewer: () => null,
      sender: async ({ clock }) => clock.sleep(100),
      clerk: async ({ clock }) => clock.sleep(50),
    },
    faults: [
      agentError('write'),
      gateFailure('review'),
      agentError('send', { attempt: 2, message: 'no network' }),
    ],
  })
  await open.runUntil({ before: 'send' })
  await open.runUntil('file')
  await open.crash()
  for (const resumed of [false, true]) {
    await open.resume()
    const outcome = await open.runToEnd()
    expect(outcome.status).toBe(resumed ? 'completed' : 'failed')
    const { steps } = open.state()
    const spans = stepSpansOf(open.events())
    expect(spans.map(({ step }) => step)).toEqual(['write', 'review', 'send', 'file'])
    for (const { step, agent, attempts } of spans) {
      const recorded = steps[step]
      expect(agent).toBe(recorded?.agent)
      expect(
        attempts.map(({ visit, attempt, startedAt, finishedAt, outcome: ended }) => ({
          visit,
          attempt,
          startedAt,
          finishedAt,
          outcome: ended,
        })),
      ).toEqual(
        recorded?.attempts.map(({ visit, attempt, startedAt, finishedAt, outcome: ended }) => ({
          visit,
          attempt,
          startedAt,
          finishedAt,
          outcome: ended,
        })),
      )
    }
  }
  const outcomes = stepSpansOf(open.events()).flatMap(({ attempts }) => attempts.map((each) => each.outcome))
  expect(new Set(outcomes)).toEqual(new Set(['completed', 'failed', 'gate-failed', 'interrupted']))
})

test('draws an attempt per bar, leaves out the time before a resume, and explains its signs', () => {
  expect(formatStepSpans(sampleEvents())).toMatchInlineSnapshot(`
    "step          start         end  active  tries
    plan          +0 ms     +250 ms  250 ms      1  |=                            |
    build       +250 ms  +1 min 5 s     2 s      2  | ======              =====   |
    review      +1.25 s  +1 min 5 s     2 s      4  |       xxx     xxx<<<     ===|
    publish  +1 min 5 s  +1 min 5 s    0 ms      1  |                            =|

    = completed   x failed   < sent back by a gate
    Not drawn: 1 min in which the run lay still before a resume."
  `)
})

test('counts an interrupted attempt up to the last sign of life, a running one up to the end of the log', () => {
  const event = eventBuilder()
  const events = [
    event(0, {
      kind: 'workflow_start',
      status: 'running',
      definition: sampleDefinition,
      definitionSha256: 'd'.repeat(64),
      input: null,
      seed: 1,
      launch: {},
      owner: 'one',
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('plan') }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('build') }),
    event(300, {
      kind: 'step_finish',
      status: 'completed',
      ...stepContext('build'),
      output: null,
      artifacts: [],
      durationMs: 300,
    }),
    event(60_000, { kind: 'workflow_resume', status: 'running', owner: 'two', restarts: ['plan'] }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('plan', 1, 2) }),
    event(500, {
      kind: 'late_result',
      status: 'discarded',
      ...stepContext('build'),
      outcome: 'returned',
    }),
  ]
  const [plan, , review] = stepSpansOf(events)
  expect(plan).toMatchObject({ outcome: 'running', finishedAt: null, activeMs: 800 })
  expect(plan?.attempts.map(({ activeMs }) => activeMs)).toEqual([300, 500])
  expect(review).toMatchObject({ outcome: 'not-started', startedAt: null, attempts: [] })
  expect(formatStepSpans(events, 60)).toMatchInlineSnapshot(`
    "step     start      end  active  tries
    plan     +0 ms        -  800 ms      2  |!!!!!!!>>>>>>>>>>>|
    build    +0 ms  +300 ms  300 ms      1  |=======           |
    review       -        -       -      0  |                  |
    publish      -        -       -      0  |                  |

    = completed   ! interrupted   > running
    Not drawn: 1 min in which the run lay still before a resume."
  `)
})

test('a run in which no time passed is drawn by its events, and a long name is cut', () => {
  const events = sampleEvents().map((event) => ({ ...event, at: 0 }))
  const [start, ...rest] = events
  if (start?.kind !== 'workflow_start') throw new Error('the sample begins with workflow_start')
  const [plan, ...others] = start.definition.steps
  const name = 'plan-what-is-to-be-done-first'
  const definition = { ...start.definition, steps: [{ ...plan, id: name }, ...others] }
  const renamed = rest.map((event) =>
    'step' in event && event.step === 'plan' ? { ...event, step: name } : event,
  )
  expect(formatStepSpans([{ ...start, definition } as typeof start, ...renamed])).toMatchInlineSnapshot(`
    "step                  start    end  active  tries
    plan-what-is-to-be-…  +0 ms  +0 ms    0 ms      1  | =                        |
    build                 +0 ms  +0 ms    0 ms      2  |   ===            =       |
    review                +0 ms  +0 ms    0 ms      4  |       x x     <    ===   |
    publish               +0 ms  +0 ms    0 ms      1  |                        = |

    = completed   x failed   < sent back by a gate
    No time passed while the run moved: the bars follow its events."
  `)
})

test('is empty for no events', () => {
  expect(stepSpansOf([])).toEqual([])
})
