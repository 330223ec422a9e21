import { cpSync } from 'node:fs'
import { expect, inject, test } from 'vitest'
import type { StateDocument } from '../../../src/trace/index.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'
import { reviewed } from '../../support/workflows.ts'

/** What is the same for every run that came to the same. */
function canonicalState(folder: Stranger): unknown {
  const { status, steps, artifacts } = JSON.parse(
    folder.faultline('status', '--json').stdout,
  ) as StateDocument
  return {
    status,
    steps: Object.entries(steps).map(([id, { status: done, output }]) => [id, done, output]),
    artifacts: artifacts.map(({ path, sha256, producedBy }) => [path, sha256, producedBy]),
    content: artifacts.map(({ path }) => folder.read(path)),
  }
}

test('a project that is copied elsewhere after a failure is resumed there, though the first folder is gone', () => {
  const packed = inject('packedPackage')
  const undisturbed = stranger(packed, { 'flow.yaml': reviewed.yaml })
  expect(undisturbed.faultline('run', 'flow.yaml', '--mock').code).toBe(0)
  const first = stranger(packed, { 'flow.yaml': reviewed.yaml })
  expect(first.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:review').code).toBe(1)
  const copy = stranger(packed, {})
  cpSync(first.folder, copy.folder, { recursive: true })
  const everything = first.files().map((path) => first.read(path))
  expect(everything.filter((text) => text.includes(first.folder))).toEqual([])
  first.remove()
  const resumed = copy.faultline('resume')
  expect([resumed.stderr, resumed.code]).toEqual(['', 0])
  expect(canonicalState(copy)).toEqual(canonicalState(undisturbed))
  copy.remove()
  undisturbed.remove()
})
