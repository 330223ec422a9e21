import { afterEach, describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../../src/core/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { agentError, gateFailure } from '../../../../src/fault-injection/index.ts'
import { createProject, normaliseState, runWorkflowStepByStep } from '../../../../src/harness/index.ts'
import type { Agents, WorkflowSession, WorkflowSessionOptions } from '../../../../src/harness/index.ts'
import { formatStepSpans, stepSpansOf } from '../../../../src/trace/index.ts'
import type { StateDocument } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import { eventProblem, eventSchemas } from '../../../support/event-schemas.ts'
import { sampleEvents } from '../../../support/sample-run.ts'

const open: WorkflowSession[] = []

afterEach(async () => {
  for (const session of open.splice(0)) {
    await session.close()
    await session.project.remove()
  }
})

interface Line {
  readonly kind: string
  readonly [member: string]: unknown
}

async function linesOf(session: WorkflowSession): Promise<readonly Line[]> {
  const log = await session.project.readText(`.workflow/runs/${session.runId}/events.jsonl`)
  return log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(9)) as Line)
}

const workflow = defineWorkflow({
  id: 'everything',
  steps: [
    { id: 'late', agent: 'late', action: 'answer', retries: 1, timeout: 5, requires: [] },
    { id: 'write', agent: 'writer', creates: ['a.md', 'b.md'], dependsOn: ['late'] },
    {
      id: 'review',
      agent: 'reviewer',
      dependsOn: ['write'],
      scoring: { thresholds: { tone_min: 5 } },
      gate: { condition: 'scoring.passed', onFail: 'write', maxLoops: 2 },
    },
    { id: 'send', agent: 'sender', dependsOn: ['review'] },
  ],
})

/** A timeout whose answer comes too late, a retry, a gate that loops, a process, a failure, a crash and an edit: every reason to say something. */
async function everything(options: WorkflowSessionOptions = {}): Promise<WorkflowSession> {
  const late = deferred<string>()
  const agents: Agents = {
    late: ({ attempt, clock }) => (attempt === 1 ? clock.sleep(9_999).catch(() => late.promise) : 'in time'),
    async writer({ artifacts, clock, visit }) {
      late.resolve('too late')
      await artifacts.write('a.md', `a ${visit}`)
      await artifacts.write('b.md', 'b')
      await clock.sleep(10)
      return { large: 'x'.repeat(500) }
    },
    reviewer: () => ({ scores: { tone: 7 } }),
    async sender({ processes }) {
      await processes.run({ command: ['mail'] })
    },
  }
  const session = await runWorkflowStepByStep(workflow, {
    project: await createProject(),
    agents,
    faults: [gateFailure('review'), agentError('send')],
    outputCapBytes: 200,
    checkpointEvery: 2,
    programs: { mail: () => {} },
    ...options,
  })
  open.push(session)
  await session.runUntil({ before: 'review' })
  await session.edit('notes.md', 'mine')
  await session.crash()
  await session.resume()
  expect((await session.runToEnd()).status).toBe('failed')
  await session.resume()
  expect((await session.runToEnd()).status).toBe('completed')
  return session
}

async function skipping(): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(
    defineWorkflow({
      id: 'skips',
      steps: [
        { id: 'late', agent: 'a', action: 'answer' },
        { id: 'never', agent: 'a', action: 'answer', condition: 'on_failure' },
      ],
    }),
    { project: await createProject() },
  )
  open.push(session)
  await session.runToEnd()
  return session
}

async function cancelled(): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(workflow, { project: await createProject() })
  open.push(session)
  await session.runUntil('late')
  await session.cancel('no longer wanted')
  return session
}

/** An answer that takes its time, a warning, input that comes late, and a failure that is taken back. */
async function undone(): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(
    defineWorkflow({
      id: 'undone',
      settings: { rollback: true, timeout: '1h', warnAfter: 1 },
      steps: [
        {
          id: 'ask',
          agent: 'asker',
          warnAfter: 1,
          gate: { human: true, expiresAfter: 60 },
          undo: { agent: 'undoer' },
        },
        { id: 'more', agent: 'quiet', parameters: { who: '${input.who}' }, undo: { agent: 'failing' } },
        { id: 'fail', agent: 'failing' },
      ],
    }),
    {
      project: await createProject(),
      agents: {
        asker: ({ clock }) => clock.sleep(2_000),
        quiet: () => null,
        undoer: () => 'gone',
        failing() {
          throw new Error('no')
        },
      },
    },
  )
  open.push(session)
  expect(await session.runToEnd()).toEqual({ status: 'waiting', step: 'ask' })
  await session.answerGate('ask', true)
  expect(await session.runToEnd()).toEqual({ status: 'paused', step: 'more', missingVar: 'input.who' })
  await session.provideInput({ who: 'me' })
  expect((await session.runToEnd()).status).toBe('failed')
  return session
}

