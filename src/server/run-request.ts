import { z } from 'zod'
import { isId } from '../core/index.ts'
import type { JsonValue } from '../core/index.ts'
import { invalidRequest } from './problem.ts'

/** What a run is to be started with. */
export interface RunRequest {
  readonly input?: JsonValue
  readonly seed?: number | string
  readonly correlationId?: string
}

/** A larger body is refused. */
export const mostBodyBytes = 1_048_576
const deepestValue = 64

const shape = z
  .strictObject({
    input: z.unknown(),
    seed: z.union([z.int().min(0), z.string().min(1).max(200)]),
    correlationId: z.string().refine(isId, 'must be 1 to 128 letters, digits, "_", "-" or "."'),
  })
  .partial()

/** @throws FaultlineError `REQUEST_INVALID` with the paths of what is wrong. */
export function readRunRequest(text: string): RunRequest {
  const parsed = shape.safeParse(valueOf(text))
  if (parsed.success) return parsed.data as RunRequest
  const problems = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw invalidRequest(
    `The request is not as it should be: ${problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}.`,
    { problems },
  )
}

function valueOf(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalidRequest('The body of the request is not valid JSON.', {
      problems: [{ path: '', message: 'is not valid JSON' }],
    })
  }
  if (!isDeeperThan(value, deepestValue)) return value
  throw invalidRequest(`The body of the request is nested deeper than ${deepestValue} levels.`, {
    problems: [{ path: '', message: `is nested deeper than ${deepestValue} levels` }],
  })
}

/** Level by level: a recursion would end where the stack does. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: readonly unknown[] = [value]
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
    if (level.length === 0) return false
  }
  return true
}
