import type { z } from 'zod'
import type { JsonValue } from '../../core/index.ts'

/** What an event of the log must look like, written down anew from `docs/state-and-log.md`. */
export type EventShapes = Awaited<ReturnType<typeof buildShapes>>
export type LoggedEvent = z.infer<EventShapes['event']>
export type LoggedEventOf<K extends LoggedEvent['kind']> = Extract<LoggedEvent, { kind: K }>
export type LoggedStepEvent = Extract<LoggedEvent, { attempt: number }>
export type LoggedSkip = LoggedEventOf<'step_skip'>
export type LoggedDefinition = LoggedEventOf<'workflow_start'>['definition']
export type LoggedStep = LoggedDefinition['steps'][number]
export type LoggedArtifact = LoggedEventOf<'step_finish'>['artifacts'][number]

let shapes: Promise<EventShapes> | undefined

/** zod is loaded when the first run is judged: whoever judges none does not pay for it. */
export function loadEventShapes(): Promise<EventShapes> {
  shapes ??= buildShapes()
  return shapes
}

/** Fields that nobody knows are let through everywhere: a newer version may have written them. */
async function buildShapes() {
  const { z } = await import('zod')
  const count = z.int().min(0)
  const ordinal = z.int().min(1)
  // What comes out of a JSON parser is JSON; only its absence can be wrong.
  const json = z.custom<JsonValue>((value) => value !== undefined)
  const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

  const envelope = {
    v: z.literal(1),
    seq: count,
    epoch: ordinal,
    durableSeq: z.int().min(-1),
    at: z.number(),
    workflowId: z.string().min(1),
    runId: z.string().min(1),
    correlationId: z.string(),
  }
  const stepEnvelope = {
    ...envelope,
    step: z.string().min(1),
    visit: ordinal,
    attempt: ordinal,
    agent: z.string(),
    action: z.string().optional(),
  }
  const artifact = z.object({ path: z.string().min(1), sha256, sizeBytes: count })
  const scoring = z.object({ passed: z.boolean(), scores: z.record(z.string(), z.number()) })
  /** In the event itself, or in a file of its own when it is large. */
  const returned = {
    output: json.optional(),
    outputBlob: z.object({ sha256, sizeBytes: count }).optional(),
  }
  const error = z.object({
    kind: z.enum([
      'exception',
      'external',
      'connection',
      'timeout',
      'step-timeout',
      'workflow-timeout',
      'gate',
      'condition',
      'missing-input',
      'validation',
      'configuration',
      'critical',
      'missing-artifact',
      'cancelled',
      'response',
      'process',
    ]),
    message: z.string(),
    name: z.string().optional(),
    category: z.enum(['transient', 'permanent']).optional(),
    code: z.string().optional(),
    missingVar: z.string().optional(),
  })
  const stepDefinition = z.object({
    id: z.string().min(1),
    agent: z.string(),
    condition: z.string().optional(),
    join: z.literal('any').optional(),
    continueOnError: z.literal(true).optional(),
    creates: z.array(z.string()),
    retries: count,
    retryDelayMs: z.number(),
    retryJitter: z.number().optional(),
    timeoutMs: z.number(),
    warnAfterMs: z.number().optional(),
    maxDurationMs: z.number().optional(),
    gate: z
      .object({
        condition: z.string().optional(),
        expiresAfterMs: z.number().optional(),
        onFail: z.string().optional(),
        maxLoops: count,
      })
      .optional(),
    undo: z.object({ agent: z.string(), timeoutMs: z.number() }).optional(),
  })
  const definition = z.object({
    id: z.string().min(1),
    limits: z.object({
      maxConcurrentSteps: ordinal,
      timeoutMs: z.number().optional(),
      warnAfterMs: z.number().optional(),
      cancelGraceMs: z.number().optional(),
    }),
    rollback: z.boolean().optional(),
    onStepFailure: z.literal('continue').optional(),
    steps: z.array(stepDefinition),
    edges: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        condition: z.string().optional(),
        passesSkipped: z.literal(true).optional(),
      }),
    ),
  })

  const event = z.discriminatedUnion('kind', [
    z.object({
      ...envelope,
      kind: z.literal('workflow_start'),
      status: z.literal('running'),
      definition,
      definitionSha256: sha256,
      input: json,
      seed: z.union([z.number(), z.string()]),
      launch: z.record(z.string(), json),
      owner: z.string(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('workflow_resume'),
      status: z.literal('running'),
      owner: z.string(),
      restarts: z.array(z.string()),
      tailCutAtSeq: count.optional(),
      stateIgnored: z.string().optional(),
      reopensLoopOf: z.string().optional(),
      adopts: z.object({ definition, definitionSha256: sha256 }).optional(),
      input: json.optional(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('workflow_pause'),
      status: z.enum(['paused', 'waiting']),
      step: z.string().min(1),
      missingVar: z.string().optional(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('workflow_warning'),
      status: z.literal('warned'),
      warnAfterMs: z.number(),
      timeoutMs: z.number(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('workflow_cancel'),
      status: z.literal('cancelled'),
      reason: z.string(),
      graceUntil: z.number().optional(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('workflow_end'),
      status: z.enum(['completed', 'failed', 'cancelled']),
      degraded: z.literal(true).optional(),
      hasFailures: z.literal(true).optional(),
      step: z.string().optional(),
      error: error.optional(),
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('process_start'),
      status: z.literal('running'),
      group: z.object({
        pid: ordinal,
        startTime: z.string(),
        bootId: z.string(),
        host: z.string(),
        mark: z.string().min(1),
      }),
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('step_start'),
      status: z.literal('running'),
      takes: z.array(z.string()).optional(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('step_skip'),
      status: z.literal('skipped'),
      step: z.string().min(1),
      visit: ordinal,
      agent: z.string(),
      action: z.string().optional(),
      reason: z.enum([
        'condition_false',
        'dependency_failed',
        'dependency_skipped',
        'no_active_connection',
        'run_failed',
      ]),
      because: z.array(z.string()),
      takes: z.array(z.string()).optional(),
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('step_pause'),
      status: z.literal('paused'),
      missingVar: z.string(),
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('timeout_warning'),
      status: z.literal('warned'),
      warnAfterMs: z.number(),
      timeoutMs: z.number(),
    }),
    z
      .object({
        ...stepEnvelope,
        kind: z.literal('artifacts_prepared'),
        status: z.literal('running'),
        artifacts: z.array(artifact),
        ...returned,
        scoring: scoring.optional(),
      })
      .refine(hasResult, resultMissing),
    z
      .object({
        ...stepEnvelope,
        kind: z.literal('gate_wait'),
        status: z.literal('waiting'),
        ...returned,
        scoring: scoring.optional(),
        expiresAt: z.number().optional(),
      })
      .refine(hasResult, resultMissing),
    z
      .object({
        ...stepEnvelope,
        kind: z.literal('gate_result'),
        status: z.enum(['passed', 'failed']),
        reason: z.string().optional(),
        by: z.enum(['person', 'expiry']).optional(),
        scoring: scoring.optional(),
        ...returned,
        route: z.discriminatedUnion('to', [
          z.object({ to: z.literal('pass') }),
          z.object({ to: z.literal('loop'), target: z.string(), loop: ordinal }),
          z.object({ to: z.literal('fail') }),
        ]),
      })
      .refine(hasResult, resultMissing),
    z
      .object({
        ...stepEnvelope,
        kind: z.literal('step_finish'),
        status: z.literal('completed'),
        ...returned,
        scoring: scoring.optional(),
        artifacts: z.array(artifact),
        durationMs: z.number(),
      })
      .refine(hasResult, resultMissing),
    z.object({
      ...stepEnvelope,
      kind: z.literal('step_retry'),
      status: z.literal('retrying'),
      error,
      durationMs: z.number(),
      delayMs: z.number(),
      notBefore: z.number(),
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('step_fail'),
      status: z.literal('failed'),
      tolerated: z.literal(true).optional(),
      error,
      durationMs: z.number(),
    }),
    z.object({ ...stepEnvelope, kind: z.literal('undo_start'), status: z.literal('running') }),
    z
      .object({
        ...stepEnvelope,
        kind: z.literal('undo_finish'),
        status: z.literal('completed'),
        ...returned,
        durationMs: z.number(),
      })
      .refine(hasResult, resultMissing),
    z.object({
      ...stepEnvelope,
      kind: z.literal('undo_fail'),
      status: z.literal('failed'),
      error,
      durationMs: z.number(),
    }),
    z.object({
      ...envelope,
      kind: z.literal('artifact_edit'),
      status: z.literal('edited'),
      artifact,
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('artifact_created'),
      status: z.literal('created'),
      artifact,
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('late_result'),
      status: z.literal('discarded'),
      outcome: z.enum(['returned', 'threw']),
    }),
    z.object({
      ...stepEnvelope,
      kind: z.literal('checkpoint'),
      status: z.literal('saved'),
      name: z.string().min(1),
      throughSeq: count,
      lineSha256: sha256,
      because: z.enum(['interval', 'milestone', 'pause']),
    }),
  ])
  return { event }
}

const resultMissing = { path: ['output'], message: 'there must be either this or outputBlob' }

function hasResult({
  output,
  outputBlob,
}: {
  readonly output?: unknown
  readonly outputBlob?: unknown
}): boolean {
  return (output === undefined) !== (outputBlob === undefined)
}
