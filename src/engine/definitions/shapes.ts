import { containedPath, isId, messageOf } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'

/** The checked shapes of the parts of a definition, before edges are drawn. */
export interface Shapes {
  readonly workflow: Parser<WorkflowShape>
  readonly settings: Parser<SettingsShape>
  readonly step: Parser<StepShape>
  readonly gate: Parser<GateShape>
}

export interface Parser<T> {
  parse(value: unknown): { readonly good: T } | { readonly issues: readonly ShapeIssue[] }
}

export interface ShapeIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export interface WorkflowShape {
  readonly id: string
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly description?: string | undefined
}

export interface SettingsShape {
  readonly maxConcurrentSteps?: number | undefined
  readonly timeout?: number | undefined
  readonly timeoutMs?: number | undefined
  readonly stepTimeout?: number | undefined
  readonly stepTimeoutMs?: number | undefined
}

export interface StepShape {
  readonly id: string
  readonly name?: string | undefined
  readonly agent: string
  readonly action?: string | undefined
  readonly requires?: readonly string[] | undefined
  readonly creates?: readonly string[] | undefined
  readonly next?: readonly string[] | undefined
  readonly dependsOn?: readonly string[] | undefined
  readonly condition?: 'required' | 'optional' | undefined
  readonly scoring?: { readonly thresholds?: Readonly<Record<string, number>> | undefined } | undefined
  readonly retries?: number | undefined
  readonly retryDelay?: number | undefined
  readonly retryDelayMs?: number | undefined
  readonly timeout?: number | undefined
  readonly timeoutMs?: number | undefined
  readonly parameters?: JsonObject | undefined
}

export interface GateShape {
  readonly condition: string
  readonly onPass?: string | undefined
  readonly onFail?: string | undefined
  readonly maxLoops?: number | undefined
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }

let built: Promise<Shapes> | undefined

/** The schemas; zod is loaded by the first caller. */
export function shapes(): Promise<Shapes> {
  built ??= buildShapes()
  return built
}

async function buildShapes(): Promise<Shapes> {
  const { z } = await import('zod')
  const id = z.string().refine(isId, { error: `must be 1 to 128 letters, digits, '_', '-' or '.'` })
  const text = z.coerce.string()
  const path = z.string().transform((value, context) => {
    try {
      const contained = containedPath(value, 'artifact path') + (/[/\\]$/.test(value) ? '/' : '')
      if (!`${contained}/`.startsWith('.workflow/')) return contained
      context.addIssue(`must not lie in '.workflow', which belongs to the engine`)
    } catch (error) {
      context.addIssue(`is not a usable path: ${messageOf(error)}`)
    }
    return z.NEVER
  })
  const ids = z.union([z.string().transform((one) => [one]), z.array(z.string())], {
    error: 'must be a step id or a list of step ids',
  })
  /** Seconds as a number, or a text with a unit; gives milliseconds. */
  const duration = z
    .union([z.number().transform((seconds) => seconds * 1_000), z.string().transform(durationMs)], {
      error: `must be a number of seconds, or a text such as '30s' or '500ms'`,
    })
    .refine((ms) => Number.isFinite(ms), { error: `must be a number of seconds, or a text such as '30s' or '500ms'` })
  const positive = duration.refine((ms) => ms > 0, { error: 'must be more than 0' })
  const positiveMs = z.number().positive({ error: 'must be more than 0' })
  const count = z.number().int({ error: 'must be a whole number' }).min(0, { error: 'must be 0 or more' })
  return {
    workflow: parser(z.object({ id, name: text.optional(), version: text.optional(), description: text.optional() })),
    settings: parser(
      z.object({
        maxConcurrentSteps: count.min(1, { error: 'must be 1 or more' }).optional(),
        timeout: positive.optional(),
        timeoutMs: positiveMs.optional(),
        stepTimeout: positive.optional(),
        stepTimeoutMs: positiveMs.optional(),
      }),
    ),
    step: parser(
      z.object({
        id,
        name: text.optional(),
        agent: z.string().min(1, { error: 'must name an agent' }),
        action: z.string().optional(),
        requires: z.array(path).optional(),
        creates: z.array(path).optional(),
        next: ids.optional(),
        dependsOn: ids.optional(),
        condition: z
          .enum(['required', 'optional'], { error: `must be 'required' or 'optional': other conditions are not read on agent steps` })
          .optional(),
        scoring: z.looseObject({ thresholds: z.record(z.string(), z.number()).optional() }).optional(),
        retries: count.optional(),
        retryDelay: duration.refine((ms) => ms >= 0, { error: 'must be 0 or more' }).optional(),
        retryDelayMs: count.optional(),
        timeout: positive.optional(),
        timeoutMs: positiveMs.optional(),
        parameters: z.record(z.string(), z.json()).optional() as never,
      }),
    ),
    gate: parser(
      z.object({
        condition: z.string(),
        onPass: z.string().optional(),
        onFail: z.string().optional(),
        maxLoops: count.optional(),
      }),
    ),
  }

  function parser<T>(schema: { safeParse(value: unknown): SafeParse<T> }): Parser<T> {
    return {
      parse(value) {
        const result = schema.safeParse(value)
        if (result.success) return { good: result.data }
        return {
          issues: result.error.issues.map((issue) => ({
            path: issue.path.filter((part) => typeof part !== 'symbol'),
            message: issue.code === 'invalid_type' ? expectation(issue) : issue.message,
          })),
        }
      },
    }
  }
}

type SafeParse<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly ZodIssue[] } }

interface ZodIssue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly expected?: unknown
  readonly input?: unknown
}

function expectation(issue: ZodIssue): string {
  if (/received undefined/.test(issue.message)) return 'is missing'
  return issue.message.startsWith('Invalid input') ? `must be ${article(String(issue.expected))}` : issue.message
}

function article(type: string): string {
  if (type === 'array') return 'a list'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function durationMs(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)$/.exec(value.trim())
  return match === null ? Number.NaN : Number(match[1]) * (unitsMs[match[2] as string] as number)
}
