import type { WorkflowDefinition } from '../../src/definition/index.ts'
import type {
  ArtifactRecord,
  EventBody,
  SessionRecording,
  StateDocument,
  StepDocument,
  WorkflowEvent,
  WorkflowSnapshot,
} from '../../src/trace/index.ts'

const encoder = new TextEncoder()

/** When the sample run starts: 2023-11-14T22:13:20.000Z. */
export const sampleStart = 1_700_000_000_000

export const sampleIds = {
  workflowId: 'release',
  runId: 'release-7f3a91c2',
  correlationId: 'corr-5d0e1b44',
} as const

export const sampleDefinition: WorkflowDefinition = {
  id: 'release',
  name: 'Release',
  version: '1.0.0',
  limits: { maxConcurrentSteps: 5 },
  steps: ['plan', 'build', 'review', 'publish'].map((id) => ({
    id,
    agent: `${id}-agent`,
    requires: [],
    creates: [],
    parameters: {},
    retries: 1,
    retryDelayMs: 1_000,
    timeoutMs: 30_000,
    metadata: {},
  })),
  edges: [
    { from: 'plan', to: 'build' },
    { from: 'build', to: 'review' },
    { from: 'review', to: 'publish' },
  ],
  metadata: {},
}

/** One event per call: envelope fields are counted up, `afterMs` is the time since the event before. */
export function eventBuilder(): (afterMs: number, body: EventBody) => WorkflowEvent {
  let seq = 0
  let epoch = 1
  let at = sampleStart
  return (afterMs, body) => {
    at += afterMs
    if (body.kind === 'workflow_resume') epoch++
    return { v: 1, seq, epoch, durableSeq: seq++ - 1, at, ...sampleIds, ...body }
  }
}

export function stepContext(
  step: string,
  visit = 1,
  attempt = 1,
): { step: string; visit: number; attempt: number; agent: string } {
  return { step, visit, attempt, agent: `${step}-agent` }
}

export function artifact(path: string, digit = 'a'): ArtifactRecord {
  return { path, sha256: digit.repeat(64), sizeBytes: 12 }
}

/**
 * A release that builds, fails at the review twice, is resumed, goes through one review loop and completes: at least one
 * event of nearly every kind.
 */
export function sampleEvents(): WorkflowEvent[] {
  const event = eventBuilder()
  const overloaded = { kind: 'exception', message: 'model overloaded', name: 'ModelError' } as const
  return [
    event(0, {
      kind: 'workflow_start',
      status: 'running',
      definition: sampleDefinition,
      definitionSha256: 'd'.repeat(64),
      input: { version: '1.2.0' },
      seed: 1,
      launch: { source: 'workflows/release.yaml' },
      owner: 'owner-one',
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('plan') }),
    event(250, {
      kind: 'step_finish',
      status: 'completed',
      ...stepContext('plan'),
      output: { tasks: 3 },
      artifacts: [],
      durationMs: 250,
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('build') }),
    event(1_000, {
      kind: 'artifacts_prepared',
      status: 'running',
      ...stepContext('build'),
      artifacts: [artifact('dist/app.js')],
      output: { files: 1 },
    }),
    event(0, {
      kind: 'step_finish',
      status: 'completed',
      ...stepContext('build'),
      output: { files: 1 },
      artifacts: [artifact('dist/app.js')],
      durationMs: 1_000,
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('review') }),
    event(500, {
      kind: 'step_retry',
      status: 'retrying',
      ...stepContext('review'),
      error: overloaded,
      durationMs: 500,
      delayMs: 1_000,
      notBefore: sampleStart + 2_750,
    }),
    event(1_000, { kind: 'step_start', status: 'running', ...stepContext('review', 1, 2) }),
    event(500, {
      kind: 'step_fail',
      status: 'failed',
      ...stepContext('review', 1, 2),
      error: overloaded,
      durationMs: 500,
    }),
    event(0, { kind: 'workflow_end', status: 'failed', step: 'review', error: overloaded }),
    event(0, { kind: 'artifact_edit', status: 'edited', artifact: artifact('notes.md', 'e') }),
    event(60_000, {
      kind: 'workflow_resume',
      status: 'running',
      owner: 'owner-two',
      restarts: ['review'],
      tailCutAtSeq: 12,
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('review', 1, 3) }),
    event(500, {
      kind: 'gate_result',
      status: 'failed',
      ...stepContext('review', 1, 3),
      reason: 'overall 60 is below 80',
      scoring: { passed: false, scores: { overall: 60 } },
      output: { scores: { overall: 60 } },
      route: { to: 'loop', target: 'build', loop: 1 },
    }),
    event(0, {
      kind: 'late_result',
      status: 'discarded',
      ...stepContext('review', 1, 2),
      outcome: 'returned',
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('build', 2) }),
    event(1_000, {
      kind: 'step_finish',
      status: 'completed',
      ...stepContext('build', 2),
      output: { files: 1 },
      artifacts: [artifact('dist/app.js', 'b')],
      durationMs: 1_000,
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('review', 2) }),
    event(500, {
      kind: 'gate_result',
      status: 'passed',
      ...stepContext('review', 2),
      scoring: { passed: true, scores: { overall: 90 } },
      output: { scores: { overall: 90 } },
      route: { to: 'pass' },
    }),
    event(0, {
      kind: 'step_finish',
      status: 'completed',
      ...stepContext('review', 2),
      output: { scores: { overall: 90 } },
      scoring: { passed: true, scores: { overall: 90 } },
      artifacts: [],
      durationMs: 500,
    }),
    event(0, { kind: 'step_start', status: 'running', ...stepContext('publish') }),
    event(0, {
      kind: 'step_finish',
      status: 'completed',
      ...stepContext('publish'),
      output: null,
      artifacts: [],
      durationMs: 0,
    }),
    event(0, { kind: 'workflow_end', status: 'completed' }),
  ]
}

