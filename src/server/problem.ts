import { STATUS_CODES } from 'node:http'
import { FaultlineError, isFaultlineError, isJsonObject } from '../core/index.ts'
import type { ErrorCode } from '../core/index.ts'

/** What is wrong with a request, as RFC 9457 has it. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  /** For people. */
  readonly detail: string
  /** As `docs/errors.md` lists them. */
  readonly code: ErrorCode
  /** Places in the request, where there are any. */
  readonly problems?: readonly PlacedProblem[]
}

export interface PlacedProblem {
  /** `input.items[0].id`; empty for the whole. */
  readonly path: string
  readonly message: string
}

export const problemType = 'application/problem+json'

const statuses: Partial<Record<ErrorCode, number>> = {
  CONFIGURATION_INVALID: 400,
  FILE_WOULD_BE_OVERWRITTEN: 409,
  ID_INVALID: 400,
  INPUT_INVALID: 400,
  REQUEST_REFUSED: 403,
  REQUIRED_FILE_MISSING: 409,
  RUN_LET_GO: 503,
  RUN_NOT_FOUND: 404,
  WORKFLOW_NOT_FOUND: 404,
}

/** @throws nothing: what is no error of ours says so without its inner workings. */
export function problemOf(error: unknown): Problem {
  if (!isFaultlineError(error))
    return problem('INTERNAL', 500, 'The service failed unexpectedly. Its log has more.')
  const { code, message, details } = error
  const status = code === 'REQUEST_INVALID' ? Number(details['status'] ?? 400) : (statuses[code] ?? 500)
  return { ...problem(code, status, message), ...placesIn(error) }
}

/** A request that cannot be understood, whatever the service holds. */
export function invalidRequest(
  message: string,
  { status = 400, problems }: { readonly status?: number; readonly problems?: readonly PlacedProblem[] } = {},
): FaultlineError {
  return new FaultlineError('REQUEST_INVALID', message, {
    details: { status, ...(problems === undefined ? {} : { problems }) },
  })
}

function problem(code: ErrorCode, status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code }
}

function placesIn({ code, details }: FaultlineError): Pick<Problem, 'problems'> {
  if (code === 'REQUEST_INVALID' && Array.isArray(details['problems']))
    return { problems: details['problems'] as readonly PlacedProblem[] }
  if (code !== 'INPUT_INVALID' || !Array.isArray(details['violations'])) return {}
  const problems = (details['violations'] as readonly unknown[]).flatMap((violation) => {
    if (!isJsonObject(violation)) return []
    const { path, message } = violation as unknown as PlacedProblem
    return [{ path: path === '' || path.startsWith('[') ? `input${path}` : `input.${path}`, message }]
  })
  return { problems }
}
