import { expect, test } from 'vitest'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'
import { compileWorkflow } from '../../../src/engine/run/compiled-workflow.ts'
import { reduce } from '../../../src/engine/run/reducer.ts'
import { initialState } from '../../../src/engine/run/run-state.ts'
import type { RunState } from '../../../src/engine/run/run-state.ts'
import type { EventBody, EventEnvelope, WorkflowEvent } from '../../../src/trace/index.ts'

const { definition } = await loadWorkflow(
  workflowFromText(
    'id: one\nsteps: [{ id: a, agent: x, condition: input.go, undo: { agent: y } }]\n',
    'f.yaml',
  ),
)
const workflow = await compileWorkflow(definition, 'digest')

const base = {
  at: 1,
  correlationId: 'test',
  durableSeq: -1,
  epoch: 1,
  runId: 'one-1',
  v: 1,
  workflowId: 'one',
} as const

const beginning = initialState(workflow, {
  ...base,
  seq: 0,
  kind: 'workflow_start',
  status: 'running',
  definition,
  definitionSha256: 'digest',
  input: null,
  seed: 1,
  launch: {},
  owner: 'test',
})

type Happening = (state: RunState) => EventBody

const about = (state: RunState) => {
  const { visit, attempt } = state.steps.get(0)
  return { step: 'a', agent: 'x', visit, attempt }
}
const error = { kind: 'exception', message: 'no' } as const

const happenings = {
  start: (state) => ({
    ...about(state),
    attempt: about(state).attempt + 1,
    kind: 'step_start',
    status: 'running',
    takes: [],
  }),
  retry: (state) => ({
    ...about(state),
    kind: 'step_retry',
    status: 'retrying',
    error,
    durationMs: 0,
    delayMs: 0,
    notBefore: 1,
  }),
  fail: (state) => ({ ...about(state), kind: 'step_fail', status: 'failed', error, durationMs: 0 }),
  finish: (state) => ({
    ...about(state),
    kind: 'step_finish',
    status: 'completed',
    output: null,
    artifacts: [],
    durationMs: 0,
  }),
  skip: (state) => ({
    ...about(state),
    kind: 'step_skip',
    status: 'skipped',
    reason: 'condition_false',
    because: [],
  }),
  pause: (state) => ({ ...about(state), kind: 'step_pause', status: 'paused', missingVar: 'input.go' }),
  wait: (state) => ({ ...about(state), kind: 'gate_wait', status: 'waiting', output: null }),
  undo: (state) => ({ ...about(state), kind: 'undo_start', status: 'running' }),
  resume: () => ({ kind: 'workflow_resume', status: 'running', owner: 'test', restarts: ['a'] }),
  complete: () => ({ kind: 'workflow_end', status: 'completed' }),
  break: () => ({ kind: 'workflow_end', status: 'failed' }),
  cancel: () => ({ kind: 'workflow_end', status: 'cancelled' }),
  halt: () => ({ kind: 'workflow_pause', status: 'paused', step: 'a' }),
  await: () => ({ kind: 'workflow_pause', status: 'waiting', step: 'a' }),
} satisfies Readonly<Record<string, Happening>>

type Name = keyof typeof happenings
const names = Object.keys(happenings) as readonly Name[]

function after(state: RunState, name: Name): RunState {
  const envelope: EventEnvelope = { ...base, seq: state.seq + 1 }
  return reduce(state, { ...envelope, ...happenings[name](state) } as WorkflowEvent)
}

/** What can happen in a state, each with what it leads to. */
function possible(path: readonly Name[], of: readonly Name[], status: (state: RunState) => string): string {
  const state = path.reduce(after, beginning)
  const rows = of.flatMap((name) => {
    try {
      return [`${name} > ${status(after(state, name))}`]
    } catch (refusal) {
      expect(refusal).toMatchObject({ code: 'INTERNAL' })
      return []
    }
  })
  return [`${status(state)}:`, ...rows].join(' ')
}

const ofSteps = names.slice(0, names.indexOf('resume'))
const ofRuns = names.slice(names.indexOf('resume'))

test.each<readonly [readonly Name[], string]>([
  [[], 'pending: start > running skip > skipped pause > paused'],
  [['start'], 'running: retry > retrying fail > failed finish > completed wait > waiting'],
  [['start', 'retry'], 'retrying: start > running fail > failed skip > skipped'],
  [['start', 'wait'], 'waiting: fail > failed finish > completed'],
  [['pause'], 'paused:'],
  [['skip'], 'skipped:'],
  [['start', 'fail'], 'failed:'],
  [['start', 'finish'], 'completed: undo > completed'],
])('a step after %j can do this and nothing else: %s', (path, expected) => {
  expect(possible(path, ofSteps, (state) => state.steps.get(0).status)).toBe(expected)
})

test.each<readonly [readonly Name[], string]>([
  [
    ['start'],
    'running: resume > running complete > completed break > failed cancel > cancelled halt > paused await > waiting',
  ],
  [['start', 'finish', 'complete'], 'completed:'],
  [['start', 'cancel'], 'cancelled:'],
  [['start', 'fail', 'break'], 'failed: resume > running'],
  [['pause', 'halt'], 'paused: resume > running'],
  [['start', 'wait', 'await'], 'waiting: resume > running'],
])('a run after %j can do this and nothing else: %s', (path, expected) => {
  expect(possible(path, ofRuns, (state) => state.status)).toBe(expected)
})

test.each<readonly [readonly Name[], Name]>([
  [['start', 'fail', 'break'], 'start'],
  [['start', 'fail', 'break'], 'fail'],
  [['start', 'cancel'], 'finish'],
  [['pause', 'halt'], 'start'],
])('no step of a run that stands still after %j can %s', (path, name) => {
  const state = path.reduce(after, beginning)
  expect(() => after(state, name)).toThrow('nothing follows the end of a run')
})