describe('a line of the log', () => {
  test('has the form of its kind, whatever a run may say', async () => {
    const sessions = [await everything(), await cancelled(), await undone(), await skipping()]
    const lines = (await Promise.all(sessions.map(linesOf))).flat()
    expect(lines.flatMap((line) => eventProblem(line) ?? [])).toEqual([])
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(new Set(Object.keys(eventSchemas)))
    expect(sampleEvents().flatMap((event) => eventProblem(event) ?? [])).toEqual([])
    expect(lines.some(({ outputBlob }) => outputBlob !== undefined)).toBe(true)
  })

  test('about a step says which, who and how it stands; about the run, which run and when', async () => {
    const lines = await linesOf(await everything())
    const always = ['seq', 'at', 'workflowId', 'runId', 'correlationId', 'kind', 'status']
    const ofSteps = ['step', 'visit', 'attempt', 'agent']
    for (const kind of Object.keys(eventSchemas)) {
      const line = lines.find((each) => each.kind === kind)
      if (line === undefined) continue
      const needed = 'attempt' in line ? [...always, ...ofSteps] : always
      for (const member of needed) {
        expect([kind, member, eventProblem({ ...line, [member]: undefined })]).toEqual([
          kind,
          member,
          expect.any(String),
        ])
      }
      expect(eventProblem({ ...line, surprise: 1 })).toContain('surprise')
    }
    const acting = lines.filter((line) => line['step'] === 'late' && 'attempt' in line)
    expect(new Set(acting.map((line) => line['action']))).toEqual(new Set(['answer']))
  })
})

describe('without what merely explains', () => {
  test('a run drops exactly that, and resumes, reads and draws as with it', async () => {
    const full = await everything()
    const bare = await everything({ eventLog: false })
    const [fullLines, bareLines] = [await linesOf(full), await linesOf(bare)]
    const explaining = new Set(['artifact_created', 'late_result'])
    const explained = fullLines.filter(({ kind }) => explaining.has(kind)).map(({ kind }) => kind)
    expect(explained.sort()).toEqual([...Array.from({ length: 4 }, () => 'artifact_created'), 'late_result'])
    expect(bareLines.map(wordOf)).toEqual(fullLines.filter(({ kind }) => !explaining.has(kind)).map(wordOf))
    expect(bareLines.map(({ seq }) => seq)).toEqual(bareLines.map((_, index) => index))
    expect(withoutCounts(bare.state())).toEqual(withoutCounts(full.state()))
    const times = (session: WorkflowSession): unknown =>
      stepSpansOf(session.events()).map(({ attempts, ...span }) => [
        span,
        attempts.map(({ startSeq: _from, endSeq: _to, ...attempt }) => attempt),
      ])
    expect(times(bare)).toEqual(times(full))
    expect(formatStepSpans(bare.events())).toBe(formatStepSpans(full.events()))
  })
})

test('a step that recovery finishes is explained unless the project does without', async () => {
  const agents: Agents = { writer: async ({ artifacts }) => artifacts.write('a.md', 'a') }
  const dying = (files: VirtualFiles, last: number): Promise<unknown> => {
    let count = 0
    return new Promise((died) => {
      const life = engineBench({
        perform(operation) {
          if (++count <= last) return files.perform(operation)
          died(undefined)
          return new Promise(() => {}) as never
        },
      }).life(agents)
      void life
        .start({ id: 'one', steps: [{ id: 'only', agent: 'writer', creates: ['a.md'] }] })
        .then(() => life.runToEnd())
        .then(died)
    })
  }
  for (const eventLog of [true, false]) {
    let kinds: readonly string[] = []
    for (let last = 1; kinds.length === 0; last++) {
      const files = createVirtualFiles()
      await dying(files, last)
      const [, log] = [...files.snapshotFiles()].find(([path]) => path.endsWith('events.jsonl')) ?? []
      const lastLine = new TextDecoder().decode(log).trimEnd().split('\n').at(-1)
      if (!lastLine?.includes('"kind":"artifacts_prepared"')) continue
      const bench = engineBench(files.afterCrash('kill'), { eventLog })
      await bench.life(agents).incarnation.recover({})
      kinds = bench.events.map(({ kind }) => kind)
    }
    expect(kinds).toEqual([...(eventLog ? ['artifact_created'] : []), 'step_finish', 'workflow_resume'])
  }
})

function wordOf(line: Line): string {
  return [line.kind, line['step'], line['visit'], line['attempt'], line['status']].join(' ')
}

/** Two runs that did the same but for how many events they wrote. */
function withoutCounts(state: StateDocument): unknown {
  const { seq: _seq, safePoint: _safePoint, ...rest } = normaliseState(state)
  return [rest, state.safePoint.step]
}
