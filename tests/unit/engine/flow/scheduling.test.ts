import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { deferred } from '../../../../src/core/index.ts'
import { workflowFromText } from '../../../../src/engine/index.ts'
import type { Agent } from '../../../../src/ports/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import { agentsOf, endings, resumeFlow, runFlow } from './flow-run.ts'

const steps = (...lines: readonly string[]): string =>
  `id: f\nsteps:\n${lines.map((line) => `  - { agent: x, ${line} }\n`).join('')}`
const settings = (text: string, yaml: string): string =>
  yaml.replace('steps:', `settings: { ${text} }\nsteps:`)

/** Agents of which each returns only when all of them have been called. */
function meeting(...names: readonly string[]): Readonly<Record<string, Agent>> {
  const all = deferred<void>()
  const missing = new Set(names)
  const agent: Agent = async ({ step }) => {
    missing.delete(step)
    if (missing.size === 0) all.resolve()
    await all.promise
    return null
  }
  return Object.fromEntries(names.map((name) => [name, agent]))
}

describe('side by side', () => {
  test('run nodes of a graph that do not depend on one another, with and without conditions', async () => {
    for (const condition of ['', ', condition: always']) {
      const yaml = `id: g
nodes: [{ id: a, type: x }, { id: b, type: x }, { id: c, type: x }, { id: d, type: x${condition} }]
connections: [{ source: a, target: d }, { source: b, target: d }, { source: c, target: d }]
`
      const { state, calls } = await runFlow(yaml, meeting('a', 'b', 'c'))
      expect(state.status).toBe('completed')
      expect(calls.at(-1)).toBe('d')
    }
  })

  test('run neighbours with parallel: true, and what follows waits for all of them', async () => {
    const yaml = steps('id: a', 'id: p, parallel: true', 'id: q, parallel: true', 'id: z, condition: always')
    const { calls, state } = await runFlow(yaml, meeting('p', 'q'))
    expect(calls).toEqual(['a', 'p', 'q', 'z'])
    expect(state.status).toBe('completed')
  })

  test.each([undefined, 1, 3])('run as many as %s allows, five if nothing is said', async (limit) => {
    const all = Array.from({ length: 9 }, (_, index) => `id: p${index}, parallel: true`)
    const yaml = steps(...all, 'id: z, condition: always')
    let [now, peak] = [0, 0]
    const agent: Agent = async ({ clock }) => {
      peak = Math.max(peak, ++now)
      await clock.sleep(5)
      now--
      return null
    }
    const acts = Object.fromEntries(all.map((_, index) => [`p${index}`, agent]))
    await runFlow(limit === undefined ? yaml : settings(`max_concurrent_steps: ${limit}`, yaml), acts)
    expect(peak).toBe(limit ?? 5)
  })

  test('leave the same outputs in the same order, whichever returns first', async () => {
    const yaml = steps('id: a, parallel: true', 'id: b, parallel: true', 'id: z')
    const seen: string[] = []
    const late =
      (ms: number): Agent =>
      async ({ clock, step }) => {
        await clock.sleep(ms)
        return { step }
      }
    const z: Agent = ({ outputs }) => {
      seen.push(JSON.stringify(outputs))
      return null
    }
    const [first, second] = [
      await runFlow(yaml, { a: late(1), b: late(9), z }),
      await runFlow(yaml, { a: late(9), b: late(1), z }),
    ]
    expect(seen).toEqual([seen[0], seen[0]])
    expect(JSON.stringify(Object.entries(first.state.steps).map(([id, { output }]) => [id, output]))).toBe(
      JSON.stringify(Object.entries(second.state.steps).map(([id, { output }]) => [id, output])),
    )
  })

  test.each(['list', 'graph'])(
    'see nothing of one another in a wide batch (%s), and are merged by name',
    async (dialect) => {
      const batch = Array.from({ length: 40 }, (_, index) => `p${index}`)
      const yaml =
        dialect === 'list'
          ? steps('id: first', ...batch.map((id) => `id: ${id}, parallel: true`), 'id: z')
          : `id: g\nnodes: [${['first', ...batch, 'z'].map((id) => `{ id: ${id}, type: x }`).join(', ')}]\n` +
            `connections: [${batch.map((id) => `{ source: first, target: ${id} }, { source: ${id}, target: z }`).join(', ')}]\n`
      const seen: Record<string, string[]> = {}
      const agent: Agent = async (context) => {
        const { clock, step } = context
        const begin = Object.keys(context.outputs)
        await clock.sleep(1 + ((Number(step.slice(1)) * 17) % 23))
        seen[step] = [...begin, ...Object.keys(context.outputs)]
        return { step }
      }
      const z: Agent = ({ outputs }) => Object.keys(outputs)
      const acts = { first: { output: 1 }, z, ...Object.fromEntries(batch.map((id) => [id, agent])) }
      const { state } = await runFlow(yaml, acts)
      expect(seen).toEqual(Object.fromEntries(batch.map((id) => [id, ['first', 'first']])))
      expect(state.steps['z']?.output).toEqual(Object.keys(state.steps).filter((id) => id !== 'z'))
      expect(
        Object.keys(state.steps)
          .filter((id) => batch.includes(id))
          .toSorted(),
      ).toEqual(batch.toSorted())
    },
  )

  test('are seen by what waits for them, whatever comes later, and by what a gate sends back', async () => {
    const yaml = `id: r
steps:
  - { id: plan, agent: x }
  - { id: left, agent: x, depends_on: [plan] }
  - { id: right, agent: x, depends_on: [plan] }
  - { id: review, agent: x, depends_on: [left, right], gate: { condition: 'output.visit > 1', on_fail: plan } }
settings: { max_concurrent_steps: 1 }
`
    const seen: string[] = []
    const look: Agent = ({ step, visit, outputs }) => {
      seen.push(`${step}#${visit} ${Object.keys(outputs).join()}`)
      return { visit }
    }
    await runFlow(yaml, { plan: look, left: look, right: look, review: look })
    expect(seen).toEqual([
      'plan#1 ',
      'left#1 plan',
      'right#1 plan',
      'review#1 plan,left,right',
      'plan#2 plan,left,right,review',
      'left#2 plan,left,review',
      'right#2 plan,right,review',
      'review#2 plan,left,right,review',
    ])
  })

  test('of a join of any, see nothing of what was over before their last attempt', async () => {
    const yaml = `id: g
nodes: [{ id: a, type: x }, { id: c, type: x, retries: 1 }, { id: j, type: x, join: any }]
connections: [{ source: a, target: j }, { source: c, target: j }]
`
    const lines: string[] = []
    const look: Agent = ({ step, attempt, outputs }) => {
      lines.push(`${step}@${attempt} ${Object.keys(outputs).join()}`)
      if (step === 'c' && attempt === 1) throw new Error('not yet')
      return { step }
    }
    await runFlow(yaml, { a: look, c: look, j: look })
    expect(lines).toEqual(['a@1 ', 'c@1 ', 'j@1 a', 'c@2 '])
  })

  test('share nothing that one of them could change under another', async () => {
    const yaml = steps(
      `id: a, parallel: true, parameters: { list: ['\${input.list}'] }`,
      `id: b, parallel: true, parameters: { list: ['\${input.list}'] }`,
    )
    const tamper: Agent = ({ input, parameters, outputs }) => {
      for (const value of [input, parameters, outputs]) {
        try {
          ;(value as Record<string, unknown>)['list'] = 'mine'
        } catch {
          // Frozen, which is as good as a copy.
        }
      }
      return null
    }
    const b: Agent = ({ input, parameters }) => ({ input, parameters })
    const { state } = await runFlow(yaml, { a: tamper, b }, { list: [1] })
    expect(state.steps['b']?.output).toEqual({ input: { list: [1] }, parameters: { list: [[1]] } })
  })
})

