import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from 'vitest'

/** A test with an empty folder of its own, without links in its path, that is removed afterwards. */
export const test = base.extend<{ readonly folder: string }>({
  // oxlint-disable-next-line no-empty-pattern -- Vitest reads from the pattern which other fixtures are needed.
  folder: async ({}, use) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-unit-')))
    await use(folder)
    rmSync(folder, { recursive: true, force: true })
  },
})
