import { defineConfig } from 'vitest/config'
import { rows } from './vitest/rows.ts'

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