describe('a join', () => {
  const two = (join: string): string => `id: g
settings: { on_step_failure: continue }
nodes: [{ id: a, type: x }, { id: b, type: x }, { id: j, type: x, join: ${join} }]
connections: [{ source: a, target: j, condition: 'ok == true' }, { source: b, target: j }]
`
  const slow: Agent = async ({ clock }) => {
    await clock.sleep(50)
    return { ok: true }
  }

  test('of all that can still be taken waits for all of them', async () => {
    const { events } = await runFlow(two('all-active'), { a: slow, b: { output: null } })
    const start = events.find((event) => event.kind === 'step_start' && event.step === 'j')
    expect(start).toMatchObject({ takes: ['a', 'b'] })
    expect((start?.at ?? 0) - (events[0]?.at ?? 0)).toBe(50)
  })

  test('of any starts with the first, and runs once', async () => {
    const { events, calls, state } = await runFlow(two('any'), { a: slow, b: { output: null } })
    const start = events.find((event) => event.kind === 'step_start' && event.step === 'j')
    expect(start).toMatchObject({ takes: ['b'] })
    expect(start?.at).toBe(events[0]?.at)
    expect(calls.toSorted()).toEqual(['a', 'b', 'j'])
    expect(state.status).toBe('completed')
  })

  test.each([
    ['all-active', 'j:skipped(dependency_failed)'],
    ['any', 'j:completed'],
  ])('of %s, with one way failed, has it %s', async (join, expected) => {
    const { state } = await runFlow(two(join), { a: { output: { ok: true } }, b: { throws: 'no' } })
    expect(endings(state)).toBe(`a:completed b:failed ${expected}`)
    expect(state.status).toBe('failed')
  })

  test('of any stays as it is when another way, that had failed, is resumed', async () => {
    const yaml = steps(
      'id: a, depends_on: []',
      'id: b, depends_on: []',
      'id: j, depends_on: [a, b], join: any',
    )
    const first = await runFlow(yaml, {
      b: async ({ clock }) => {
        await clock.sleep(5)
        throw new Error('no')
      },
    })
    expect(endings(first.state)).toBe('a:completed b:failed j:completed')
    const second = await resumeFlow(first)
    expect(second.calls).toEqual(['b'])
    expect(second.state).toMatchObject({ status: 'completed', steps: { j: { visit: 1 } } })
  })

  test.each([
    ['on_success', 'j:skipped(condition_false)'],
    [`"steps['b'].output == 1"`, 'j:completed'],
    ['input.go', 'j:completed'],
    ['always', 'j:completed'],
  ])(
    'of any with the condition %s does not ask about what is still to come: %s',
    async (condition, expected) => {
      const yaml = steps(
        'id: a, depends_on: []',
        `id: b, depends_on: []${condition === 'on_success' ? ', continue_on_error: true' : ''}`,
        `id: j, depends_on: [a, b], join: any, condition: ${condition}`,
      )
      const b: Agent = async ({ clock }) => {
        await clock.sleep(5)
        if (condition === 'on_success') throw new Error('no')
        return 1
      }
      const { state, events } = await runFlow(yaml, { b }, { go: true })
      expect(endings(state)).toContain(expected)
      const decided = events.find(
        ({ kind, ...event }) => kind.startsWith('step_s') && 'step' in event && event.step === 'j',
      )
      const waits = condition !== 'always' && condition !== 'input.go'
      expect((decided?.at ?? 0) - (events[0]?.at ?? 0)).toBe(waits ? 5 : 0)
    },
  )

  test('of any is skipped when no way is taken', async () => {
    const { state } = await runFlow(two('any'), { a: { output: { ok: false } }, b: { throws: 'no' } })
    expect(endings(state)).toBe('a:completed b:failed j:skipped(dependency_failed)')
  })
})

