import type { TestCase } from 'vitest/node'
import { tagSelection } from './compatibility.ts'

const modelTag = 'requires_llm'

/** What a filter by tags did to the tests that call a real model, and to the run as a whole. */
export interface Selection {
  /** Tests that would have run, had one opted in. */
  readonly withoutModel: number
  /** The filter selects some of them by the very tag. */
  readonly askedForModel: boolean
  /** There is a filter, and none of the tests that were found has run. */
  readonly nothingRan: boolean
}

export function selectionOf(tests: readonly TestCase[], filters: readonly string[]): Selection {
  const selects = (test: TestCase, tags: readonly string[]): boolean =>
    filters.length === 0 || tagSelection(filters, test.project.config.tags)(tags)
  const left = tests.filter(
    (test) => test.tags.includes(modelTag) && test.result().state === 'skipped' && selects(test, test.tags),
  )
  return {
    withoutModel: left.length,
    askedForModel: left.some(
      (test) =>
        !selects(
          test,
          test.tags.filter((tag) => tag !== modelTag),
        ),
    ),
    nothingRan:
      filters.length > 0 && tests.length > 0 && tests.every((test) => test.result().state === 'skipped'),
  }
}
