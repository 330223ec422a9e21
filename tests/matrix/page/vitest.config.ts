import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'page',
    root: new URL('../../..', import.meta.url).pathname,
    include: ['tests/matrix/page/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
