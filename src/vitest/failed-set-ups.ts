import type { SerializedError, TestModule, TestSuite } from 'vitest/node'

/** A file or suite that failed outside its tests. */
export interface FailedSetUp {
  readonly module: TestModule
  readonly failed: TestModule | TestSuite
  readonly errors: readonly SerializedError[]
}

/** A failing `beforeAll` skips its tests and runs no fixture: the run alone can tell. */
export function failedSetUps(modules: readonly TestModule[]): readonly FailedSetUp[] {
  return modules.flatMap((module) =>
    [module, ...module.children.allSuites()].flatMap((failed) => {
      const errors = failed.errors()
      return errors.length === 0 ? [] : [{ module, failed, errors }]
    }),
  )
}
