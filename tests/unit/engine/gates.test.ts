import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agent, GatePort, GateRequest, RecoverRequest } from '../../../src/ports/index.ts'
import type { EventOf } from '../../../src/trace/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench } from '../../support/engine-run.ts'

const reviewed: AgentWorkflow = {
  id: 'reviewed',
  steps: [
    { id: 'draft', agent: 'worker' },
    { id: 'review', agent: 'worker', gate: { condition: 'output.good', onFail: 'draft', maxLoops: 2 } },
    { id: 'send', agent: 'worker' },
  ],
}

const bad: Agent = () => ({ good: false })

async function failedRun(
  workflow: AgentWorkflow,
  worker: Agent = bad,
  gates?: GatePort,
): Promise<EngineBench> {
  const bench = engineBench(createVirtualFiles())
  const life = bench.life({ worker }, gates)
  await life.start(workflow)
  expect((await life.runThroughTime()).status).toBe('failed')
  return bench
}

async function resumed(bench: EngineBench, request: RecoverRequest, worker: Agent): Promise<string> {
  const life = bench.life({ worker })
  await life.incarnation.recover(request)
  return (await life.runThroughTime()).status
}

function decisions({ events }: EngineBench): readonly EventOf<'gate_result'>['route'][] {
  return events.flatMap((event) => (event.kind === 'gate_result' ? [event.route] : []))
}

const starts = ({ events }: EngineBench, from = 0): readonly string[] =>
  eventWords(events.slice(from)).filter((word) => word.startsWith('step_start'))

const lastError = ({ events }: EngineBench): string | undefined =>
  events.findLast((event) => event.kind === 'workflow_end')?.error?.message

describe('a gate that does not pass', () => {
  test('sends work back as often as it may, then fails the step and says after how many evaluations', async () => {
    const bench = await failedRun(reviewed)
    expect(decisions(bench)).toEqual([
      { to: 'loop', target: 'draft', loop: 1 },
      { to: 'loop', target: 'draft', loop: 2 },
      { to: 'fail' },
    ])
    expect(starts(bench)).toHaveLength(6)
    expect(lastError(bench)).toBe(
      `The gate of step 'review' did not pass after 3 evaluations: output.good is false.`,
    )
  })

  test.each([
    ['has nowhere to return to', { condition: 'output.good' }],
    ['may return no time', { condition: 'output.good', onFail: 'draft', maxLoops: 0 }],
  ])('fails the step at once when it %s', async (_, gate) => {
    const [draft, review] = reviewed.steps as [AgentWorkflow['steps'][0], AgentWorkflow['steps'][0]]
    const bench = await failedRun({ id: 'once', steps: [draft, { ...review, gate }] })
    expect(decisions(bench)).toEqual([{ to: 'fail' }])
    expect(lastError(bench)).toBe(`The gate of step 'review' did not pass: output.good is false.`)
  })

  test('needs no reason', async () => {
    const bench = await failedRun(reviewed, bad, { decide: async () => ({ passed: false }) })
    expect(lastError(bench)).toBe(`The gate of step 'review' did not pass after 3 evaluations.`)
    expect(bench.events.find(({ kind }) => kind === 'gate_result')).not.toHaveProperty('reason')
  })

  test('is neither retried nor sent back when it cannot be judged', async () => {
    const [draft, review] = reviewed.steps as [AgentWorkflow['steps'][0], AgentWorkflow['steps'][0]]
    const bench = await failedRun({ id: 'ill', steps: [draft, { ...review, retries: 3 }] }, () => ({}))
    expect(starts(bench)).toEqual(['step_start draft#1@1', 'step_start review#1@1'])
    expect(lastError(bench)).toMatch(/^The gate of step 'review' cannot be judged: .*good/)
  })

  test('gives the gates inside its loop their own counts anew', async () => {
    const step = { agent: 'worker' }
    const bench = engineBench(createVirtualFiles())
    /** The inner gate refuses every first evaluation after the outer has spoken, the outer the first of all. */
    const refusals = [true, false, true, true, false, false]
    const life = bench.life(
      { worker: () => null },
      { decide: async () => ({ passed: refusals.shift() !== true }) },
    )
    await life.start({
      id: 'nested',
      steps: [
        { id: 'write', ...step },
        { id: 'check', ...step, gate: { condition: 'true', onFail: 'write', maxLoops: 1 } },
        { id: 'approve', ...step, gate: { condition: 'true', onFail: 'write', maxLoops: 1 } },
      ],
    })
    expect((await life.runToEnd()).status).toBe('completed')
    expect(decisions(bench)).toEqual([
      { to: 'loop', target: 'write', loop: 1 },
      { to: 'pass' },
      { to: 'loop', target: 'write', loop: 1 },
      { to: 'loop', target: 'write', loop: 1 },
      { to: 'pass' },
      { to: 'pass' },
    ])
    expect(life.incarnation.state().steps).toMatchObject({
      write: { visit: 4 },
      check: { visit: 4 },
      approve: { visit: 2 },
    })
  })
})

