import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Writes `N passed, N failed` (and `, N skipped` where any were) to a file at the end of the run, and prints nothing. A
 * test file that failed outside its tests and an error that escaped every test count as one failure each, so that the
 * line never says less than the exit code.
 */
export function countsReporter(file: string): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      writeFileSync(file, `${countsLine(modules, unhandledErrors)}\n`)
    },
  }
}

function countsLine(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): string {
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  )
  const count = (wanted: string): number => states.filter((state) => state === wanted).length
  const failed = count('failed') + modules.filter(failedOutsideTests).length + unhandledErrors.length
  const skipped = count('skipped')
  return `${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function failedOutsideTests(module: TestModule): boolean {
  const failedTests = [...module.children.allTests('failed')]
  return module.state() === 'failed' && failedTests.length === 0
}
