import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { canaryEngines } from './tests/canaries/patched-engine.ts'
import { countsReporter } from './tests/support/counts-reporter.ts'

/** Set by `.ci/run`: the file that gets one line with the numbers of the summary. */
const countsFile = process.env['FAULTLINE_TEST_COUNTS']

/**
 * The stories use faultline as its users do: plugin, fixtures and harness by the names of the package, hence the built one.
 * Before the first build there is no such project, and the others can be run.
 */
async function stories(): Promise<readonly TestProjectInlineConfiguration[]> {
  const plugin = new URL('dist/vitest/plugin.js', import.meta.url)
  if (!existsSync(plugin)) return []
  const { faultline } = (await import(plugin.href)) as typeof import('faultline/plugin')
  return [
    {
      plugins: [faultline()],
      test: {
        name: 'workflows',
        include: ['tests/e2e/workflows/**/*.test.ts'],
        pool: 'forks',
        setupFiles: ['tests/e2e/workflows/no-network.ts'],
      },
    },
  ]
}

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
          exclude: ['tests/e2e/workflows/**'],
          pool: 'forks',
          globalSetup: ['tests/support/packed-package.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [canaryEngines()],
        test: {
          name: 'canaries',
          include: ['tests/canaries/**/*.test.ts'],
          pool: 'threads',
          testTimeout: 120_000,
        },
      },
      ...(await stories()),
    ],
    ...(countsFile ? { reporters: ['default', countsReporter(countsFile)] } : {}),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Runs in a browser, where `npm run test:matrix:page` tries it.
      exclude: ['src/viewer/page/**'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: {
        lines: 85,
        'src/built-in-steps/**': { lines: 90 },
        'src/engine/**': { lines: 95, branches: 90 },
      },
    },
  },
})