describe('a resume after a failed gate', () => {
  test('runs the gated step again, then the gate, whose returns remain used up', async () => {
    const bench = await failedRun(reviewed)
    const before = bench.events.length
    expect(await resumed(bench, {}, bad)).toBe('failed')
    expect(starts(bench, before)).toEqual(['step_start review#3@2'])
    expect(decisions(bench).slice(3)).toEqual([{ to: 'fail' }])
    expect(await resumed(bench, {}, () => ({ good: true }))).toBe('completed')
  })

  test('starts at the step to return to when asked, with all returns to take again', async () => {
    const bench = await failedRun(reviewed)
    const before = bench.events.length
    expect(await resumed(bench, { from: 'loop-target' }, bad)).toBe('failed')
    expect(bench.events[before]).toMatchObject({ kind: 'workflow_resume', reopensLoopOf: 'review' })
    expect(starts(bench, before)).toEqual([
      'step_start draft#4@1',
      'step_start review#4@1',
      'step_start draft#5@1',
      'step_start review#5@1',
      'step_start draft#6@1',
      'step_start review#6@1',
    ])
    expect(await resumed(bench, { from: 'loop-target' }, () => ({ good: true }))).toBe('completed')
  })

  test.each([
    ['no gate', { ...reviewed, steps: [{ id: 'draft', agent: 'worker' }] }, 'draft'],
    [
      'a gate without a step to return to',
      { ...reviewed, steps: [{ id: 'draft', agent: 'worker', gate: { condition: 'false' } }] },
      'draft',
    ],
    [
      'no step at all',
      { id: 'slow', settings: { timeoutMs: 10 }, steps: [{ id: 'draft', agent: 'worker', retries: 1 }] },
      null,
    ],
  ] as const)('cannot start there when the run failed at %s', async (what, workflow, failedStep) => {
    const bench = await failedRun(workflow, () => {
      if (what.startsWith('no ')) throw new Error('model overloaded')
    })
    const { incarnation } = bench.life({ worker: bad })
    await expect(async () => incarnation.recover({ from: 'loop-target' })).rejects.toMatchObject({
      code: 'SESSION_MISUSE',
      message: expect.stringContaining(
        `it did not fail at a gate with an 'on_fail' step. Resume it from the safe point`,
      ) as unknown,
      details: { failedStep },
    })
    expect(await incarnation.recover({})).toHaveProperty('restarts')
  })
})

describe('what a gate is asked', () => {
  test('is everything that has been returned so far', async () => {
    const asked: GateRequest[] = []
    const bench = engineBench(createVirtualFiles())
    const life = bench.life(
      { worker: ({ step }) => ({ step, scores: { overall: 80 } }) },
      { decide: async (request) => ({ passed: asked.push(request) > 0 }) },
    )
    const runId = await life.start({
      id: 'asked',
      steps: [
        { id: 'draft', agent: 'worker' },
        {
          id: 'review',
          agent: 'worker',
          scoring: { thresholds: { overall_min: 70 } },
          gate: { condition: 'scoring.passed', maxLoops: 7 },
        },
        { id: 'send', agent: 'worker' },
      ],
    })
    await life.runToEnd()
    const scoring = { passed: true, scores: { overall: 80 } }
    expect(asked).toEqual([
      {
        workflowId: 'asked',
        runId,
        step: 'review',
        visit: 1,
        attempt: 1,
        gate: { condition: 'scoring.passed', maxLoops: 7 },
        input: null,
        output: { step: 'review', scores: { overall: 80 } },
        scoring,
        steps: {
          draft: {
            status: 'completed',
            output: { step: 'draft', scores: { overall: 80 } },
            scoring: null,
            failures: [],
          },
          review: { status: 'running', output: null, scoring: null, failures: [] },
          send: { status: 'pending', output: null, scoring: null, failures: [] },
        },
      },
    ])
    expect(bench.events.find(({ kind }) => kind === 'gate_result')).toMatchObject({
      status: 'passed',
      scoring,
    })
  })

  test('decides by the condition itself unless somebody brings another gate', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({ worker: ({ step }) => ({ words: step.length, scores: { overall: 70 } }) })
    const conditions = [
      'output.words == 1',
      `steps['0'].output.words + 1 == 2`,
      'scoring.passed && scoring.scores.overall >= 70',
      `run.workflowId == 'judged' && run.id.startsWith('judged-')`,
      'input == null',
    ]
    await life.start({
      id: 'judged',
      steps: conditions.map((condition, index) => ({
        id: `${index}`,
        agent: 'worker',
        scoring: { thresholds: { overall_min: 70 } },
        gate: { condition },
      })),
    })
    expect((await life.runToEnd()).status).toBe('completed')
    expect(decisions(bench)).toHaveLength(conditions.length)
  })
})
