import { expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { builtInInvariants, judge } from '../../../../src/harness/invariants/index.ts'
import type { Evidence } from '../../../../src/harness/invariants/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import { eventsIn, logPathOf, withEvents, withState } from '../../../support/tamper.ts'
import type { Tampered } from '../../../support/tamper.ts'

/** `a` has findings, `no` fails and is tolerated, `large` is not taken. */
const graph = {
  id: 'decided',
  settings: { maxConcurrentSteps: 1 },
  nodes: [
    { id: 'a', type: 'worker' },
    { id: 'large', type: 'worker' },
    { id: 'no', type: 'refuser', continueOnError: true },
    { id: 'small', type: 'worker' },
    { id: 'z', type: 'worker', condition: "steps['a'].output.big == false" },
  ],
  connections: [
    { source: 'a', target: 'large', condition: 'big == true' },
    { source: 'a', target: 'no' },
    { source: 'a', target: 'small', condition: 'big == false' },
    { source: 'large', target: 'z' },
    { source: 'no', target: 'z' },
    { source: 'small', target: 'z' },
  ],
}
const workflow = defineWorkflow(graph)

const agents: Agents = {
  worker: () => ({ big: false, failures: ['one'] }),
  refuser() {
    throw new Error('no')
  },
}

async function decidedRun(of = workflow): Promise<Evidence> {
  const run = await watchedRun(of, { agents })
  await run.move((session) => session.runToEnd())
  return run.evidence()
}

/** Its process dies with everything decided and the last step still to come. */
async function takenUp(): Promise<Evidence> {
  const run = await watchedRun(workflow, { agents })
  await run.move((session) => session.runUntil('small'))
  await run.move((session) => session.crash())
  await run.move((session) => session.resume())
  await run.move((session) => session.runToEnd())
  return run.evidence()
}

const of = (events: readonly Tampered[], kind: string, step: string): number =>
  events.findIndex((event) => event['kind'] === kind && event['step'] === step)

function moved(kind: string, step: string, before: readonly [kind: string, step: string]) {
  return (events: Tampered[]): Tampered[] => {
    const event = events[of(events, kind, step)] as Tampered
    const rest = events.toSpliced(of(events, kind, step), 1)
    return rest.toSpliced(of(rest, ...before), 0, event)
  }
}

function changed(kind: string, step: string, fields: Tampered) {
  return (events: Tampered[]): Tampered[] =>
    events.with(of(events, kind, step), { ...events[of(events, kind, step)], ...fields })
}

function removed(kind: string, step: string) {
  return (events: Tampered[]): Tampered[] => events.toSpliced(of(events, kind, step), 1)
}

const orderOf = (evidence: Evidence): Promise<readonly string[]> => sentencesOf(evidence, 'O6')

async function sentencesOf(evidence: Evidence, name: string): Promise<readonly string[]> {
  const { violations } = await judge(
    evidence,
    builtInInvariants.filter((invariant) => invariant.name === name),
  )
  return violations.map(({ sentence }) => sentence.replaceAll(/event \d+/g, 'event'))
}

test('a run that decides which steps run breaks no invariant', async () => {
  const evidence = await decidedRun()
  expect(eventsIn(evidence.files, logPathOf(evidence)).some(({ kind }) => kind === 'step_skip')).toBe(true)
  const { violations } = await judge(evidence)
  expect(violations).toEqual([])
})

test.each([
  [
    'a step is skipped before what leads to it has ended',
    moved('step_skip', 'large', ['step_finish', 'a']),
    [`Step 'large' (visit 1) was skipped before step 'a', which it depends on, had ended (event).`],
  ],
  [
    'a step is skipped by a condition that it does not have',
    changed('step_skip', 'large', { reason: 'condition_false' }),
    [`Step 'large' (visit 1) was skipped by a condition that it does not have (event).`],
  ],
  [
    'a step is skipped because of a failure that is tolerated',
    changed('step_skip', 'large', { reason: 'run_failed' }),
    [`Step 'large' (visit 1) was skipped because of a failure that there is not (event).`],
  ],
  [
    'a step is skipped that is none',
    changed('step_skip', 'large', { step: 'huge' }),
    [
      `Step 'huge' (visit 1) is no step of the workflow (event).`,
      `Step 'z' (visit 1, attempt 1) started before step 'large', which it depends on, had completed (event).`,
      `Step 'large' was lost: the run completed at event without it.`,
    ],
  ],
  [
    'a step runs in spite of a failure before it',
    changed('step_fail', 'no', { tolerated: undefined }),
    [
      `Step 'z' (visit 1, attempt 1) started although step 'no', which it depends on, had failed (event).`,
      `Step 'no' was lost: the run completed at event without it.`,
    ],
  ],
  [
    'a skipped step is lost',
    removed('step_skip', 'large'),
    [
      `Step 'z' (visit 1, attempt 1) started before step 'large', which it depends on, had completed (event).`,
      `Step 'large' was lost: the run completed at event without it.`,
    ],
  ],
])('O6 finds: %s', async (_, tamper, expected) => {
  expect(await orderOf(withEvents(await decidedRun(), tamper))).toEqual(expected)
})

test.each([
  [['large'], 'large', 'been skipped'],
  [['no'], 'no', 'failed, which was tolerated'],
])('O6 finds: a resume begins %j again', async (restarts, step, ended) => {
  const evidence = await takenUp()
  expect(await orderOf(evidence)).toEqual([])
  const tampered = withEvents(evidence, (events) =>
    events.map((event) => (event['kind'] === 'workflow_resume' ? { ...event, restarts } : event)),
  )
  expect((await orderOf(tampered))[0]).toBe(
    `Step '${step}' begins again with the resume at event: it had ${ended}, and nothing before it begins again.`,
  )
})

test('O6 lets a resume begin a skipped step again together with what comes before it', async () => {
  const tampered = withEvents(await takenUp(), (events) =>
    events.map((event) =>
      event['kind'] === 'workflow_resume' ? { ...event, restarts: ['a', 'large'] } : event,
    ),
  )
  expect((await orderOf(tampered)).join('\n')).not.toContain('begins again')
})

test('O6 finds: a step is reached in another way by its second attempt', async () => {
  const retried = defineWorkflow({ ...graph, settings: { ...graph.settings, retries: 1 } })
  const tampered = withEvents(await decidedRun(retried), (events) =>
    events.map((event) =>
      event['kind'] === 'step_start' && event['attempt'] === 2 ? { ...event, takes: ['large'] } : event,
    ),
  )
  expect(await orderOf(tampered)).toEqual([
    `Step 'no' (visit 1, attempt 2) started by way of 'large', and its visit had been reached by way of 'a' (event).`,
  ])
})

test.each([
  ['degraded', { degraded: undefined }],
  ['hasFailures', { hasFailures: undefined }],
  ['activeConnections', { activeConnections: [{ from: 'a', to: 'large' }] }],
  ['progress.skipped', { progress: { completed: 3, total: 5 } }],
])('O7 finds a state that says something else of %s', async (_, fields) => {
  const tampered = withState(await decidedRun(), (body) => ({ ...body, ...fields }))
  expect(await sentencesOf(tampered, 'O7')).not.toEqual([])
})