/** The sample run up to and with its first failure. */
export function failedSampleEvents(): WorkflowEvent[] {
  return sampleEvents().slice(0, 11)
}

const overloadedReview = { kind: 'exception', message: 'model overloaded', name: 'ModelError' } as const

export function sampleSnapshot(label: string, status: 'running' | 'failed'): WorkflowSnapshot {
  const events = failedSampleEvents()
  const seq = status === 'failed' ? 10 : 8
  const failed = status === 'failed'
  const produced = [{ ...artifact('dist/app.js'), producedBy: 'build', visit: 1, attempt: 1 }]
  const state: StateDocument = {
    schemaVersion: 2,
    saveSeq: failed ? 2 : 1,
    seq,
    epoch: 1,
    ...sampleIds,
    status,
    reason: failed ? overloadedReview.message : null,
    progress: { completed: 2, total: 4 },
    safePoint: { step: 'build', seq: 5 },
    monitoring: { errorCount: failed ? 1 : 0, recoveryAttempts: 0 },
    currentSteps: ['review'],
    completedSteps: ['plan', 'build'],
    steps: {
      plan: stepDocument('completed', { tasks: 3 }),
      build: stepDocument('completed', { files: 1 }),
      review: {
        ...stepDocument(failed ? 'failed' : 'running', null),
        error: failed ? overloadedReview : null,
      },
      publish: stepDocument('pending', null),
    },
    gateDecisions: [],
    artifacts: produced,
    input: { version: '1.2.0' },
    seed: 1,
    launch: { source: 'workflows/release.yaml' },
    error: failed ? { ...overloadedReview, step: 'review' } : null,
    startedAt: sampleStart,
    updatedAt: events[seq]?.at ?? sampleStart,
    definitionSha256: 'd'.repeat(64),
    definition: sampleDefinition,
  }
  return {
    label,
    runId: sampleIds.runId,
    correlationId: sampleIds.correlationId,
    status,
    seq,
    state,
    artifacts: produced,
  }
}

function stepDocument(status: StepDocument['status'], output: StepDocument['output']): StepDocument {
  return {
    status,
    agent: 'agent',
    visit: 1,
    attempt: status === 'pending' ? 0 : 1,
    output,
    scoring: null,
    error: null,
    attempts: [],
    artifacts: [],
    loops: 0,
  }
}

/** What a session that ran the sample to its failure and resumed it leaves for a bundle. */
export function sampleRecording(): SessionRecording {
  return {
    runId: sampleIds.runId,
    correlationId: sampleIds.correlationId,
    seed: 1,
    clock: 'virtual',
    disk: 'folder',
    definition: sampleDefinition,
    input: { version: '1.2.0' },
    launch: { source: 'workflows/release.yaml' },
    events: sampleEvents(),
    snapshots: {
      beforeFailure: sampleSnapshot('before failure', 'running'),
      atFailure: sampleSnapshot('at failure', 'failed'),
      beforeResume: [sampleSnapshot('before resume 1', 'failed')],
      afterResume: [sampleSnapshot('after resume 1', 'running')],
    },
    logs: [
      {
        at: sampleStart + 250,
        level: 'info',
        message: 'three tasks planned',
        ...sampleIds,
        step: 'plan',
        visit: 1,
        attempt: 1,
      },
      { at: sampleStart + 3_250, level: 'warn', message: 'the model is slow', ...sampleIds },
    ],
    plan: { version: 1, seed: 1, faults: [{ fault: 'agent-error', at: { step: 'review', times: 2 } }] },
    resolvedPlan: {
      version: 1,
      seed: 1,
      faults: [
        { fault: 'agent-error', at: '1/review#1@1:agent.invoke:review-agent#1' },
        { fault: 'agent-error', at: '1/review#1@2:agent.invoke:review-agent#1' },
      ],
    },
    artifacts: [{ path: 'dist/app.js', bytes: encoder.encode('app.run()\n') }],
    earlierArtifacts: [],
    originals: null,
    crashes: [],
  }
}

/** The same, which knows what its artifacts were before, and crashed after its failure with files that were not durable. */
export function recordingWithHistory(): SessionRecording {
  return {
    ...sampleRecording(),
    earlierArtifacts: [{ seq: 5, path: 'dist/app.js', bytes: encoder.encode('app.start()\n') }],
    originals: { from: 'template', files: [{ path: 'dist/app.js', bytes: encoder.encode('// empty\n') }] },
    crashes: [
      {
        incarnation: 1,
        seq: 11,
        outcome: 'torn-half',
        durable: [{ path: 'dist/app.js', sizeBytes: 10 }],
        unsynced: [
          {
            path: 'dist/new.js',
            written: encoder.encode('app.stop()\n'),
            durable: null,
            left: encoder.encode('app.s'),
          },
        ],
      },
    ],
  }
}
