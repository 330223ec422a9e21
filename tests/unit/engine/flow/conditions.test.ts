import { describe, expect, test } from 'vitest'
import { endings, resumeFlow, runFlow } from './flow-run.ts'

const orders = (more = ''): string => `id: orders
nodes:
  - { id: check, type: x }
  - { id: ship, type: x }
  - { id: refuse, type: x }
  - { id: done, type: x${more} }
connections:
  - { source: check, target: ship, condition: 'ok == true' }
  - { source: check, target: refuse, condition: 'ok == false' }
  - { source: ship, target: done }
  - { source: refuse, target: done }
`

describe('a connection', () => {
  test('whose condition is true lets the next step run; the branch not taken is skipped, and the join runs', async () => {
    const { state, calls } = await runFlow(orders(), { check: { output: { ok: true } } })
    expect(calls).toEqual(['check', 'ship', 'done'])
    expect(state.status).toBe('completed')
    expect(endings(state)).toBe(
      'check:completed refuse:skipped(no_active_connection) ship:completed done:completed',
    )
    expect(state.steps['refuse']?.skipped?.because).toEqual(['check'])
    expect(state.progress).toEqual({ completed: 3, skipped: 1, total: 4 })
  })

  test('that is taken is in the state, after a resume too', async () => {
    const first = await runFlow(orders(), { check: { output: { ok: false } }, done: { throws: 'no' } })
    const taken = [
      { from: 'check', to: 'refuse' },
      { from: 'refuse', to: 'done' },
    ]
    expect(first.state.status).toBe('failed')
    expect(first.state.activeConnections).toEqual(taken)
    const second = await resumeFlow(first)
    expect(second.calls).toEqual(['done'])
    expect(second.state.status).toBe('completed')
    expect(second.state.activeConnections).toEqual(taken)
  })

  test('that cannot be judged fails the step that it leads to, and never counts as false', async () => {
    const { state, calls } = await runFlow(orders(), { check: { output: { fine: true } } })
    expect(calls).toEqual(['check'])
    expect(state.status).toBe('failed')
    expect(state.error).toMatchObject({ step: 'refuse', kind: 'condition' })
    expect(state.error?.message).toContain(`The condition 'ok == false' cannot be judged`)
    expect(endings(state)).toBe('check:completed refuse:failed ship:pending done:pending')
  })

  test('of which none is taken skips all that follows', async () => {
    const yaml = `id: g
nodes: [{ id: a, type: x }, { id: b, type: x }, { id: c, type: x }]
connections: [{ source: a, target: b, condition: 'output.n > 1' }, { source: b, target: c }]
`
    expect(endings((await runFlow(yaml, { a: { output: { n: 1 } } })).state)).toBe(
      'a:completed b:skipped(no_active_connection) c:skipped(dependency_skipped)',
    )
    expect(endings((await runFlow(yaml, { a: { output: { n: 2 } } })).state)).toBe(
      'a:completed b:completed c:completed',
    )
  })

  test.each([
    ['on_success', 'ok', 'completed'],
    ['on_success', 'findings', 'completed'],
    ['on_success', 'fails', 'skipped(no_active_connection)'],
    ['on_failure', 'ok', 'skipped(no_active_connection)'],
    ['on_failure', 'findings', 'skipped(no_active_connection)'],
    ['on_failure', 'fails', 'completed'],
    ['has_failures', 'ok', 'skipped(no_active_connection)'],
    ['has_failures', 'findings', 'completed'],
    ['has_failures', 'fails', 'skipped(no_active_connection)'],
    ['always', 'ok', 'completed'],
    ['always', 'findings', 'completed'],
    ['always', 'fails', 'completed'],
    ['null', 'ok', 'completed'],
    [`''`, 'ok', 'completed'],
    ['null', 'fails', 'skipped(dependency_failed)'],
    [`'output.n == 1'`, 'fails', 'skipped(dependency_failed)'],
    [`"text == 'yes' && nested.deep[1] == 2 && !flag"`, 'ok', 'completed'],
    [`"steps['a'].status == 'completed' && input.x == 1"`, 'ok', 'completed'],
    [`"steps['a'].failures.size() == 1"`, 'findings', 'completed'],
  ])('on %s, after a step that %s, has the next step %s', async (condition, how, expected) => {
    const yaml = `id: g
settings: { on_step_failure: continue }
nodes: [{ id: a, type: x }, { id: b, type: x }]
connections: [{ source: a, target: b, condition: ${condition} }]
`
    const output = { text: 'yes', nested: { deep: [1, 2] }, flag: false }
    const a = {
      ok: { output },
      findings: { output: { failures: ['x'] } },
      fails: { throws: 'no' },
    }[how as 'ok']
    const { state } = await runFlow(yaml, { a }, { x: 1 })
    expect(endings(state)).toBe(`a:${how === 'fails' ? 'failed' : 'completed'} b:${expected}`)
  })

  test('is judged on data alone: nothing inherited is seen, and no code runs', async () => {
    const yaml = `id: g
nodes: [{ id: a, type: x }, { id: b, type: x }]
connections: [{ source: a, target: b, condition: 'output.constructor == 1' }]
`
    const { state } = await runFlow(yaml, { a: { output: {} } })
    expect(state.steps['b']).toMatchObject({ status: 'failed', error: { kind: 'condition' } })
  })
})

describe('a step', () => {
  const chain = (condition: string): string => `id: f
steps:
  - { id: a, agent: x }
  - { id: b, agent: x, condition: ${condition} }
  - { id: c, agent: x }
`

  test('whose condition is false is skipped, and a list goes on behind it', async () => {
    const { state, calls, events } = await runFlow(chain(`"steps['a'].output.n == 2"`), {
      a: { output: { n: 1 } },
    })
    expect(calls).toEqual(['a', 'c'])
    expect(endings(state)).toBe('a:completed b:skipped(condition_false) c:completed')
    expect(events.find(({ kind }) => kind === 'step_skip')).toMatchObject({
      step: 'b',
      visit: 1,
      status: 'skipped',
      reason: 'condition_false',
      because: [],
    })
  })

  test('whose condition is true runs', async () => {
    const { calls } = await runFlow(chain(`"steps['a'].output.n == 1"`), { a: { output: { n: 1 } } })
    expect(calls).toEqual(['a', 'b', 'c'])
  })

  test('whose condition cannot be judged fails', async () => {
    const { state } = await runFlow(chain(`"steps['a'].output.m == 1"`), { a: { output: { n: 1 } } })
    expect(state.error).toMatchObject({ step: 'b', kind: 'condition' })
    expect(state.steps['b']?.attempts).toHaveLength(1)
  })

  test('that depends on a skipped one by name is skipped with it', async () => {
    const yaml = `id: f
steps:
  - { id: a, agent: x, depends_on: [], condition: 'input.go' }
  - { id: b, agent: x, depends_on: [a] }
  - { id: c, agent: x, depends_on: [b], condition: always }
`
    const { state } = await runFlow(yaml, {}, { go: false })
    expect(endings(state)).toBe('a:skipped(condition_false) b:skipped(dependency_skipped) c:completed')
    expect(endings((await runFlow(yaml, {}, { go: true })).state)).toBe('a:completed b:completed c:completed')
  })
})
