import { expect, test } from 'vitest'
import { failureDiff } from '../../../src/bundle/failure-diff.ts'
import type { WorkflowSnapshot } from '../../../src/trace/index.ts'

function snapshot(
  statuses: Readonly<Record<string, string>>,
  digests: Readonly<Record<string, string>>,
): WorkflowSnapshot {
  const { run, ...steps } = statuses
  return {
    state: {
      status: run,
      steps: Object.fromEntries(Object.entries(steps).map(([id, status]) => [id, { status }])),
    },
    artifacts: Object.entries(digests).map(([path, sha256]) => ({ path, sha256 })),
  } as unknown as WorkflowSnapshot
}

const before = snapshot(
  { run: 'running', build: 'completed', check: 'running', publish: 'pending' },
  { 'kept.md': '1', 'changed.md': '1', 'gone.md': '1' },
)
const after = snapshot(
  { run: 'failed', build: 'completed', check: 'failed', publish: 'skipped' },
  { 'kept.md': '1', 'changed.md': '2', 'new.md': '1' },
)

test('what the failure changed are the statuses and artifacts that differ', () => {
  expect(failureDiff({ beforeFailure: before, atFailure: after, beforeResume: [], afterResume: [] })).toEqual(
    [
      'run running → failed',
      'check running → failed',
      'publish pending → skipped',
      '~changed.md',
      '+new.md',
      '-gone.md',
    ],
  )
})

test('nothing is said where one of the two states was not taken', () => {
  const rest = { beforeResume: [], afterResume: [] }
  expect(failureDiff({ beforeFailure: null, atFailure: after, ...rest })).toEqual([])
  expect(failureDiff({ beforeFailure: before, atFailure: null, ...rest })).toEqual([])
})
