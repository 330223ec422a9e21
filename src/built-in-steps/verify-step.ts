import { canonicalJson, isJsonObject } from '../core/index.ts'
import type { JsonObject, JsonValue } from '../core/index.ts'
import { isStepFailure, StepFailure } from '../ports/index.ts'
import type { AgentContext } from '../ports/index.ts'
import { postJson } from './answers.ts'
import { findingsIn } from './http-step.ts'
import { invalidStep, ParameterReader } from './parameters.ts'
import type { Services } from './services.ts'

const known = ['of', 'path', 'flag']

/**
 * Lets the service run again what an earlier step found failing, and tells what became of it. Whatever it finds, the step has
 * succeeded: `failures` holds what fails now.
 */
export async function verifyStep(context: AgentContext, services: Services): Promise<JsonObject> {
  const { path, flag, of } = readVerifyStep(context.step, context.parameters)
  const before = byName(firstFailures(context, of))
  if (before.size === 0) return { verified: 0, fixed: [], stillFailing: [], newFailures: [], failures: [] }
  const tests = [...before.keys()]
  const target = `POST ${context.service?.name}:${path}`
  const answer = await postJson(services, context, path, { [flag]: true, tests }).catch((error: unknown) => {
    throw isStepFailure(error) && error.code === 'HTTP_404' ? cannotVerify(target, error) : error
  })
  const now = byName(findingsIn(answer, 'failures', target))
  return {
    verified: tests.length,
    fixed: tests.filter((name) => !now.has(name)),
    stillFailing: tests.filter((name) => now.has(name)),
    newFailures: [...now.keys()].filter((name) => !before.has(name)),
    failures: [...now.values()],
  }
}

interface VerifyStep {
  readonly path: string
  readonly flag: string
  readonly of: string | undefined
}

/** @throws StepFailure of kind `validation` */
export function readVerifyStep(step: string, written: JsonObject): VerifyStep {
  const parameters = new ParameterReader(step, written, known)
  return {
    path: parameters.text('path') ?? '/api/runs',
    flag: parameters.text('flag') ?? 'verify_only',
    of: parameters.text('of'),
  }
}

/** What the named step found, or all that came before did. */
function firstFailures({ step, outputs }: AgentContext, of: string | undefined): readonly JsonValue[] {
  if (of === undefined) return Object.values(outputs).flatMap((output) => failuresOf(output) ?? [])
  if (!Object.hasOwn(outputs, of))
    throw invalidStep(step, `verifies what step '${of}' found, which has not completed before it`)
  const failures = failuresOf(outputs[of] as JsonValue)
  if (failures !== undefined) return failures
  throw invalidStep(step, `verifies what step '${of}' found, whose output has no list 'failures'`)
}

function failuresOf(output: JsonValue): readonly JsonValue[] | undefined {
  const failures = isJsonObject(output) ? output['failures'] : undefined
  return Array.isArray(failures) ? (failures as readonly JsonValue[]) : undefined
}

/** A test that is reported twice is one. */
function byName(failures: readonly JsonValue[]): ReadonlyMap<string, JsonValue> {
  return new Map(failures.map((failure) => [nameOf(failure), failure]))
}

function nameOf(failure: JsonValue): string {
  if (typeof failure === 'string') return failure
  const { id, name, test } = isJsonObject(failure) ? failure : {}
  const found = [id, name, test].find((one) => typeof one === 'string' || typeof one === 'number')
  return found === undefined ? canonicalJson(failure) : String(found)
}

function cannotVerify(target: string, cause: StepFailure): StepFailure {
  return new StepFailure(`${target}: the service has no such place, so it cannot verify anything.`, {
    kind: 'response',
    category: 'permanent',
    code: 'HTTP_404',
    cause,
  })
}