describe('a failed step', () => {
  const dag = steps(
    'id: a, depends_on: []',
    'id: b, depends_on: [a]',
    'id: c, depends_on: [b]',
    'id: other, depends_on: []',
    'id: after, depends_on: [other]',
  )
  const slowOther: Agent = async ({ clock }) => {
    await clock.sleep(20)
    return null
  }

  test('ends the run: what is in flight comes to its end, and nothing more starts', async () => {
    const { state, calls } = await runFlow(dag, { a: { throws: 'no' }, other: slowOther })
    expect(calls).toEqual(['a', 'other'])
    expect(endings(state)).toBe('a:failed b:pending c:pending other:completed after:pending')
    expect(state.status).toBe('failed')
  })

  test('with on_step_failure: continue stops only what depends on it', async () => {
    const { state, calls, events } = await runFlow(settings('on_step_failure: continue', dag), {
      a: { throws: 'no' },
      other: slowOther,
    })
    expect(calls).toEqual(['a', 'other', 'after'])
    expect(endings(state)).toBe(
      'a:failed b:skipped(dependency_failed) c:skipped(dependency_failed) other:completed after:completed',
    )
    expect(state).toMatchObject({ status: 'failed', error: { step: 'a', message: 'no' } })
    expect(state.steps['c']?.skipped?.because).toEqual(['b'])
    expect(events.at(-1)).toMatchObject({ kind: 'workflow_end', status: 'failed', step: 'a' })
  })

  test('with on_step_failure: continue does not keep others from being tried again', async () => {
    const yaml = settings(
      'on_step_failure: continue, retries: 1',
      steps('id: a, depends_on: []', 'id: b, depends_on: []'),
    )
    let tries = 0
    const flaky: Agent = async ({ clock }) => {
      await clock.sleep(5)
      if (tries++ === 0) throw new Error('once')
      return null
    }
    const { state } = await runFlow(yaml, { a: { throws: 'no' }, b: flaky })
    expect(endings(state)).toBe('a:failed b:completed')
  })

  test('with continue_on_error is tolerated: what depends on it runs, and the run ends degraded', async () => {
    const yaml = steps('id: a, continue_on_error: true', 'id: b', 'id: c, condition: on_success')
    const first = await runFlow(yaml, { a: { throws: 'no' } })
    expect(endings(first.state)).toBe('a:failed b:completed c:skipped(condition_false)')
    expect(first.state).toMatchObject({ status: 'completed', degraded: true, error: null })
    expect(first.state.steps['a']).toMatchObject({ tolerated: true, error: { message: 'no' } })
    expect(first.events.at(-1)).toMatchObject({ status: 'completed', degraded: true })
    expect((await runFlow(yaml)).state.degraded).toBeUndefined()
  })

  test('of several side by side loses no other result', async () => {
    const yaml = steps(
      'id: a, parallel: true',
      'id: b, parallel: true',
      'id: c, parallel: true',
      'id: z, condition: always',
    )
    const { state } = await runFlow(yaml, {
      a: { output: 1 },
      b: { throws: 'no' },
      c: async ({ clock }) => {
        await clock.sleep(5)
        return 3
      },
    })
    expect(endings(state)).toBe('a:completed b:failed c:completed z:completed')
    expect([state.steps['a']?.output, state.steps['c']?.output]).toEqual([1, 3])
    expect(state.status).toBe('failed')
  })
})

