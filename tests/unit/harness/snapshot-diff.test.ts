import { describe, expect, test } from 'vitest'
import { defineWorkflow } from '../../../src/engine/index.ts'
import {
  captureWorkflowState,
  createProject,
  diffSnapshots,
  formatSnapshotDiff,
  runWorkflowStepByStep,
} from '../../../src/harness/index.ts'

const before = {
  label: 'before',
  state: { steps: { build: { status: 'running', attempts: [1] }, gone: null }, files: { 'a.md': 1 } },
}
const after = {
  state: {
    files: { 'a.md': 2 },
    steps: { build: { attempts: [1, { outcome: 'completed' }], status: 'completed' } },
  },
  label: 'before',
}

describe('diffSnapshots', () => {
  test('names every place that differs, objects by key and lists by position, in sorted order', () => {
    expect(diffSnapshots(before, after)).toEqual([
      { path: 'state.files["a.md"]', before: 1, after: 2 },
      { path: 'state.steps.build.attempts[1]', before: undefined, after: { outcome: 'completed' } },
      { path: 'state.steps.build.status', before: 'running', after: 'completed' },
      { path: 'state.steps.gone', before: null, after: undefined },
    ])
  })

  test('finds nothing between equal documents whose members stand in another order', () => {
    expect(diffSnapshots({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toEqual([])
  })

  test('tells a list from an object and a missing member from null', () => {
    expect(diffSnapshots({ list: [], none: null }, { list: {} })).toEqual([
      { path: 'list', before: [], after: {} },
      { path: 'none', before: null, after: undefined },
    ])
  })

  test('takes a snapshot that does not exist as one change of everything', () => {
    expect(diffSnapshots(null, { a: 1 })).toEqual([{ path: '', before: null, after: { a: 1 } }])
  })
})

describe('formatSnapshotDiff', () => {
  test('writes one line a change', () => {
    expect(formatSnapshotDiff(diffSnapshots(before, after))).toMatchInlineSnapshot(`
      "~ state.files["a.md"]: 1 -> 2
      + state.steps.build.attempts[1]: {"outcome":"completed"}
      ~ state.steps.build.status: "running" -> "completed"
      - state.steps.gone: null"
    `)
  })

  test('shortens long values and says how long they are', () => {
    expect(formatSnapshotDiff([{ path: '', before: 1, after: 'x'.repeat(300) }])).toBe(
      `~ (all): 1 -> "${'x'.repeat(119)}... (302 characters)`,
    )
  })

  test('says so when there are no differences', () => {
    expect(formatSnapshotDiff([])).toBe('no differences')
  })
})

describe('captureWorkflowState', () => {
  test('gives frozen snapshots that show what a step has changed', async () => {
    const steps = ['build', 'report'].map((id) => ({ id, agent: 'any', creates: [`${id}.txt`] }))
    const project = await createProject({ storage: 'memory' })
    const session = await runWorkflowStepByStep(defineWorkflow({ id: 'pair', steps }), { project })
    const before = await captureWorkflowState(session, 'before')
    await session.next()
    const after = await captureWorkflowState(session, 'after')
    expect(Object.isFrozen(before.state.steps)).toBe(true)
    const paths = diffSnapshots(before, after).map(({ path }) => path)
    expect(paths).toContain('state.steps.build.status')
    expect(paths).not.toContain('state.steps.report.status')
    expect(diffSnapshots(after, after)).toEqual([])
  })
})
