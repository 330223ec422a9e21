import { agentError, gateFailure, stepTimeout, workflowTimeout } from 'faultline/fault-injection'
import { runWorkflowStepByStep } from 'faultline'
import type { Agents, Project, ResumeOptions, WorkflowSession } from 'faultline'
import { release } from './story.ts'

/** One way to fail, and everything that must follow from it. */
export interface Failure {
  readonly title: string
  readonly fault: ReturnType<
    typeof agentError | typeof gateFailure | typeof stepTimeout | typeof workflowTimeout
  >
  readonly step: string
  readonly error: { readonly kind: string; readonly message: string; readonly name?: string }
  /** At the failure, in the order in which they completed. */
  readonly completed: readonly string[]
  readonly pending: readonly string[]
  readonly gateDecisions: readonly string[]
  readonly artifacts: readonly string[]
  /** Steps in flight beside the one that failed, that came to their end before the run did. */
  readonly endedMeanwhile: readonly string[]
  readonly resume: ResumeOptions
  readonly resumePoint: string
  /** Steps whose work of this visit is void from here on. */
  readonly restarted: readonly string[]
  readonly startedAfterResume: readonly string[]
  /** How often each step that did not run exactly once ran in all. */
  readonly repeated: Readonly<Record<string, number>>
}

const documentation = ['index', 'modules/app', 'modules/cart', 'modules/money'].map(
  (page) => `docs/api/${page}.md`,
)
const reviewed = [
  'dist/app.js',
  ...documentation,
  'release/plan.json',
  'reports/lint.json',
  'reports/review.md',
  'reports/tests.json',
]

const failedGate = {
  fault: gateFailure('review', { reason: 'too long', times: 'until-failed' }),
  step: 'review',
  error: {
    kind: 'gate',
    message: "The gate of step 'review' did not pass after 3 evaluations: too long.",
  },
  completed: ['plan', 'lint', 'document', 'build', 'test'],
  pending: ['package', 'announce'],
  gateDecisions: [
    'review#1@1 loop: too long',
    'review#2@1 loop: too long',
    'review#3@1 fail: too long',
  ] as readonly string[],
  artifacts: reviewed,
  endedMeanwhile: [],
} as const

export const failures: readonly Failure[] = [
  {
    title: 'an agent error beside parallel steps',
    fault: agentError('document', { message: 'model overloaded' }),
    step: 'document',
    error: { kind: 'exception', message: 'model overloaded', name: 'InjectedAgentError' },
    completed: ['plan', 'lint', 'build'],
    pending: ['test', 'review', 'package', 'announce'],
    gateDecisions: [],
    artifacts: ['dist/app.js', 'release/plan.json', 'reports/lint.json'],
    endedMeanwhile: ['lint', 'build'],
    resume: {},
    resumePoint: 'document',
    restarted: ['document'],
    startedAfterResume: ['document#1@2', 'test#1@1', 'review#1@1', 'package#1@1', 'announce#1@1'],
    repeated: { document: 2 },
  },
  {
    title: 'a gate failure, resumed from before the gate',
    ...failedGate,
    resume: {},
    resumePoint: 'review',
    restarted: ['review'],
    startedAfterResume: ['review#3@2', 'package#1@1', 'announce#1@1'],
    repeated: { build: 3, test: 3, review: 4 },
  },
  {
    title: 'a gate failure, resumed with another review loop',
    ...failedGate,
    resume: { from: 'loop-target' },
    resumePoint: 'build',
    restarted: ['build', 'test', 'review'],
    startedAfterResume: ['build#4@1', 'test#4@1', 'review#4@1', 'package#1@1', 'announce#1@1'],
    repeated: { build: 4, test: 4, review: 4 },
  },
  {
    title: 'a time-out of the step in all its attempts',
    fault: stepTimeout('test', { times: 'until-failed' }),
    step: 'test',
    error: { kind: 'timeout', message: "Step 'test' (attempt 3) exceeded its limit of 10 s." },
    completed: ['plan', 'lint', 'document', 'build'],
    pending: ['review', 'package', 'announce'],
    gateDecisions: [],
    artifacts: ['dist/app.js', ...documentation, 'release/plan.json', 'reports/lint.json'],
    endedMeanwhile: [],
    resume: {},
    resumePoint: 'test',
    restarted: ['test'],
    startedAfterResume: ['test#1@4', 'review#1@1', 'package#1@1', 'announce#1@1'],
    repeated: { test: 4 },
  },
  {
    title: 'a time-out of the workflow',
    fault: workflowTimeout('package'),
    step: 'package',
    error: {
      kind: 'workflow-timeout',
      message: "Workflow 'release-shop' exceeded its limit of 1 min while it was in 'package'.",
    },
    completed: ['plan', 'lint', 'document', 'build', 'test', 'review'],
    pending: ['announce'],
    gateDecisions: ['review#1@1 pass: null'],
    artifacts: reviewed,
    endedMeanwhile: [],
    resume: {},
    resumePoint: 'package',
    restarted: ['package'],
    startedAfterResume: ['package#1@2', 'announce#1@1'],
    repeated: { package: 2 },
  },
]

/** Runs the workflow until it has failed as planned. */
export async function fail(
  { project, agents }: { readonly project: Project; readonly agents: Agents },
  { fault }: Pick<Failure, 'fault'>,
): Promise<WorkflowSession> {
  const session = await runWorkflowStepByStep(release, { project, agents, faults: [fault] })
  await session.runToEnd()
  return session
}
