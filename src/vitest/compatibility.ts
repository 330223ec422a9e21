import { createTagsFilter, getNames, getTests } from '@vitest/runner/utils'
import type { File, Test } from '@vitest/runner'

/**
 * The one file that touches `@vitest/runner`: pure helpers and types only. As a second runner it would be a separate instance
 * under Vitest 5; its helpers only read the task they are given.
 */
export interface TestIdentity {
  readonly project: string | null
  /** Relative to the root, forward slashes. */
  readonly file: string
  /** Suites and test, joined with ` > `, without the file. */
  readonly fullName: string
  readonly line: number | null
  readonly tags: readonly string[]
  readonly timeoutMs: number | null
  /** From 1. */
  readonly attempt: number
  /** From 1, or null when the test does not repeat. */
  readonly repeat: number | null
}

export type RunnerTest = Readonly<Test>

const places = new WeakMap<File, ReadonlyMap<Test, number>>()

/** From 1: which of the tests it is that have the same full name in its file. */
export function namesakeNumber(test: RunnerTest): number {
  const known = places.get(test.file) ?? numbered(test.file)
  places.set(test.file, known)
  return known.get(test) ?? 1
}

function numbered(file: File): ReadonlyMap<Test, number> {
  const counts = new Map<string, number>()
  return new Map(
    getTests(file).map((test) => {
      const name = getNames(test).join(' > ')
      const number = (counts.get(name) ?? 0) + 1
      counts.set(name, number)
      return [test, number]
    }),
  )
}

/** The hook around a test that has thrown: Vitest leaves its state at `run`. */
export function brokenHook(test: RunnerTest): 'beforeEach' | 'afterEach' | null {
  const hooks = test.result?.hooks
  if (hooks?.beforeEach === 'run') return 'beforeEach'
  return hooks?.afterEach === 'run' ? 'afterEach' : null
}

/** Which tags `--tags-filter` selects; given several times, all of them must. */
export function tagSelection(
  filters: readonly string[],
  available: Parameters<typeof createTagsFilter>[1],
): (tags: readonly string[]) => boolean {
  const selects = createTagsFilter([...filters], available)
  return (tags) => selects([...tags])
}

export function identify(test: RunnerTest): TestIdentity {
  const [, ...names] = getNames(test)
  const repeats = (test as { readonly repeats?: number }).repeats ?? 0
  return {
    project:
      test.file.projectName === undefined || test.file.projectName === '' ? null : test.file.projectName,
    file: test.file.name.replaceAll('\\', '/'),
    fullName: names.join(' > '),
    line: test.location?.line ?? null,
    tags: test.tags ?? [],
    timeoutMs: Number.isFinite(test.timeout) ? test.timeout : null,
    attempt: (test.result?.retryCount ?? 0) + 1,
    repeat: repeats > 0 ? (test.result?.repeatCount ?? 0) + 1 : null,
  }
}
