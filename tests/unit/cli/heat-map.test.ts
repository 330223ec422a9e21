import { expect, test } from 'vitest'
import { renderHeatMap } from '../../../src/cli/sweep/heat-map.ts'
import type { SweepReport } from '../../../src/harness/index.ts'

const hostile = '</th><script>alert("1")</script>&'
const report: SweepReport = {
  version: 1,
  workflowId: hostile,
  seed: hostile,
  tier: 'full',
  families: { crash: { hit: 2, points: 3, counted: 3, scenarios: 4, deduped: 1 } },
  findings: [
    {
      faults: [{ family: 'crash', at: hostile, outcome: 'kill' }],
      violations: [{ invariant: 'O8', sentence: `Step '${hostile}' was lost.` }],
    },
  ],
  matrix: [
    { family: 'crash', at: hostile, cells: { kill: 'found', [hostile]: 'deduped' } },
    { family: 'crash', at: 'b', cells: { kill: 'survived' } },
  ],
  postCrashStates: 1,
  recoveryPaths: 1,
  complete: false,
  shortcuts: { rejoined: 0, audited: 0, trusted: true },
  timings: { cpuMs: 0, scenariosPerSecond: 0, slowest: [] },
}

test('the heat map shows points against faults, and lets no text out of its place', () => {
  const page = renderHeatMap(report)
  expect(page).not.toContain('<script')
  expect(page).not.toContain(hostile)
  expect(page.match(/&lt;\/th&gt;&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;&amp;/g)).toHaveLength(6)
  expect(page).toContain(
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
  )
  expect(page).toContain('crash: 2 of 3 points hit, 4 scenarios, 1 deduped')
  expect(page).toContain('1 findings; not every point was tried.')
  expect(page).toContain(
    '<tr><th scope="row">b</th><td class="survived" title="survived">✓</td><td></td></tr>',
  )
})
