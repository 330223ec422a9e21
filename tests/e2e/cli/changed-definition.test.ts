import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'
import { reviewed } from '../../support/workflows.ts'

let folder: Stranger

beforeEach(() => {
  folder = stranger(inject('packedPackage'), { 'flow.yaml': reviewed.yaml })
  folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:build')
})

afterEach(() => folder.remove())

test('a resume refuses a workflow file that was edited', () => {
  folder.write('flow.yaml', reviewed.yaml.replaceAll('announce\n', 'publish\n'))
  const refused = folder.faultline('resume')
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(
    /^error\[DEFINITION_CHANGED\]: .*steps\.announce is gone; steps\.publish is new/,
  )
})

test('a resume goes on without the workflow file and says so', () => {
  rmSync(join(folder.folder, 'flow.yaml'))
  const resumed = folder.faultline('resume')
  expect(resumed.code).toBe(0)
  expect(resumed.stdout).toContain(`The workflow file 'flow.yaml' is not there any more`)
})
