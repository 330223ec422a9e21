import { describe, expectTypeOf, test } from 'vitest'
import type {
  Agent,
  Agents,
  AssertWorkflowArtifactsOptions,
  assertWorkflowArtifacts,
  captureWorkflowState,
  createProject,
  CreateProjectOptions,
  diffSnapshots,
  ExpectedArtifacts,
  formatSnapshotDiff,
  GateController,
  mockAgent,
  openProject,
  Project,
  ResumeOptions,
  RunOutcome,
  RunOutcomeStatus,
  runWorkflowStepByStep,
  SessionFaults,
  StepExecution,
  WorkflowInput,
  WorkflowSession,
  WorkflowSessionOptions,
  WorldEffect,
} from '../../../src/harness/index.ts'
import { agentError, gateFailure, stepTimeout, workflowTimeout } from '../../../src/fault-injection/index.ts'
import type { Fault, FaultPlan } from '../../../src/fault-injection/index.ts'
import type { JsonValue } from '../../../src/core/index.ts'
import type {
  RecordedSnapshots,
  SessionRecording,
  StateDocument,
  TimelineRow,
  WorkflowEvent,
  WorkflowSnapshot,
} from '../../../src/trace/index.ts'

// The compiler is the judge here: `npm run types` turns red when a public type changes. Nothing is run.

declare const run: typeof runWorkflowStepByStep
declare const capture: typeof captureWorkflowState
declare const judge: typeof assertWorkflowArtifacts
declare const diff: typeof diffSnapshots
declare const project: Project
declare const session: WorkflowSession

describe('the public types', () => {
  test('let the story of a session be written as the documentation tells it', () => {
    const story = async (): Promise<void> => {
      const opened = await run('workflows/release.yaml', {
        project,
        agents: project.agents,
        faults: [agentError('review', { attempt: 1, message: 'overloaded' }), stepTimeout('build')],
        gates: { review: ({ scoring }) => scoring?.passed ?? false, publish: 'external' },
        input: { cart: [1, 2] },
        seed: 'seven',
        clock: 'virtual',
        disk: 'simulated',
        limits: { stepTimeoutMs: 1_000, workflowTimeoutMs: 10_000, realWaitMs: 500 },
      })
      await opened.runUntil('build')
      await opened.runUntil({ before: 'review' })
      await opened.edit('notes.md', 'changed')
      await opened.advance(1_000)
      await opened.answerGate('publish', { passed: true, reason: 'signed' })
      await opened.crash()
      await opened.resume({ from: 'loop-target', artifacts: 'rebuild' })
      for await (const outcome of opened) expectTypeOf(outcome).toEqualTypeOf<RunOutcome>()
      const snapshot = await capture(opened, 'at the end')
      expectTypeOf(snapshot).toEqualTypeOf<WorkflowSnapshot>()
      expectTypeOf(diff(opened.snapshots.atFailure, snapshot)[0]?.path).toEqualTypeOf<string | undefined>()
      await judge(opened, {
        'dist/app.js': { producedBy: 'build', sha256: 'ab' },
        'a.json': { json: { ok: [true] } },
      })
      await opened.close()
    }
    expectTypeOf(story).returns.resolves.toBeVoid()
  })

  test('of the functions', () => {
    expectTypeOf<Parameters<typeof runWorkflowStepByStep>>().toEqualTypeOf<
      [workflow: WorkflowInput, options?: WorkflowSessionOptions | undefined]
    >()
    expectTypeOf<typeof runWorkflowStepByStep>().returns.resolves.toEqualTypeOf<WorkflowSession>()
    expectTypeOf<Parameters<typeof createProject>>().toEqualTypeOf<
      [options?: CreateProjectOptions | undefined]
    >()
    expectTypeOf<typeof createProject>().returns.resolves.toEqualTypeOf<Project>()
    expectTypeOf<typeof openProject>().toEqualTypeOf<(folder: string) => Project>()
    expectTypeOf<typeof mockAgent>().returns.toEqualTypeOf<Agent>()
    expectTypeOf<typeof formatSnapshotDiff>().returns.toBeString()
    expectTypeOf<typeof assertWorkflowArtifacts>().parameter(1).toEqualTypeOf<ExpectedArtifacts>()
    expectTypeOf<AssertWorkflowArtifactsOptions>().toEqualTypeOf<{ readonly exact?: boolean }>()
  })

  test('of what a session answers', () => {
    expectTypeOf<WorkflowSession['next']>().returns.resolves.toEqualTypeOf<RunOutcome>()
    expectTypeOf<WorkflowSession['runToEnd']>().returns.resolves.toEqualTypeOf<RunOutcome>()
    expectTypeOf<Parameters<WorkflowSession['resume']>>().toEqualTypeOf<
      [options?: ResumeOptions | undefined]
    >()
    expectTypeOf<Parameters<WorkflowSession['cancel']>>().toEqualTypeOf<[reason?: string | undefined]>()
    expectTypeOf<WorkflowSession['state']>().returns.toEqualTypeOf<StateDocument>()
    expectTypeOf<WorkflowSession['events']>().returns.toEqualTypeOf<readonly WorkflowEvent[]>()
    expectTypeOf<WorkflowSession['timeline']>().returns.toEqualTypeOf<readonly TimelineRow[]>()
    expectTypeOf<WorkflowSession['executions']>().returns.resolves.toEqualTypeOf<readonly StepExecution[]>()
    expectTypeOf<WorkflowSession['recording']>().returns.resolves.toEqualTypeOf<SessionRecording>()
    expectTypeOf<WorkflowSession['snapshots']>().toEqualTypeOf<RecordedSnapshots>()
    expectTypeOf<WorkflowSession['faults']>().toEqualTypeOf<SessionFaults>()
    expectTypeOf<WorkflowSession['world']>().toEqualTypeOf<readonly WorldEffect[]>()
    expectTypeOf<RunOutcomeStatus>().toEqualTypeOf<
      'completed' | 'failed' | 'paused' | 'waiting' | 'cancelled' | 'crashed' | 'stopped'
    >()
  })

  test('take agents that answer now, later, or nothing, and no others', () => {
    expectTypeOf({
      now: () => ({ scores: { overall: 80 } }),
      later: async () => 'done',
      nothing: async () => {},
    }).toExtend<Agents>()
    expectTypeOf({ broken: async () => new Map<string, string>() }).not.toExtend<Agents>()
    expectTypeOf({ notAFunction: 'reviewer' }).not.toExtend<Agents>()
  })

  test('take every injector as a plain fault, in a list or in a plan', () => {
    expectTypeOf([gateFailure('review', { times: 2 }), workflowTimeout('build')]).toExtend<readonly Fault[]>()
    expectTypeOf<WorkflowSessionOptions['faults']>().toEqualTypeOf<readonly Fault[] | FaultPlan | undefined>()
    expectTypeOf<Fault>().toExtend<{ readonly at: { readonly step: string } | string }>()
    expectTypeOf(() => true).toExtend<GateController>()
    expectTypeOf<'internal'>().not.toExtend<GateController>()
  })

  test('cannot be written to where they cross the border', () => {
    // @ts-expect-error a session's snapshots belong to the session
    const assign = (): unknown => (session.snapshots = { ...session.snapshots })
    // @ts-expect-error lists are read-only
    const push = (): unknown => session.events().push()
    // @ts-expect-error an option that does not exist
    const misspelt = (): WorkflowSessionOptions => ({ project, agent: {} })
    expectTypeOf([assign, push, misspelt]).toBeArray()
    expectTypeOf<WorkflowSessionOptions['input']>().toEqualTypeOf<JsonValue | undefined>()
  })
})