describe('what finishes a failed run off', () => {
  const yaml = steps(
    'id: build',
    'id: test',
    'id: deploy',
    'id: tell, condition: on_failure',
    'id: open, condition: has_failures',
    'id: clean, condition: always',
    'id: celebrate, condition: on_success',
  )

  test('runs, and nothing else does', async () => {
    const { state, calls } = await runFlow(yaml, { test: { throws: 'red' } })
    expect(calls).toEqual(['build', 'test', 'tell', 'clean'])
    expect(endings(state)).toBe(
      'build:completed test:failed deploy:skipped(dependency_failed) tell:completed ' +
        'open:skipped(condition_false) clean:completed celebrate:skipped(dependency_failed)',
    )
    expect(state).toMatchObject({ status: 'failed', error: { step: 'test' } })
  })

  test('runs again when the failed step has been resumed, and what was done for the failure is taken back', async () => {
    const second = await resumeFlow(await runFlow(yaml, { test: { throws: 'red' } }))
    expect(second.calls).toEqual(['test', 'deploy', 'clean', 'celebrate'])
    expect(endings(second.state)).toBe(
      'build:completed test:completed deploy:completed tell:skipped(condition_false) ' +
        'open:skipped(condition_false) clean:completed celebrate:completed',
    )
    expect(second.events.find(({ kind }) => kind === 'workflow_resume')).toMatchObject({
      restarts: ['test', 'deploy', 'tell', 'open', 'clean', 'celebrate'],
    })
    expect(second.state.steps['clean']?.visit).toBe(2)
    expect(second.state.status).toBe('completed')
  })

  test('leaves to a resume what it has skipped besides', async () => {
    const dag = steps(
      'id: a, depends_on: []',
      'id: other, depends_on: []',
      'id: later, depends_on: [other]',
      'id: clean, depends_on: [later], condition: always',
    )
    const other: Agent = async ({ clock }) => {
      await clock.sleep(5)
      return null
    }
    const first = await runFlow(dag, { a: { throws: 'no' }, other })
    expect(endings(first.state)).toBe('a:failed other:completed later:skipped(run_failed) clean:completed')
    const second = await resumeFlow(first)
    expect(second.calls).toEqual(['a', 'later', 'clean'])
    expect(endings(second.state)).toBe('a:completed other:completed later:completed clean:completed')
  })

  test('in a graph is all that a connection on_failure leads to', async () => {
    const graph = `id: g
nodes: [{ id: a, type: x }, { id: b, type: x }, { id: tell, type: x }, { id: ticket, type: x }, { id: z, type: x }]
connections:
  - { source: a, target: b }
  - { source: a, target: tell, condition: on_failure }
  - { source: tell, target: ticket }
`
    const { state, calls } = await runFlow(graph, { a: { throws: 'no' } })
    expect(calls.toSorted()).toEqual(['a', 'tell', 'ticket', 'z'])
    expect(endings(state)).toContain('b:skipped(dependency_failed)')
    expect(state.status).toBe('failed')
  })

  test('is tried again like any step, while steps that failed before it are given up', async () => {
    const retried = steps(
      'id: a, depends_on: []',
      'id: b, depends_on: [], retries: 2, retry_delay: 1',
      'id: clean, depends_on: [a, b], condition: always, retries: 1, retry_delay: 1',
    )
    let tries = 0
    const { state, calls } = await runFlow(retried, {
      a: async ({ clock }) => {
        await clock.sleep(10)
        throw new Error('no')
      },
      b: { throws: 'again' },
      clean() {
        if (tries++ === 0) throw new Error('once')
        return null
      },
    })
    expect(calls).toEqual(['a', 'b', 'clean', 'clean'])
    expect(endings(state)).toBe('a:failed b:skipped(run_failed) clean:completed')
  })

  test('does not start when the limit of the workflow has passed', async () => {
    const hangs = settings('timeout: 1', steps('id: a', 'id: clean, condition: always'))
    const { state, calls } = await runFlow(hangs, {
      a: async ({ clock }) => {
        await clock.sleep(Infinity)
        return null
      },
    })
    expect(calls).toEqual(['a'])
    expect(state).toMatchObject({ status: 'failed', error: { kind: 'workflow-timeout' } })
  })
})

