import type { JsonObject } from '../../core/index.ts'
import { isJsonObject } from '../../core/index.ts'
import { readDuration } from './duration-text.ts'
import type { DurationRules } from './duration-text.ts'

type Zod = typeof import('zod').z
export type WorkflowShape = ReturnType<ReturnType<typeof createWorkflowShape>['parse']>
export type StepShape = WorkflowShape['steps'][number]
export type SettingsShape = NonNullable<WorkflowShape['settings']>

const mostSteps = 10_000
/** Dependencies between steps, whatever asks for them. */
export const mostEdges = 200_000
const mostRepetitions = 1_000

/**
 * The shape of a workflow whose keys are those of an agent workflow, in camelCase, and whose other keys have been set apart.
 * Messages continue a sentence that begins with the path.
 */
export function createWorkflowShape(z: Zod) {
  const text = z.string({ error: must('be text') }).min(1, 'must not be empty')
  const count = (least: number): ReturnType<Zod['number']> => {
    const error = must(`be a whole number from ${least} to ${mostRepetitions}`)
    return z.number({ error }).int({ error }).min(least, { error }).max(mostRepetitions, { error })
  }
  const duration = (rules: DurationRules) =>
    z.unknown().transform((value, context) => {
      const read = readDuration(value, rules)
      if (typeof read === 'number') return read
      context.addIssue({ code: 'custom', message: `${read}, not ${show(value)}` })
      return z.NEVER
    })
  const limit = duration({ plainUnit: 's', leastMs: 1 }).optional()
  const limitMs = duration({ plainUnit: 'ms', leastMs: 1 }).optional()
  const delay = duration({ plainUnit: 's', leastMs: 0 }).optional()
  const delayMs = duration({ plainUnit: 'ms', leastMs: 0 }).optional()
  const names = (what: string) =>
    z.preprocess(
      (value) => (typeof value === 'string' ? [value] : value),
      z.array(text, { error: must(`be a list of ${what}`) }),
    )
  const anyMap = z.custom<JsonObject>(isJsonObject, { error: must('be a map') })

  const flag = z.boolean({ error: must('be true or false') }).optional()
  const share = z
    .number({ error: must('be a number from 0 to 1') })
    .min(0, { error: must('be a number from 0 to 1') })
    .max(1, { error: must('be a number from 0 to 1') })
    .optional()
  const gate = z
    .object(
      {
        condition: text.optional(),
        human: flag,
        expiresAfter: limit,
        expiresAfterMs: limitMs,
        onPass: text.optional(),
        onFail: text.optional(),
        maxLoops: count(0).optional(),
      },
      { error: must(`be a map with a 'condition', or with 'human: true'`) },
    )
    .superRefine(checkGateShape)
  const undo = z.object(
    {
      agent: text,
      action: text.optional(),
      parameters: anyMap.optional(),
      timeout: limit,
      timeoutMs: limitMs,
    },
    { error: must(`be a map with an 'agent'`) },
  )
  const stage = z.object(
    { timeout: limit, timeoutMs: limitMs, warnAfter: limit, warnAfterMs: limitMs },
    { error: must(`be a map with a 'timeout'`) },
  )
  const thresholds = z.record(z.string(), z.number({ error: must('be a number') }), {
    error: must(`be a map of least values, such as 'overall_min: 70'`),
  })
  const scoring = z.object(
    { enabled: flag, thresholds: thresholds.optional() },
    { error: must(`be a map with 'thresholds'`) },
  )
  const step = z.object(
    {
      id: text,
      name: text.optional(),
      agent: text,
      type: text.optional(),
      service: text.optional(),
      action: text.optional(),
      requires: names('paths').optional(),
      creates: names('paths').optional(),
      parameters: anyMap.optional(),
      next: names('step ids').optional(),
      dependsOn: names('step ids').optional(),
      condition: text.optional(),
      join: z
        .enum(['all-active', 'all_active', 'any'], { error: must(`be 'all-active' or 'any'`) })
        .optional(),
      parallel: flag,
      continueOnError: flag,
      inputSchema: anyMap.optional(),
      outputSchema: anyMap.optional(),
      scoring: scoring.optional(),
      gate: gate.optional(),
      milestone: z.boolean({ error: must('be true or false') }).optional(),
      stage: text.optional(),
      undo: undo.optional(),
      retries: count(0).optional(),
      retryJitter: share,
      retryDelay: delay,
      retryDelayMs: delayMs,
      timeout: limit,
      timeoutMs: limitMs,
      maxDuration: limit,
      maxDurationMs: limitMs,
      warnAfter: limit,
      warnAfterMs: limitMs,
    },
    { error: must('be a map') },
  )
  const connection = z.object(
    { source: text, target: text, condition: text.optional() },
    { error: must('be a map') },
  )
  const settings = z.object(
    {
      maxConcurrentSteps: count(1).optional(),
      retries: count(0).optional(),
      retryJitter: share,
      rollback: flag,
      stages: z.record(text, stage, { error: must('be a map of stages by name') }).optional(),
      timeoutMultiplier: z
        .number({ error: must('be a number above 0, at most 100') })
        .gt(0, { error: must('be a number above 0, at most 100') })
        .max(100, { error: must('be a number above 0, at most 100') })
        .optional(),
      warnAfter: limit,
      warnAfterMs: limitMs,
      cancelGrace: delay,
      cancelGraceMs: delayMs,
      onStepFailure: z.enum(['stop', 'continue'], { error: must(`be 'stop' or 'continue'`) }).optional(),
      timeout: limit,
      timeoutMs: limitMs,
      stepTimeout: limit,
      stepTimeoutMs: limitMs,
      retryDelay: delay,
      retryDelayMs: delayMs,
    },
    { error: must('be a map') },
  )
  return z.object({
    id: text,
    name: text.optional(),
    version: text.optional(),
    description: z.string({ error: must('be text') }).optional(),
    settings: settings.optional(),
    inputSchema: anyMap.optional(),
    services: z.custom<Readonly<Record<string, JsonObject>>>(isJsonObject).optional(),
    connections: z
      .array(connection, { error: must('be a list of connections') })
      .max(mostEdges, `must hold at most ${mostEdges} connections`)
      .optional(),
    steps: z
      .array(step, { error: must('be a list of steps') })
      .min(1, 'must hold at least one step')
      .max(mostSteps, `must hold at most ${mostSteps} steps`),
  })
}

