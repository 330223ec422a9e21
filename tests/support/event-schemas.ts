import { z } from 'zod'
import type { EventKind } from '../../src/trace/index.ts'

const count = z.int().min(0)
const ordinal = z.int().min(1)
const json = z.json()
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const envelope = {
  v: z.literal(1),
  seq: count,
  epoch: ordinal,
  durableSeq: z.int().min(-1),
  at: count,
  workflowId: z.string().min(1),
  runId: z.string().min(1),
  correlationId: z.string().min(1),
}

const error = z.strictObject({
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
  message: z.string().min(1),
  name: z.string().min(1).optional(),
  category: z.enum(['transient', 'permanent']).optional(),
  code: z.string().min(1).optional(),
  missingVar: z.string().min(1).optional(),
})
const artifact = z.strictObject({ path: z.string().min(1), sha256, sizeBytes: count })
const scoring = z.strictObject({ passed: z.boolean(), scores: z.record(z.string(), z.number()) })

/** Every step event says who did what and how that stands. */
const step = {
  ...envelope,
  step: z.string().min(1),
  visit: ordinal,
  attempt: ordinal,
  agent: z.string().min(1),
  action: z.string().optional(),
}

/** In a line of the log the output itself or the blob that holds it, never both. */
const output = {
  output: json.optional(),
  outputBlob: z.strictObject({ sha256, sizeBytes: count }).optional(),
}

function hasOneOutput(event: { readonly output?: unknown; readonly outputBlob?: unknown }): boolean {
  return (event.output === undefined) !== (event.outputBlob === undefined)
}

const definition = {
  definition: z.looseObject({ id: z.string().min(1), steps: z.array(z.looseObject({})).min(1) }),
  definitionSha256: sha256,
}