describe('findings', () => {
  const yaml = steps(
    'id: test',
    'id: fix, condition: on_failure',
    'id: triage, condition: has_failures',
    'id: z',
  )

  test('are no failure: on_failure stays away, has_failures runs, and the run says so', async () => {
    const { state, calls, events } = await runFlow(yaml, { test: { output: { failures: ['one', 'two'] } } })
    expect(calls).toEqual(['test', 'triage', 'z'])
    expect(state).toMatchObject({ status: 'completed', hasFailures: true, error: null })
    expect(state.steps['test']?.status).toBe('completed')
    expect(events.at(-1)).toMatchObject({ kind: 'workflow_end', status: 'completed', hasFailures: true })
  })

  test.each([{ failures: [] }, { failures: 'none' }, {}, null, [1]])('are none in %j', async (output) => {
    const { state, calls } = await runFlow(yaml, { test: { output } })
    expect(calls).toEqual(['test', 'z'])
    expect(state.hasFailures).toBeUndefined()
  })

  test('of a visit that a gate has sent back no longer count', async () => {
    const gated = steps(
      'id: test',
      `id: review, gate: { condition: "steps['test'].failures.size() == 0", on_fail: test }`,
    )
    const { state } = await runFlow(gated, {
      test: ({ visit }) => ({ failures: visit === 1 ? ['one'] : [] }),
    })
    expect(state.steps['test']?.visit).toBe(2)
    expect(state.hasFailures).toBeUndefined()
  })
})

