import { covers, isJsonObject, jsonCopy, messageOf } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { isStepFailure } from '../../ports/index.ts'
import type { AgentOutput } from '../../ports/index.ts'
import { describeViolations } from '../definitions/index.ts'
import type { CompiledSchema } from '../definitions/index.ts'
import type { ArtifactRecord, ScoringResult, StepError } from '../../trace/index.ts'

const mostMessageCharacters = 8_192

export type Judgement =
  | { readonly good: true; readonly output: JsonValue; readonly scoring: ScoringResult | undefined }
  | { readonly good: false; readonly error: StepError }

/** Whether what an agent returned and staged counts as success of its step. */
export function judgeResult(
  step: StepDefinition,
  returned: AgentOutput,
  staged: ReadonlyMap<string, ArtifactRecord>,
  outputSchema?: CompiledSchema,
): Judgement {
  const output = returned === undefined ? null : jsonCopy(returned)
  if (output === undefined) {
    return bad('validation', `Step '${step.id}': agent '${step.agent}' returned something that is not JSON.`)
  }
  const violations = outputSchema?.violations(output) ?? []
  if (violations.length > 0) {
    const what = describeViolations(violations)
    return bad('validation', `The output of step '${step.id}' does not fit its outputSchema: ${what}.`)
  }
  const missing = step.creates.find((declared) => ![...staged.keys()].some((path) => covers(declared, path)))
  if (missing !== undefined) {
    return bad(
      'missing-artifact',
      `Step '${step.id}' ended without '${missing}', which it declares in 'creates'. Agent '${step.agent}' must write it ` +
        `with context.artifacts.write.`,
    )
  }
  return { good: true, output, scoring: scoringOf(step, output) }
}

/** Holds nothing that differs between machines. */
export function errorOf(thrown: unknown): StepError {
  if (isStepFailure(thrown)) {
    const { kind, category, code, message } = thrown
    return { kind, message: capped(message), category, ...(code === undefined ? {} : { code }) }
  }
  const name = thrown instanceof Error ? thrown.constructor.name : undefined
  return { kind: 'exception', message: capped(messageOf(thrown)), ...(name === undefined ? {} : { name }) }
}

/** What an agent says about its failure goes into every line that tells of it: a page of it is enough. */
function capped(message: string): string {
  if (message.length <= mostMessageCharacters) return message
  return `${message.slice(0, mostMessageCharacters)} ... (${message.length} characters in all)`
}

/** Whoever failed may know; else a timeout or an exception may pass, and a wrong result will be wrong again. */
export function mayBeRetried(error: StepError): boolean {
  if (error.category !== undefined) return error.category === 'transient'
  return error.kind === 'exception' || error.kind === 'timeout'
}

/** A score that is missing counts as not reached; a gate that asks for `scoring.passed` then does not pass. */
function scoringOf(step: StepDefinition, output: JsonValue): ScoringResult | undefined {
  if (step.scoring === undefined) return undefined
  const given = isJsonObject(output) && isJsonObject(output['scores']) ? output['scores'] : {}
  const scores: Record<string, number> = {}
  for (const [name, score] of Object.entries(given)) if (typeof score === 'number') scores[name] = score
  const passed = Object.entries(step.scoring.thresholds).every(
    ([name, least]) => (scores[name] ?? -Infinity) >= least,
  )
  return { passed, scores }
}

function bad(kind: StepError['kind'], message: string): Judgement {
  return { good: false, error: { kind, message } }
}
