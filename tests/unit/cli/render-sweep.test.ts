import { expect, test } from 'vitest'
import { renderSweep } from '../../../src/cli/sweep/render-sweep.ts'
import type { SweepReport } from '../../../src/harness/index.ts'

const report: SweepReport = {
  version: 1,
  workflowId: 'release',
  seed: 1,
  tier: 'full',
  families: { crash: { hit: 3, points: 3, counted: 3, scenarios: 4, deduped: 1 } },
  findings: [],
  matrix: [],
  postCrashStates: 1,
  recoveryPaths: 1,
  complete: true,
  shortcuts: { rejoined: 0, audited: 0, trusted: true },
  timings: { cpuMs: 0, scenariosPerSecond: 0, slowest: [] },
}

test('the text of a sweep says how often remembered agents were called, and nothing of it where all were called', () => {
  const lines = [
    'sweep of release: tier full, seed 1',
    'family  points hit  scenarios  deduped  findings',
    'crash          3/3          4        1         0',
  ]
  expect(renderSweep(report).split('\n')).toEqual(lines)
  const agentCalls = { made: 133, remembered: 495, audited: 30 }
  expect(renderSweep({ ...report, agentCalls }).split('\n')).toEqual([
    ...lines,
    'agents: called 133 times (30 to compare), 495 times remembered',
  ])
})