describe('a gate that sends work back', () => {
  const graph = `id: g
nodes:
  - { id: plan, type: x }
  - { id: left, type: x }
  - { id: right, type: x }
  - { id: review, type: x, gate: { condition: output.good, on_fail: plan } }
  - { id: publish, type: x }
connections:
  - { source: plan, target: left, condition: 'side == "left"' }
  - { source: plan, target: right, condition: 'side == "right"' }
  - { source: left, target: review }
  - { source: right, target: review }
  - { source: review, target: publish }
`
  test('decides everything inside its loop anew', async () => {
    const { state, calls } = await runFlow(graph, {
      plan: ({ visit }) => ({ side: visit === 1 ? 'left' : 'right' }),
      review: ({ visit }) => ({ good: visit === 2 }),
    })
    expect(calls).toEqual(['plan', 'left', 'review', 'plan', 'right', 'review', 'publish'])
    expect(endings(state)).toBe(
      'plan:completed left:skipped(no_active_connection) right:completed review:completed publish:completed',
    )
    expect(state.activeConnections).toEqual([
      { from: 'plan', to: 'right' },
      { from: 'right', to: 'review' },
      { from: 'review', to: 'publish' },
    ])
  })

  test('takes back a failure inside its loop', async () => {
    const yaml = settings(
      'on_step_failure: continue',
      steps(
        'id: test',
        `id: repair, condition: always, gate: { condition: "steps['test'].status == 'completed'", on_fail: test }`,
        'id: z',
      ),
    )
    const { state } = await runFlow(yaml, {
      test({ visit }) {
        if (visit === 1) throw new Error('no')
        return null
      },
    })
    expect(endings(state)).toBe('test:completed repair:completed z:completed')
    expect(state).toMatchObject({ status: 'completed', error: null })
  })
})

test('a condition is not judged again after its decision is durable', async () => {
  const files = createVirtualFiles()
  const bench = engineBench(files)
  const yaml = steps('id: a, depends_on: []', 'id: b, depends_on: [a], join: any', 'id: c, depends_on: [b]')
  const hanging = agentsOf({ b: async ({ clock }) => (await clock.sleep(Infinity), null) }, [])
  const life = bench.life(hanging)
  await life.start(workflowFromText(yaml, 'flow.yaml'))
  await life.tick()
  await life.tick()
  expect(bench.events.at(-1)).toMatchObject({ kind: 'step_start', step: 'b', takes: ['a'] })
  const next = bench.life(agentsOf({}, []))
  await next.incarnation.recover({ takeOver: true })
  await next.runThroughTime()
  const starts = bench.events.filter((event) => event.kind === 'step_start' && event.step === 'b')
  expect(starts).toMatchObject([
    { attempt: 1, takes: ['a'] },
    { attempt: 2, takes: ['a'] },
  ])
})
