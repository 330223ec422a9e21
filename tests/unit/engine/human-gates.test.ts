import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agent, RecoverRequest, TickReport } from '../../../src/ports/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench } from '../../support/engine-run.ts'

const hour = 3_600_000
const approved: AgentWorkflow = {
  id: 'approved',
  steps: [
    { id: 'draft', agent: 'worker', dependsOn: [] },
    {
      id: 'review',
      agent: 'worker',
      dependsOn: ['draft'],
      creates: ['review.md'],
      gate: { human: true, expiresAfter: '1h', onFail: 'draft', onPass: 'send', maxLoops: 1 },
    },
    { id: 'send', agent: 'worker' },
    { id: 'beside', agent: 'worker', dependsOn: [] },
  ],
}

const worker: Agent = async ({ step, visit, artifacts }) => {
  if (step === 'review') await artifacts.write('review.md', `visit ${visit}`)
  return { step, visit }
}

async function waiting(workflow = approved): Promise<EngineBench> {
  const bench = engineBench(createVirtualFiles())
  const life = bench.life({ worker })
  await life.start(workflow)
  expect((await life.runToEnd()).status).toBe('waiting')
  return bench
}

async function goOn(bench: EngineBench, request: RecoverRequest): Promise<TickReport> {
  const life = bench.life({ worker })
  await life.incarnation.recover(request)
  return life.runToEnd()
}

function starts({ events }: EngineBench): readonly string[] {
  return eventWords(events).filter((word) => word.startsWith('step_start'))
}

async function stateOf(bench: EngineBench) {
  const runId = (await bench.reader.last()) as string
  return bench.reader.read(runId)
}

describe('a gate that a person answers', () => {
  test('lets the run go once nothing else can move, with the step done and its files in place', async () => {
    const bench = await waiting()
    const { state, status } = await stateOf(bench)
    expect(status).toBe('waiting')
    expect(state.steps['review']).toMatchObject({
      status: 'waiting',
      output: { step: 'review', visit: 1 },
      artifacts: [{ path: 'review.md' }],
      waiting: { since: bench.clock.now(), expiresAt: bench.clock.now() + hour },
    })
    expect(state.completedSteps).toEqual(['draft', 'beside'])
    expect(bench.events.at(-1)).toMatchObject({ kind: 'workflow_pause', status: 'waiting', step: 'review' })
    expect(bench.trace.at(-1)).toBe('remove <run>/lock')
  })

  test('goes on after a yes without calling the step again, in a new engine', async () => {
    const bench = await waiting()
    bench.clock.advanceTo(bench.clock.now() + hour - 1)
    const report = await goOn(bench, { answers: { review: { passed: true, reason: 'well done' } } })
    expect(report.status).toBe('completed')
    expect(starts(bench)).toEqual([
      'step_start draft#1@1',
      'step_start beside#1@1',
      'step_start review#1@1',
      'step_start send#1@1',
    ])
    const { state } = await stateOf(bench)
    expect(state.steps['review']).not.toHaveProperty('waiting')
    expect(state.gateDecisions).toEqual([
      {
        step: 'review',
        visit: 1,
        attempt: 1,
        passed: true,
        reason: 'well done',
        by: 'person',
        scoring: null,
        route: 'pass',
      },
    ])
    expect(
      bench.events.find((event) => event.kind === 'step_finish' && event.step === 'review'),
    ).toMatchObject({ output: { step: 'review', visit: 1 }, artifacts: [{ path: 'review.md' }] })
  })

  test('sends work back after a no, and fails the run once it may not any more', async () => {
    const bench = await waiting()
    expect((await goOn(bench, { answers: { review: { passed: false } } })).status).toBe('waiting')
    expect(starts(bench).slice(-2)).toEqual(['step_start draft#2@1', 'step_start review#2@1'])
    expect((await goOn(bench, { answers: { review: { passed: false, reason: 'no' } } })).status).toBe(
      'failed',
    )
    const { state } = await stateOf(bench)
    expect(state.error).toMatchObject({
      kind: 'gate',
      step: 'review',
      message: `The gate of step 'review' did not pass after 2 evaluations: no.`,
    })
    expect(state.gateDecisions.map(({ visit, route }) => [visit, route])).toEqual([
      [1, 'loop'],
      [2, 'fail'],
    ])
  })

  test('waits on when the run is taken up without an answer', async () => {
    const bench = await waiting()
    expect((await goOn(bench, {})).status).toBe('waiting')
    expect(starts(bench)).toHaveLength(3)
  })

  test('that expires fails the run there, and the decision says who took it', async () => {
    const bench = await waiting()
    bench.clock.advanceTo(bench.clock.now() + hour)
    expect((await goOn(bench, {})).status).toBe('failed')
    const { state } = await stateOf(bench)
    expect(state.gateDecisions).toMatchObject([
      { passed: false, by: 'expiry', route: 'fail', reason: 'nobody has answered within 1 h' },
    ])
  })

  test('expires at its instant while other steps keep the run busy', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({
      worker: (context) => (context.step === 'beside' ? new Promise(() => {}) : worker(context)),
    })
    await life.start({
      ...approved,
      steps: approved.steps.map((step) => ({ ...step, timeout: '2h' as const })),
    })
    for (let tick = 0; tick < 3; tick++) await life.tick()
    const { nextAt } = await life.tick()
    expect(nextAt).toBe(bench.clock.now() + hour)
    bench.clock.advanceTo(nextAt as number)
    expect(eventWords((await life.tick()).events)).toEqual(['gate_result review#1@1', 'step_fail review#1@1'])
  })

  test('takes an answer while other steps keep the run busy', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({
      worker: (context) => (context.step === 'beside' ? new Promise(() => {}) : worker(context)),
    })
    await life.start(approved)
    for (let tick = 0; tick < 4; tick++) await life.tick()
    await life.incarnation.answerGate('review', { passed: true })
    expect(eventWords((await life.tick()).events)).toEqual(['step_start send#1@1'])
  })

  test.each([
    ['no gate', 'draft', `No gate of step 'draft' waits for an answer. Known: 'review'.`, 0],
    [
      'one that has expired',
      'review',
      `The gate of step 'review' has expired: it has failed, and takes no answer.`,
      hour,
    ],
  ])('an answer to %s is refused and changes nothing', async (_, step, message, later) => {
    const bench = await waiting()
    bench.clock.advanceTo(bench.clock.now() + later)
    const before = (await stateOf(bench)).state
    await expect(goOn(bench, { answers: { [step]: { passed: true } } })).rejects.toMatchObject({
      code: 'GATE_NOT_WAITING',
      message,
    })
    expect((await stateOf(bench)).state).toEqual(before)
    expect(bench.trace.at(-1)).toBe('remove <run>/lock')
  })

  test('is not answered for a file that was changed since', async () => {
    const bench = await waiting()
    await bench.files.perform({ op: 'write', path: 'review.md', data: 'tampered' })
    const answers = { review: { passed: true } }
    await expect(goOn(bench, { answers })).rejects.toMatchObject({ code: 'ARTIFACT_CHANGED' })
  })

  test('survives the crash of an engine that keeps other steps busy', async () => {
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({
      worker: (context) => (context.step === 'beside' ? new Promise(() => {}) : worker(context)),
    })
    await life.start(approved)
    for (let tick = 0; tick < 4; tick++) await life.tick()
    expect((await goOn(bench, { answers: { review: { passed: true } } })).status).toBe('completed')
    expect(starts(bench).filter((word) => word.includes('review'))).toEqual(['step_start review#1@1'])
  })
})
