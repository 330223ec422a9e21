import { describe, expect, test } from 'vitest'
import { deferred } from '../../../src/core/index.ts'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'
import type { Agent } from '../../../src/ports/index.ts'
import { fencedBlocks } from '../../support/markdown.ts'
import { endings, runFlow } from '../engine/flow/flow-run.ts'

/** The sample of a page that begins with the given line. */
function sample(page: string, opening: string): string {
  const found = fencedBlocks(page).find(
    ({ language, text }) => language === 'yaml' && text.startsWith(opening),
  )
  return found?.text ?? ''
}

test.each([
  ['docs/workflows.md', '# orders.yaml', 'graph'],
  ['docs/workflows.md', '# services.yaml', 'service pipeline'],
  ['docs/built-in-steps.md', '# nightly.yaml', 'service pipeline'],
  ['docs/life-of-a-run.md', 'id: approval', 'agent workflow'],
])('the sample of %s that begins with "%s" is a valid %s', async (page, opening, dialect) => {
  expect((await loadWorkflow(workflowFromText(sample(page, opening), 'sample.yaml'))).dialect).toBe(dialect)
})

describe('the samples of docs/workflows.md', () => {
  test('of services: runs two steps side by side, tries again twice after waits that double, and reports', async () => {
    const both = deferred<void>()
    const lint: Agent = () => (both.resolve(), null)
    const tests: Agent = async ({ attempt }) => {
      await both.promise
      if (attempt < 3) throw new Error('not yet')
      return { failures: [] }
    }
    const { state, calls, events } = await runFlow(sample('docs/workflows.md', '# services.yaml'), {
      'test-api': tests,
      lint,
    })
    expect(calls).toEqual(['health-api', 'test-api', 'lint', 'test-api', 'test-api', 'report'])
    expect(events.flatMap((event) => (event.kind === 'step_retry' ? [event.delayMs] : []))).toEqual([
      5_000, 10_000,
    ])
    expect(endings(state)).toBe('health-api:completed test-api:completed lint:completed report:completed')
  })

  test('of orders: ships what is good, refuses what is not', async () => {
    const orders = sample('docs/workflows.md', '# orders.yaml')
    const shipped = await runFlow(orders, { check: { output: { ok: true, total: 2, id: 7 } } })
    expect(shipped.calls).toEqual(['start', 'check', 'ship'])
    const refused = await runFlow(orders, { check: { output: { ok: false, total: 2, id: 7 } } })
    expect(refused.calls).toEqual(['start', 'check', 'refuse'])
  })
})