/** What a line of the log must look like, by kind; a new kind does not compile until it is here. */
export const eventSchemas = {
  workflow_start: z.strictObject({
    ...envelope,
    kind: z.literal('workflow_start'),
    status: z.literal('running'),
    ...definition,
    input: json,
    seed: z.union([z.number(), z.string()]),
    launch: z.record(z.string(), json),
    owner: z.string().min(1),
  }),
  workflow_resume: z.strictObject({
    ...envelope,
    kind: z.literal('workflow_resume'),
    status: z.literal('running'),
    owner: z.string().min(1),
    restarts: z.array(z.string().min(1)),
    tailCutAtSeq: count.optional(),
    reopensLoopOf: z.string().min(1).optional(),
    adopts: z.strictObject(definition).optional(),
    stateIgnored: z.string().min(1).optional(),
    input: json.optional(),
  }),
  workflow_pause: z.strictObject({
    ...envelope,
    kind: z.literal('workflow_pause'),
    status: z.enum(['paused', 'waiting']),
    step: z.string().min(1),
    missingVar: z.string().min(1).optional(),
  }),
  workflow_warning: z.strictObject({
    ...envelope,
    kind: z.literal('workflow_warning'),
    status: z.literal('warned'),
    warnAfterMs: count,
    timeoutMs: count,
  }),
  workflow_cancel: z.strictObject({
    ...envelope,
    kind: z.literal('workflow_cancel'),
    status: z.literal('cancelled'),
    reason: z.string().min(1),
    graceUntil: count.optional(),
  }),
  workflow_end: z.strictObject({
    ...envelope,
    kind: z.literal('workflow_end'),
    status: z.enum(['completed', 'failed', 'cancelled']),
    degraded: z.literal(true).optional(),
    hasFailures: z.literal(true).optional(),
    step: z.string().min(1).optional(),
    error: error.optional(),
  }),
  process_start: z.strictObject({
    ...step,
    kind: z.literal('process_start'),
    status: z.literal('running'),
    group: z.strictObject({
      pid: ordinal,
      startTime: z.string().min(1),
      bootId: z.string().min(1),
      host: z.string().min(1),
      mark: z.string().min(1),
    }),
  }),
  step_start: z.strictObject({
    ...step,
    kind: z.literal('step_start'),
    status: z.literal('running'),
    takes: z.array(z.string().min(1)).optional(),
  }),
  step_skip: z.strictObject({
    ...envelope,
    kind: z.literal('step_skip'),
    status: z.literal('skipped'),
    step: z.string().min(1),
    visit: ordinal,
    agent: z.string().min(1),
    action: z.string().optional(),
    reason: z.enum([
      'condition_false',
      'dependency_failed',
      'dependency_skipped',
      'no_active_connection',
      'run_failed',
    ]),
    because: z.array(z.string().min(1)),
    takes: z.array(z.string().min(1)).optional(),
  }),
  step_pause: z.strictObject({
    ...step,
    kind: z.literal('step_pause'),
    status: z.literal('paused'),
    missingVar: z.string().min(1),
  }),
  timeout_warning: z.strictObject({
    ...step,
    kind: z.literal('timeout_warning'),
    status: z.literal('warned'),
    warnAfterMs: count,
    timeoutMs: count,
  }),
  artifacts_prepared: z
    .strictObject({
      ...step,
      ...output,
      kind: z.literal('artifacts_prepared'),
      status: z.literal('running'),
      artifacts: z.array(artifact).min(1),
      scoring: scoring.optional(),
    })
    .refine(hasOneOutput),
  artifact_created: z.strictObject({
    ...step,
    kind: z.literal('artifact_created'),
    status: z.literal('created'),
    artifact,
  }),
  gate_wait: z
    .strictObject({
      ...step,
      ...output,
      kind: z.literal('gate_wait'),
      status: z.literal('waiting'),
      scoring: scoring.optional(),
      expiresAt: count.optional(),
    })
    .refine(hasOneOutput),
  gate_result: z
    .strictObject({
      ...step,
      ...output,
      kind: z.literal('gate_result'),
      status: z.enum(['passed', 'failed']),
      reason: z.string().optional(),
      by: z.enum(['person', 'expiry']).optional(),
      scoring: scoring.optional(),
      route: z.discriminatedUnion('to', [
        z.strictObject({ to: z.literal('pass') }),
        z.strictObject({ to: z.literal('loop'), target: z.string().min(1), loop: ordinal }),
        z.strictObject({ to: z.literal('fail') }),
      ]),
    })
    .refine(hasOneOutput),
  step_finish: z
    .strictObject({
      ...step,
      ...output,
      kind: z.literal('step_finish'),
      status: z.literal('completed'),
      scoring: scoring.optional(),
      artifacts: z.array(artifact),
      durationMs: count,
    })
    .refine(hasOneOutput),
  step_retry: z.strictObject({
    ...step,
    kind: z.literal('step_retry'),
    status: z.literal('retrying'),
    error,
    durationMs: count,
    delayMs: count,
    notBefore: count,
  }),
  step_fail: z.strictObject({
    ...step,
    kind: z.literal('step_fail'),
    status: z.literal('failed'),
    tolerated: z.literal(true).optional(),
    error,
    durationMs: count,
  }),
  undo_start: z.strictObject({ ...step, kind: z.literal('undo_start'), status: z.literal('running') }),
  undo_finish: z
    .strictObject({
      ...step,
      ...output,
      kind: z.literal('undo_finish'),
      status: z.literal('completed'),
      durationMs: count,
    })
    .refine(hasOneOutput),
  undo_fail: z.strictObject({
    ...step,
    kind: z.literal('undo_fail'),
    status: z.literal('failed'),
    error,
    durationMs: count,
  }),
  artifact_edit: z.strictObject({
    ...envelope,
    kind: z.literal('artifact_edit'),
    status: z.literal('edited'),
    artifact,
  }),
  late_result: z.strictObject({
    ...step,
    kind: z.literal('late_result'),
    status: z.literal('discarded'),
    outcome: z.enum(['returned', 'threw']),
  }),
  checkpoint: z.strictObject({
    ...step,
    kind: z.literal('checkpoint'),
    status: z.literal('saved'),
    name: z.string().min(1),
    throughSeq: count,
    lineSha256: sha256,
    because: z.enum(['interval', 'milestone', 'pause']),
  }),
} as const satisfies Record<EventKind, z.ZodType>

/** The form of a line that is read as JSON, or what is wrong with it. */
export function eventProblem(line: unknown): string | undefined {
  const { kind } = line as { readonly kind?: string }
  if (kind === undefined || !Object.hasOwn(eventSchemas, kind)) return `unknown kind ${String(kind)}`
  const checked = eventSchemas[kind as EventKind].safeParse(line)
  return checked.success ? undefined : `${kind}: ${z.prettifyError(checked.error)}`
}
