import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred, messageOf } from '../../../src/core/index.ts'
import type { AgentStep } from '../../../src/engine/index.ts'
import type { Agent, AgentContext } from '../../../src/ports/index.ts'
import type { StateDocument } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'
import type { EngineBench } from '../../support/engine-run.ts'

interface Ran {
  readonly state: StateDocument
  readonly bench: EngineBench
}

/** Runs one step, or the given ones. */
async function run(
  worker: Agent,
  step: Partial<AgentStep> = {},
  more: readonly AgentStep[] = [],
): Promise<Ran> {
  const bench = engineBench(
    createVirtualFiles({ 'src/app.js': 'code', 'src/lib/util.js': 'more', 'README.md': '#' }),
  )
  const life = bench.life({ worker })
  await life.start({ id: 'flow', steps: [{ id: 'work', agent: 'worker', ...step }, ...more] })
  await life.runThroughTime()
  return { state: life.incarnation.state(), bench }
}

/** What an agent finds when it uses its context; a refusal counts as its message. */
async function found<T>(
  use: (context: AgentContext) => Promise<T>,
  step: Partial<AgentStep> = {},
): Promise<T | string> {
  let result: T | string = 'the agent was not called'
  await run(async (context) => {
    result = await use(context).catch(messageOf)
  }, step)
  return result
}

describe('the artifacts of a context', () => {
  test('are listed with those of the project, sorted, without the state folder', async () => {
    const lists = await found(async ({ artifacts }) => {
      await artifacts.write('src/new.js', 'new')
      await artifacts.write('dist/out.js', 'out')
      return Promise.all(
        [undefined, '.', 'src', 'src/', 'src/lib', 'nowhere'].map((folder) => artifacts.list(folder)),
      )
    })
    const all = ['README.md', 'dist/out.js', 'src/app.js', 'src/lib/util.js', 'src/new.js']
    const inSrc = all.slice(2)
    expect(lists).toEqual([all, all, inSrc, inSrc, ['src/lib/util.js'], []])
  })

  test('are read as this attempt has written them, otherwise as they are in the project', async () => {
    const texts = await found(async ({ artifacts }) => {
      const before = await artifacts.readText('src/app.js')
      await artifacts.write('src/app.js', 'changed')
      await artifacts.write('src/app.js', new TextEncoder().encode('changed again'))
      return [before, await artifacts.readText('src/app.js'), (await artifacts.read('README.md')).length]
    })
    expect(texts).toEqual(['code', 'changed again', 1])
  })

  test('are read into bytes that the agent may write to: the file stays as it is', async () => {
    const { bench } = await run(async ({ artifacts }) => {
      const bytes = await artifacts.read('README.md')
      bytes[0] = 0
    })
    const bytes = await bench.files.perform({ op: 'read', path: 'README.md' })
    expect(bytes).toEqual(new TextEncoder().encode('#'))
  })

  test('appear in the project only when the step has ended well', async () => {
    const { bench } = await run(async ({ artifacts }) => {
      await artifacts.write('half.txt', 'half')
      throw new Error('model overloaded')
    })
    expect(await bench.files.perform({ op: 'read', path: 'half.txt' })).toBeUndefined()
    const { state } = await run(({ artifacts }) => artifacts.write('whole.txt', 'übel'))
    expect(state.artifacts).toMatchObject([{ path: 'whole.txt', sizeBytes: 5, producedBy: 'work' }])
  })

  test.each([
    [
      'a file that is not there',
      'read',
      'nowhere.txt',
      `Step 'work' reads 'nowhere.txt', and there is no such file.`,
    ],
    [
      'the state folder',
      'write',
      '.workflow',
      `An artifact cannot lie in '.workflow', which belongs to the engine: '.workflow'.`,
    ],
    [
      'a file in the state folder',
      'read',
      '.workflow/last.json',
      `An artifact cannot lie in '.workflow', which belongs`,
    ],
    ['a file outside of the project', 'write', '../x', `The artifact path '../x' leaves its folder`],
    ['a folder outside of the project', 'list', '../x', `The folder '../x' leaves its folder`],
  ] as const)('refuse %s', async (_, method, path, why) => {
    expect(await found<unknown>(({ artifacts }) => artifacts[method](path, ''))).toContain(why)
  })
})