interface GateShape {
  readonly condition?: string | undefined
  readonly human?: boolean | undefined
  readonly expiresAfter?: number | undefined
  readonly expiresAfterMs?: number | undefined
}

/** Who decides must be clear: a condition or a person. */
function checkGateShape(
  { condition, human, expiresAfter, expiresAfterMs }: GateShape,
  context: { addIssue(issue: { code: 'custom'; message: string; path?: string[] }): void },
): void {
  const isHuman = human === true
  if (isHuman && condition !== undefined)
    context.addIssue({ code: 'custom', message: `has a 'condition' and 'human: true': keep one of them` })
  if (!isHuman && condition === undefined)
    context.addIssue({
      code: 'custom',
      path: ['condition'],
      message: `is missing: it must be text, unless the gate is 'human: true'`,
    })
  if (!isHuman && (expiresAfter ?? expiresAfterMs) !== undefined)
    context.addIssue({ code: 'custom', message: `has an 'expires_after', which needs 'human: true'` })
}

interface ShapeIssue {
  readonly input?: unknown
}

function must(rule: string): (issue: ShapeIssue) => string {
  return ({ input }) =>
    input === undefined ? `is missing: it must ${rule}` : `must ${rule}, not ${show(input)}`
}

/** A wrong value in a few words. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}...` : value}'`
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  return value === null ? 'nothing' : JSON.stringify(value)
}
