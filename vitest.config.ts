import { defineConfig } from 'vitest/config'
import { countsReporter } from './tests/support/counts-reporter.ts'

/** Set by `.ci/run`: the file that gets one line with the numbers of the summary. */
const countsFile = process.env['FAULTLINE_TEST_COUNTS']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          pool: 'threads',
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          pool: 'forks',
          globalSetup: ['tests/support/packed-package.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
    ...(countsFile ? { reporters: ['default', countsReporter(countsFile)] } : {}),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: {
        lines: 85,
        'src/engine/**': { lines: 95, branches: 90 },
      },
    },
  },
})
