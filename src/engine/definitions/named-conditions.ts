import { namedConditions } from '../../definition/index.ts'
import type { NamedCondition } from '../../definition/index.ts'

/** What a named condition asks of one step that has ended. A skipped step has neither. */
export interface EndedStep {
  readonly failed: boolean
  /** It ran and reported failures that it found, which is no failure of its own. */
  readonly findings: boolean
}

const judgements: Readonly<Record<NamedCondition, (ended: readonly EndedStep[]) => boolean>> = {
  on_success: (ended) => ended.every(({ failed }) => !failed),
  on_failure: (ended) => ended.some(({ failed }) => failed),
  always: () => true,
  has_failures: (ended) => ended.some(({ findings }) => findings),
}

export function isNamedCondition(text: string): text is NamedCondition {
  return (namedConditions as readonly string[]).includes(text)
}

/** @param ended The source of a connection, or all steps that come before a step. */
export function judgeNamedCondition(name: NamedCondition, ended: readonly EndedStep[]): boolean {
  return judgements[name](ended)
}
