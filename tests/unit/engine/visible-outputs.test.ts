import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StepDefinition } from '../../../src/definition/index.ts'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'
import { compileWorkflow } from '../../../src/engine/run/compiled-workflow.ts'
import { initialState } from '../../../src/engine/run/run-state.ts'
import type { RunState } from '../../../src/engine/run/run-state.ts'
import { visibleOutputs } from '../../../src/engine/run/visible-outputs.ts'
import { Attempt } from '../../../src/engine/step/attempt.ts'
import { runLayout, storeLayout } from '../../../src/engine/store/layout.ts'

/** A run in which every step has put out its own id, but for those that are named. */
async function allDone(yaml: string, silent: readonly string[] = []): Promise<RunState> {
  const { definition } = await loadWorkflow(workflowFromText(yaml, 'flow.yaml'))
  const state = initialState(await compileWorkflow(definition, yaml), {
    v: 1,
    seq: 0,
    epoch: 1,
    durableSeq: -1,
    at: 0,
    workflowId: definition.id,
    runId: 'run-1',
    correlationId: 'c',
    kind: 'workflow_start',
    status: 'running',
    definition,
    definitionSha256: yaml,
    input: null,
    seed: 1,
    launch: {},
    owner: 'nobody',
  })
  let { steps } = state
  for (const [index, { id }] of definition.steps.entries()) {
    if (!silent.includes(id))
      steps = steps.set(index, { ...steps.get(index), status: 'completed', output: id })
  }
  return { ...state, steps }
}

function seenBy(state: RunState, step: string, undoes = false): readonly string[] {
  const index = state.workflow.indexOf.get(step) as number
  const definition = state.workflow.steps[index] as StepDefinition
  const layout = runLayout(storeLayout(), state.runId)
  const attempt = new Attempt(index, { step, visit: 2, attempt: 1 }, definition, layout, undoes)
  const outputs = visibleOutputs(state, attempt)
  expect(Object.values(outputs)).toEqual(Object.keys(outputs))
  return Object.keys(outputs)
}

function whoSeesWhat(state: RunState): Readonly<Record<string, string>> {
  return Object.fromEntries(state.workflow.steps.map(({ id }) => [id, seenBy(state, id).join(' ')]))
}

const batch = `id: list
steps:
  - { id: first, agent: x }
  - { id: a, agent: x, parallel: true }
  - { id: b, agent: x, parallel: true }
  - { id: c, agent: x, parallel: true }
  - { id: last, agent: x }
`
const twoBranches = `id: graph
nodes: [{ id: top, type: x }, { id: l1, type: x }, { id: l2, type: x }, { id: r1, type: x }, { id: r2, type: x }, { id: end, type: x }]
connections:
  - { source: top, target: l1 }
  - { source: l1, target: l2 }
  - { source: top, target: r1 }
  - { source: r1, target: r2 }
  - { source: l2, target: end }
  - { source: r2, target: end }
`
const joinsAny = `id: any
nodes: [{ id: a, type: x }, { id: b, type: x }, { id: early, type: x, join: any }, { id: late, type: x }]
connections:
  - { source: a, target: early }
  - { source: b, target: early }
  - { source: early, target: late }
`
const review = `id: review
steps:
  - { id: draft, agent: x }
  - { id: left, agent: x, depends_on: [draft] }
  - { id: right, agent: x, depends_on: [draft] }
  - { id: check, agent: x, depends_on: [left, right], gate: { condition: 'true', on_fail: draft } }
  - { id: after-left, agent: x, depends_on: [left] }
`

describe('an attempt sees', () => {
  test.each([
    [
      'nothing of its siblings in a batch',
      batch,
      {
        first: 'first a b c last',
        a: 'first a last',
        b: 'first b last',
        c: 'first c last',
        last: 'first a b c last',
      },
    ],
    [
      'nothing of another branch',
      twoBranches,
      {
        top: 'end l1 l2 r1 r2 top',
        l1: 'end l1 l2 top',
        l2: 'end l1 l2 top',
        r1: 'end r1 r2 top',
        r2: 'end r1 r2 top',
        end: 'end l1 l2 r1 r2 top',
      },
    ],
    [
      'nothing of a step that does not wait for it, nor of what comes after that',
      joinsAny,
      { a: 'a', b: 'b', early: 'a b early late', late: 'a b early late' },
    ],
    [
      'what a gate sends back together with it, and nothing of a sibling there',
      review,
      {
        draft: 'draft left right check after-left',
        left: 'draft left check after-left',
        right: 'draft right check after-left',
        check: 'draft left right check after-left',
        'after-left': 'draft left right check after-left',
      },
    ],
  ])('%s', async (_title, yaml, expected) => {
    const seen = whoSeesWhat(await allDone(yaml))
    const sorted = (text = ''): readonly string[] => text.split(' ').toSorted()
    expect(Object.fromEntries(Object.entries(seen).map(([id, text]) => [id, sorted(text)]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([id, text]) => [id, sorted(text)])),
    )
  })

  test('nothing of a step that has put out nothing', async () => {
    expect(seenBy(await allDone(batch, ['first']), 'a')).toEqual(['a', 'last'])
    expect(seenBy(await allDone(batch, ['a', 'b', 'c', 'last']), 'last')).toEqual(['first'])
  })

  test('everything when it takes back what its step has done', async () => {
    expect(seenBy(await allDone(batch), 'a', true)).toEqual(['first', 'a', 'b', 'c', 'last'])
    expect(seenBy(await allDone(joinsAny), 'a', true).toSorted()).toEqual(['a', 'b', 'early', 'late'])
  })

  test('in any graph itself, what it waits for, and what waits for it, and nothing else', async () => {
    const size = 6
    const numbers = Array.from({ length: size }, (_, step) => step)
    const pairs = numbers.flatMap((to) => numbers.slice(0, to).map((from) => [from, to] as const))
    await fc.assert(
      fc.asyncProperty(fc.subarray(pairs), fc.subarray(numbers), async (edges, early) => {
        const nodes = numbers.map((n) => `{ id: n${n}, type: x${early.includes(n) ? ', join: any' : ''} }`)
        const lines = edges.map(([from, to]) => `{ source: n${from}, target: n${to} }`)
        const state = await allDone(
          `id: g\nnodes: [${nodes.join(', ')}]\nconnections: [${lines.join(', ')}]\n`,
        )
        // Numbers go up along edges, so that one pass in their order finds all that is reached.
        for (const step of numbers) {
          const before = new Set([step])
          for (const n of numbers.toReversed())
            if (edges.some(([from, to]) => from === n && before.has(to))) before.add(n)
          const after = new Set([step])
          for (const n of numbers)
            if (!early.includes(n) && edges.some(([from, to]) => to === n && after.has(from))) after.add(n)
          const expected = numbers.filter((n) => before.has(n) || after.has(n)).map((n) => `n${n}`)
          expect(seenBy(state, `n${step}`).toSorted()).toEqual(expected)
        }
      }),
      { seed: 20_260_107, numRuns: 60 },
    )
  })
})
