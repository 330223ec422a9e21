import { expect, test } from 'vitest'
import { mergeSweepReports } from '../../../../src/harness/index.ts'
import type { SweepReport } from '../../../../src/harness/index.ts'

const part: SweepReport = {
  version: 1,
  workflowId: 'release',
  seed: 1,
  tier: 'full',
  families: { crash: { hit: 1, points: 4, counted: 4, scenarios: 3, deduped: 1 } },
  findings: [],
  matrix: [{ family: 'crash', at: 'b', cells: { kill: 'survived' } }],
  postCrashStates: 2,
  recoveryPaths: 1,
  seen: { postCrashStates: ['s1', 's2'], recoveryPaths: ['p1'] },
  complete: true,
  shard: { index: 1, of: 2 },
  shortcuts: { rejoined: 1, audited: 0, trusted: true },
  timings: { cpuMs: 10, scenariosPerSecond: 300, slowest: [{ faults: [], ms: 5 }] },
}
const other: SweepReport = {
  ...part,
  matrix: [
    { family: 'crash', at: 'a', cells: { kill: 'found' } },
    { family: 'crash', at: 'b', cells: { torn: 'survived' } },
  ],
  findings: [{ faults: [{ family: 'crash', at: 'a', outcome: 'kill' }], violations: [] }],
  postCrashStates: 3,
  recoveryPaths: 2,
  seen: { postCrashStates: ['s2', 's3', 's4'], recoveryPaths: ['p1', 'p2'] },
  shard: { index: 2, of: 2 },
  shortcuts: { rejoined: 2, audited: 1, trusted: false },
}

test('shares of a sweep add up to it', () => {
  expect(mergeSweepReports([part, other])).toEqual({
    ...part,
    shard: undefined,
    families: { crash: { hit: 2, points: 4, counted: 4, scenarios: 6, deduped: 2 } },
    findings: other.findings,
    matrix: [
      { family: 'crash', at: 'a', cells: { kill: 'found' } },
      { family: 'crash', at: 'b', cells: { kill: 'survived', torn: 'survived' } },
    ],
    postCrashStates: 4,
    recoveryPaths: 2,
    seen: undefined,
    shortcuts: { rejoined: 3, audited: 1, trusted: false },
    timings: { cpuMs: 20, scenariosPerSecond: 300, slowest: [{ faults: [], ms: 5 }] },
  })
})

test('what parts have in common is counted once', () => {
  const stopped = mergeSweepReports([
    { ...part, shard: { index: 2, of: 2 }, complete: false },
    { ...other, complete: false },
  ])
  expect(stopped.seen).toEqual({ postCrashStates: ['s1', 's2', 's3', 's4'], recoveryPaths: ['p1', 'p2'] })
  expect(mergeSweepReports([stopped, other]).postCrashStates).toBe(4)
  expect(mergeSweepReports([other, { ...other, complete: false }]).findings).toEqual(other.findings)
})

test('what is put together is complete when every share is', () => {
  const stopped = { ...other, complete: false }
  const { shard: _shard, ...whole } = part
  const completeness = [
    [part],
    [part, stopped],
    [part, stopped, other],
    [{ ...whole, complete: false }],
    [{ ...whole, complete: false }, whole],
  ].map((parts) => mergeSweepReports(parts).complete)
  expect(completeness).toEqual([true, false, true, false, true])
  expect(mergeSweepReports([stopped, other]).shard).toEqual({ index: 2, of: 2 })
})

test.each<[readonly SweepReport[], string]>([
  [[], 'there is none'],
  [[part, { ...other, seed: 2 }], 'they differ in seed: 1 and 2'],
  [[part, { ...other, tier: 'deep' }], 'they differ in tier: "full" and "deep"'],
  [[part, { ...other, shard: { index: 2, of: 3 } }], 'they are shares of 2 and of 3'],
  [
    [part, { ...other, families: { crash: { hit: 1, points: 5, counted: 5, scenarios: 1, deduped: 0 } } }],
    'the family crash has 4 points in one and 5 in another',
  ],
  [[part, part], 'share 1 of 2 is there twice'],
])('parts of different sweeps are refused: %#', (parts, why) => {
  expect(() => mergeSweepReports(parts)).toThrow(`The reports are not of one sweep: ${why}.`)
})