describe('a context', () => {
  test('knows its step, what it declares and what was returned before it', async () => {
    const seen: AgentContext[] = []
    await run(
      (context) => {
        seen.push(context)
        return { by: context.step }
      },
      {
        action: 'draft',
        parameters: { tone: 'dry' },
        requires: ['README.md'],
        scoring: { thresholds: { overall_min: 70 } },
      },
      [{ id: 'next', agent: 'worker', dependsOn: ['work'] }],
    )
    expect(seen).toMatchObject([
      {
        workflowId: 'flow',
        correlationId: 'test',
        step: 'work',
        visit: 1,
        attempt: 1,
        action: 'draft',
        parameters: { tone: 'dry' },
        requires: ['README.md'],
        thresholds: { overall: 70 },
        seed: 1,
        input: null,
      },
      { step: 'next', action: undefined, parameters: {}, requires: [], creates: [], thresholds: {} },
    ])
    expect(seen.map(({ outputs }) => outputs)).toEqual([{}, { work: { by: 'work' } }])
  })

  test('shows the outputs of the steps that have ended so far', async () => {
    const seen: unknown[] = []
    await run(
      ({ step, outputs }) => (seen.push(outputs), step === 'quiet' ? undefined : step),
      { dependsOn: [] },
      [
        { id: 'quiet', agent: 'worker', dependsOn: ['work'] },
        { id: 'last', agent: 'worker', dependsOn: ['quiet'] },
      ],
    )
    expect(seen).toEqual([{}, { work: 'work' }, { work: 'work' }])
  })

  test('gives all attempts of a visit one idempotency key and one stream of random numbers', async () => {
    const used: unknown[] = []
    await run(
      async ({ visit, attempt, idempotencyKey, effect, random }) => {
        used.push([
          visit,
          attempt,
          await effect('mail', (key) => key === idempotencyKey),
          idempotencyKey,
          random.integer(1e9),
        ])
        if (attempt === 1) throw new Error('model overloaded')
        return { visit }
      },
      { retries: 1, gate: { condition: 'output.visit == 2', onFail: 'work' } },
    )
    const [first, retry, second] = used as [unknown[], unknown[], unknown[]]
    expect(used.map((each) => (each as unknown[]).slice(0, 3))).toEqual([
      [1, 1, true],
      [1, 2, true],
      [2, 1, true],
      [2, 2, true],
    ])
    expect(retry.slice(3)).toEqual(first.slice(3))
    expect(first[3]).toMatch(/^flow-[0-9a-f]{8}\/work#1$/)
    expect([second[3] === first[3], second[4] === first[4]]).toEqual([false, false])
  })

  test('passes on what the agent says, with where it was said', async () => {
    const { bench } = await run(({ log }) => log('half way'))
    expect(bench.logs).toMatchObject([
      {
        level: 'info',
        message: 'half way',
        workflowId: 'flow',
        correlationId: 'test',
        step: 'work',
        visit: 1,
        attempt: 1,
      },
    ])
  })

  test('refuses everything once its attempt has ended, and says nothing more', async () => {
    const contexts: AgentContext[] = []
    const { bench, state } = await run((context) => void contexts.push(context))
    const { artifacts, clock, effect, log } = contexts[0] as AgentContext
    const ended = 'Attempt work#1@1 has ended; what it does now is not recorded.'
    for (const use of [
      () => artifacts.write('late.txt', ''),
      () => artifacts.read('README.md'),
      () => artifacts.readText('README.md'),
      () => artifacts.list(),
      () => effect('mail', () => 'sent'),
      async () => clock.sleep(1),
    ]) {
      await expect(use()).rejects.toThrow(ended)
    }
    log('too late')
    expect([bench.logs, state.status]).toEqual([[], 'completed'])
  })

  test('sleeps on the clock of the run, to the millisecond', async () => {
    const slept = await found(async ({ clock }) => {
      const before = clock.now()
      await clock.sleep(250)
      await clock.sleep(0)
      return clock.now() - before
    })
    expect(slept).toBe(250)
  })

  test('wakes a sleeper when the attempt is aborted, leaves no wake behind, and shows why to who looks later', async () => {
    const seen: unknown[] = []
    const { bench } = await run(
      async (context) => {
        const { clock } = context
        await Promise.all(
          [10_000, Infinity].map((ms) =>
            clock.sleep(ms).catch((reason: unknown) => seen.push(messageOf(reason))),
          ),
        )
        seen.push(context.signal.aborted, messageOf(context.signal.reason))
      },
      { timeoutMs: 100 },
      [{ id: 'never', agent: 'worker', dependsOn: ['work'] }],
    )
    await new Promise((resolve) => setImmediate(resolve))
    const reason = `Step 'work' (attempt 1) exceeded its limit of 100 ms.`
    expect(seen).toEqual([reason, reason, true, reason])
    expect(bench.clock.pending).toBe(0)
  })

  test('has a signal that is aborted already for who first looks after the abort', async () => {
    const signals: AbortSignal[] = []
    const contexts: AgentContext[] = []
    await run((context) => (contexts.push(context), new Promise(() => {})), { timeoutMs: 100 })
    for (const { signal } of contexts) signals.push(signal)
    expect(signals.map(({ aborted, reason }) => [aborted, messageOf(reason)])).toEqual([
      [true, `Step 'work' (attempt 1) exceeded its limit of 100 ms.`],
    ])
  })
})

describe('what an agent answers', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic

  test.each([
    ['nothing', undefined, null],
    ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['keys without a value', { kept: 1, dropped: undefined }, { kept: 1 }],
  ])('is kept as JSON keeps it: %s', async (_, answer, output) => {
    const { state } = await run(() => answer as never)
    expect([state.status, state.steps['work']?.output]).toEqual(['completed', output])
  })

  test.each([
    ['a function', () => 1],
    ['a big integer', { count: 1n }],
    ['something that contains itself', cyclic],
  ])('fails the step when JSON cannot keep it: %s', async (_, answer) => {
    const { state } = await run(() => answer as never, { retries: 3 })
    expect(state.error).toEqual({
      kind: 'validation',
      message: `Step 'work': agent 'worker' returned something that is not JSON.`,
      step: 'work',
    })
    expect(state.steps['work']?.attempt).toBe(1)
  })

  test.each([
    ['an error', new TypeError('x is not a function'), { message: 'x is not a function', name: 'TypeError' }],
    ['a text', 'out of tokens', { message: 'out of tokens' }],
  ])('fails the step with what was thrown: %s', async (_, thrown, error) => {
    const answer = deferred<never>()
    answer.reject(thrown)
    const { state } = await run(() => answer.promise)
    expect(state.error).toEqual({ kind: 'exception', step: 'work', ...error })
  })

  test('is not enough when a declared file is missing; a folder asks for any file in it', async () => {
    const creates = ['report.md', 'site/']
    const { state } = await run(({ artifacts }) => artifacts.write('site/index.html', ''), { creates })
    expect(state.error).toEqual({
      kind: 'missing-artifact',
      message:
        `Step 'work' ended without 'report.md', which it declares in 'creates'. Agent 'worker' must write it with ` +
        `context.artifacts.write.`,
      step: 'work',
    })
    const whole = await run(
      async ({ artifacts }) => {
        await artifacts.write('site/index.html', '')
        await artifacts.write('report.md', '')
      },
      { creates },
    )
    expect(whole.state.status).toBe('completed')
  })

  test.each([
    [{ scores: { overall: 70, tone: 6.5 } }, true, { overall: 70, tone: 6.5 }],
    [{ scores: { overall: 69.9, tone: 9 } }, false, { overall: 69.9, tone: 9 }],
    [{ scores: { overall: 90 } }, false, { overall: 90 }],
    [{ scores: { overall: '90', tone: 9 } }, false, { tone: 9 }],
    [{ scores: 'good' }, false, {}],
    ['good', false, {}],
  ])('is scored: %j reaches the thresholds: %s', async (answer, passed, scores) => {
    const { state } = await run(() => answer, {
      scoring: { thresholds: { overall_min: 70, tone_min: 6.5 } },
    })
    expect(state.steps['work']?.scoring).toEqual({ passed, scores })
  })
})

test('what an agent says about its failure is kept to a page, and says how long it was', async () => {
  const bench = engineBench(createVirtualFiles())
  const life = bench.life({
    talker: () => {
      throw new Error('x'.repeat(1_000_000))
    },
  })
  await life.start({ id: 'long', steps: [{ id: 'only', agent: 'talker' }] })
  await life.runToEnd()
  const { error } = life.incarnation.state().steps['only'] ?? {}
  expect(error?.message).toBe(`${'x'.repeat(8_192)} ... (1000000 characters in all)`)
})
