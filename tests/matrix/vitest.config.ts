import { defineConfig } from 'vitest/config'
import { isInstalled, rows } from './vitest/rows.ts'

const missing = rows.filter((row) => !isInstalled(row))
if (missing.length > 0) {
  process.stderr.write(
    `Not installed: ${missing.map(({ name }) => name).join(', ')}. Install it: node tests/matrix/vitest/install.mjs\n`,
  )
  process.exit(2)
}

/** The same tests that hold for the Vitest developed with, for each one promised. */
export default defineConfig({
  test: {
    projects: rows.map(({ name }) => ({
      test: {
        name,
        root: new URL('../..', import.meta.url).pathname,
        include: [
          'tests/matrix/vitest/*.test.ts',
          'tests/e2e/vitest/{kinds-of-failure,lost-tests,side-by-side,replay}.test.ts',
        ],
        pool: 'forks',
        globalSetup: ['tests/matrix/vitest/packed-for-row.ts'],
        testTimeout: 180_000,
        hookTimeout: 180_000,
      },
    })),
  },
})
