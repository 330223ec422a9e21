import { describe, expect, test, vi } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { deferred } from '../../../../src/core/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import {
  createProject,
  mergeSweepReports,
  sweepFaults,
  sweepReportJson,
} from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import { AgentMemory } from '../../../../src/harness/sweep/memoised-agents.ts'
import type { AgentMemoryOptions } from '../../../../src/harness/sweep/memoised-agents.ts'
import type {
  Agent,
  AgentCall,
  AgentContext,
  AgentOutput,
  Agents,
  ArtifactsContext,
} from '../../../../src/ports/index.ts'
import { agentPort } from '../../../../src/harness/prepare-session.ts'
import { chainOfSix, reviewLoop, sweptAgents } from '../../../support/swept-workflows.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const chain: AgentWorkflow = { ...chainOfSix, steps: chainOfSix.steps.slice(0, 3) }

const two = (agent: string, more: Partial<AgentWorkflow['steps'][number]> = {}): AgentWorkflow => ({
  id: 'two',
  steps: [
    { id: 'one', agent, creates: ['out/one.txt'], ...more },
    { id: 'two', agent: 'writer', creates: ['out/two.txt'] },
  ],
})

const branches = ['a', 'b', 'c'].map((id) => ({
  id,
  agent: id === 'b' ? 'thinker' : 'writer',
  requires: [],
  creates: [`out/${id}.txt`],
}))

const fan: AgentWorkflow = {
  id: 'fan',
  steps: [
    ...branches,
    {
      id: 'join',
      agent: 'joiner',
      requires: branches.flatMap(({ creates }) => creates),
      creates: ['out/joined.txt', 'out/length.txt'],
    },
  ],
}

/** All that can go on without help from outside has gone on. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await Promise.resolve()
}

const beside: AgentWorkflow = {
  id: 'beside',
  steps: [
    { id: 'model', agent: 'model', requires: [], creates: ['out/model.txt'] },
    { id: 'slow', agent: 'slow', requires: [], creates: ['out/slow.txt'] },
  ],
}

const agents: Agents = {
  ...sweptAgents,
  /** Thinks longer than the others, and does nothing meanwhile that could be seen. */
  async thinker({ step, artifacts }) {
    await ticks(7)
    await artifacts.write(`out/${step}.txt`, 'a thought')
    return 'thought'
  },
  async joiner({ artifacts, requires }) {
    const parts = await Promise.all(requires.map(async (path) => artifacts.readText(path)))
    const text = parts.join('')
    await Promise.all([
      artifacts.write('out/joined.txt', text),
      artifacts.write('out/length.txt', String(text.length)),
    ])
    return { length: text.length }
  },
  async flaky({ attempt, artifacts, step }) {
    if (attempt === 1) throw new Error('not yet')
    await artifacts.write(`out/${step}.txt`, 'there')
    return null
  },
  async sender({ effect, artifacts, step, log }) {
    const receipt = await effect('mail', async () => Promise.resolve({ sent: true }))
    log('it is sent')
    await artifacts.write(`out/${step}.txt`, JSON.stringify(receipt))
    return null
  },
  async sleeper({ clock, artifacts, step, signal }) {
    const begun = clock.now()
    await clock.sleep(4_000)
    await clock.sleep(4_000)
    if (signal.aborted) throw signal.reason
    await artifacts.write(`out/${step}.txt`, clock.now() > begun ? 'later' : 'never')
    return null
  },
  /** Waits for the machine, as a model would. */
  async model({ clock, artifacts, step }) {
    for (const _time of [1, 2, 3]) await turn()
    await clock.sleep(20_000)
    await artifacts.write(`out/${step}.txt`, 'from a model')
    return null
  },
  async slow({ clock, artifacts, step }) {
    await clock.sleep(1_000)
    await artifacts.write(`out/${step}.txt`, 'slowly')
    return null
  },
  async late({ attempt, clock, artifacts, step }) {
    await clock.sleep(attempt === 1 ? 20_000 : 1_000)
    await artifacts.write(`out/${step}.txt`, 'at last')
    return null
  },
}

interface Swept {
  readonly report: SweepReport
  /** How often the bodies of agents were entered. */
  readonly entered: number
}

async function sweep(
  workflow: AgentWorkflow,
  options: SweepOptions = {},
  of: Agents = agents,
): Promise<Swept> {
  let entered = 0
  const counted = Object.entries(of).map(([name, agent]): [string, Agent] => [
    name,
    (context) => {
      entered++
      return agent(context)
    },
  ])
  const report = await sweepFaults(defineWorkflow(workflow), {
    project: await createProject({ storage: 'memory' }),
    agents: Object.fromEntries(counted),
    ...options,
  })
  return { report, entered }
}

describe.each<[string, AgentWorkflow]>([
  ['a chain', chain],
  ['branches, and calls side by side in one agent', fan],
  ['a loop', reviewLoop],
  ['retries after errors of an agent', two('flaky', { retries: 2, retryDelayMs: 10 })],
  ['an effect', two('sender')],
  ['an agent that sleeps', two('sleeper', { timeout: '10s' })],
  ['an agent that sleeps too long, once', two('late', { timeout: '10s', retries: 1 })],
])('a sweep of %s that remembers agents', (_name, workflow) => {
  test('says the same as one that calls them, and calls them for one in twenty', async () => {
    const plain = await sweep(workflow, { minimise: false })
    const { report, entered } = await sweep(workflow, { minimise: false, rememberAgents: true })
    const { agentCalls, ...rest } = report
    expect(plain.report.agentCalls).toBeUndefined()
    expect(sweepReportJson(rest)).toBe(sweepReportJson(plain.report))
    const { made = 0, remembered = 0, audited = 0 } = agentCalls ?? {}
    expect(made + remembered).toBe(plain.entered)
    // Runs in which a finding is confirmed are no part of the count.
    expect(entered - made).toBeLessThanOrEqual(20 * report.findings.length)
    expect(entered).toBeLessThan(plain.entered / 2)
    expect(audited).toBeGreaterThan((audited + remembered) / 40)
    expect(audited).toBeLessThan((audited + remembered) / 10)
  })
})

test('what looks wrong because an agent is called late is not found', async () => {
  const options: SweepOptions = { families: ['disk'], minimise: false }
  const plain = await sweep(beside, options)
  const { report, entered } = await sweep(beside, { ...options, rememberAgents: true })
  const { agentCalls, ...rest } = report
  expect(sweepReportJson(rest)).toBe(sweepReportJson(plain.report))
  expect(rest.findings).toEqual([])
  // Something has looked wrong.
  expect(entered).toBeGreaterThan(agentCalls?.made ?? Infinity)
})

test('a sweep that remembers agents says the same bytes each time, and its shares add up', async () => {
  const options = { rememberAgents: true, families: ['crash', 'agent'] } as const
  const [first, second] = [await sweep(chain, options), await sweep(chain, options)]
  expect(sweepReportJson(second.report)).toBe(sweepReportJson(first.report))
  const shares = [
    await sweep(chain, { ...options, shard: { index: 1, of: 2 } }),
    await sweep(chain, { ...options, shard: { index: 2, of: 2 } }),
  ]
  const sum = (name: 'made' | 'remembered' | 'audited'): number =>
    shares.reduce((total, { report }) => total + (report.agentCalls?.[name] ?? 0), 0)
  expect(mergeSweepReports(shares.map(({ report }) => report)).agentCalls).toEqual({
    made: shares.reduce((total, { entered }) => total + entered, 0),
    remembered: sum('remembered'),
    audited: sum('audited'),
  })
  expect(sum('remembered')).toBeGreaterThan(0)
})

test('a sweep that goes on from another one counts the calls of both', async () => {
  const options = { rememberAgents: true, families: ['crash'] } as const
  let points = 0
  const begun = await sweep(chain, { ...options, afterPoint: () => (++points === 10 ? 'stop' : undefined) })
  const whole = await sweep(chain, { ...options, continues: begun.report })
  expect(whole.report.complete).toBe(true)
  expect(whole.report.agentCalls?.made).toBe(begun.entered + whole.entered)
})

describe('an agent that does otherwise when it is told the same', () => {
  const counting = (): Agents => {
    let calls = 0
    return {
      ...agents,
      async counter({ step, artifacts }) {
        calls++
        await artifacts.write(`out/${step}.txt`, calls > 15 ? 'worn out' : 'fresh')
        return null
      },
    }
  }
  const options: SweepOptions = { families: ['crash', 'disk'], minimise: false }

  test('is found by an audit, named with its step and what it did, and called from then on', async () => {
    const { report, entered } = await sweep(
      { ...two('counter'), id: 'worn' },
      { ...options, rememberAgents: true },
      counting(),
    )
    const sentences = report.findings.flatMap(({ violations }) =>
      violations.filter(({ invariant }) => invariant === 'O18').map(({ sentence }) => sentence),
    )
    expect(sentences).toEqual([
      `Agent 'counter' of step 'one' (visit 1, attempt 1) was told the same as before, and called artifacts.write("out/one.txt", "worn out") ` +
        `where it had called artifacts.write("out/one.txt", "fresh"). It is not deterministic, and called every time from here on. ` +
        `No agent uses Date, Math.random, crypto or timers, so the likely source is state that a module keeps from one run to the next. ` +
        `Agents have context.clock and context.random.`,
    ])
    // From there on it is found as it is without memory.
    expect(report.findings.length).toBeGreaterThan(1)
    expect(entered).toBeGreaterThan(60)
  })

  test('is found where Date is what it depends on, which is named', async () => {
    let day = 0
    const real = Date.now
    const dated: Agents = {
      ...agents,
      async dated({ step, artifacts }) {
        await artifacts.write(`out/${step}.txt`, String(Date.now()))
        return null
      },
    }
    vi.spyOn(Date, 'now').mockImplementation(() => (++day > 15 ? real() : 0))
    try {
      const { report } = await sweep(two('dated'), { ...options, rememberAgents: true }, dated)
      expect(report.findings.flatMap(({ violations }) => violations)).toContainEqual({
        invariant: 'O18',
        sentence: expect.stringContaining(`Likely source: the agent of step 'one' uses Date.now.`) as string,
      })
    } finally {
      vi.restoreAllMocks()
    }
  })
})

/** A context of which the test says what it answers, and what was asked of it. */
interface Stage {
  readonly asked: string[]
  readonly abort: AbortController
  readonly call: AgentCall
}

interface Answers {
  readonly write?: (path: string) => Promise<void>
  readonly readText?: (path: string) => Promise<string>
  readonly sleep?: (signal: AbortSignal) => Promise<void>
}

function stage(answers: Answers = {}, told: Partial<AgentContext> = {}): Stage {
  const asked: string[] = []
  const abort = new AbortController()
  const note = async <T>(what: string, answer: () => Promise<T> | T): Promise<T> => {
    asked.push(what)
    return answer()
  }
  const context: Partial<AgentContext> = {
    workflowId: 'w',
    runId: 'r',
    correlationId: 'c',
    step: 's',
    agent: 'worker',
    visit: 1,
    attempt: 1,
    input: null,
    outputs: {},
    project: { folder: undefined },
    signal: abort.signal,
    artifacts: {
      write: (path) => note(`write ${path}`, () => answers.write?.(path)),
      readText: (path) => note(`read ${path}`, () => answers.readText?.(path) ?? ''),
    } as Partial<ArtifactsContext> as ArtifactsContext,
    clock: { now: () => 0, sleep: () => note('sleep', () => answers.sleep?.(abort.signal)) },
    effect: (name, run) => note(`effect ${name}`, () => run('key')),
    log: (message) => asked.push(`log ${message}`),
    http: { request: () => note('request', () => Promise.reject(new Error('no shop'))) },
    ...told,
  }
  const aborted = (): boolean => abort.signal.aborted
  const call = { context: context as AgentContext, aborted, attemptDeadline: 1, workflowDeadline: undefined }
  return { asked, abort, call }
}

interface Remembering {
  readonly memory: AgentMemory
  /** How often the agent was entered. */
  readonly entered: () => number
  readonly invoke: (on: Stage) => Promise<AgentOutput>
}

function remembering(agent: Agent, most?: AgentMemoryOptions['most']): Remembering {
  let entered = 0
  const worker: Agent = (context) => {
    entered++
    return agent(context)
  }
  const memory = new AgentMemory({
    agents: agentPort({ worker }),
    digest: createDigest(),
    seed: 1,
    ...(most === undefined ? {} : { most }),
  })
  return { memory, entered: () => entered, invoke: ({ call }) => memory.port.invoke(call) }
}

const failing = (path: string) => (written: string) =>
  written === path ? Promise.reject(new Error('disk full')) : Promise.resolve()

/** Settles with the reason of the signal. */
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

describe('a remembered agent', () => {
  test('is not entered: what it asked is asked in its place, and its answer given', async () => {
    let mails = 0
    const { entered, invoke, memory } = remembering(async ({ effect, artifacts, log }) => {
      const number = await effect('mail', () => ++mails)
      log('sent')
      await artifacts.write('a', await artifacts.readText('b'))
      return { number }
    })
    const [first, second] = [stage(), stage()]
    expect(await invoke(first)).toEqual({ number: 1 })
    expect(await invoke(second)).toEqual({ number: 1 })
    expect(second.asked).toEqual(['effect mail', 'log sent', 'read b', 'write a'])
    expect([entered(), mails, memory.calls]).toEqual([1, 1, { made: 1, remembered: 1, audited: 0 }])
  })

  test('fails as it had', async () => {
    const thrown = new TypeError('no model')
    const { entered, invoke } = remembering(() => Promise.reject(thrown))
    await expect(invoke(stage())).rejects.toBe(thrown)
    await expect(invoke(stage())).rejects.toBe(thrown)
    expect(entered()).toBe(1)
  })

  test('asks side by side what it had asked side by side', async () => {
    const both = (): ((path: string) => Promise<void>) => {
      const [one, other] = [deferred<void>(), deferred<void>()]
      return (path) => {
        const [own, awaited] = path === 'a' ? [one, other] : [other, one]
        own.resolve()
        return awaited.promise
      }
    }
    const { entered, invoke } = remembering(async ({ artifacts }) => {
      await Promise.all([artifacts.write('a', ''), artifacts.write('b', '')])
      await artifacts.write('c', '')
    })
    const second = stage({ write: async (path) => (path === 'c' ? undefined : waitForBoth(path)) })
    const waitForBoth = both()
    await invoke(stage())
    await invoke(second)
    expect(second.asked).toEqual(['write a', 'write b', 'write c'])
    expect(entered()).toBe(1)
  })

  test.each<[string, Partial<AgentContext>]>([
    ['workflow', { workflowId: 'other' }],
    ['run', { runId: 'other' }],
    ['correlation id', { correlationId: 'other' }],
    ['step', { step: 'other' }],
    ['action', { action: 'other' }],
    ['idempotency key', { idempotencyKey: 'other' }],
    ['required files', { requires: ['other'] }],
    ['created files', { creates: ['other'] }],
    ['thresholds', { thresholds: { overall: 1 } }],
    ['input', { input: 'other' }],
    ['outputs', { outputs: { before: 1 } }],
    ['parameters', { parameters: { size: 2 } }],
    ['attempt', { attempt: 2 }],
    ['visit', { visit: 2 }],
    ['seed', { seed: 5 }],
    ['undoing', { undoing: true }],
    ['service', { service: { name: 'shop', settings: {} } }],
  ])('is entered when its %s is another one', async (_what, told) => {
    const { entered, invoke } = remembering(() => null)
    await invoke(stage())
    await invoke(stage({}, told))
    expect(entered()).toBe(2)
  })

  test.each<[string, Agent, Partial<AgentContext>]>([
    [
      'makes requests',
      ({ http }) => http.request({ url: 'http://shop.test', method: 'GET' }).catch(() => null) as never,
      {},
    ],
    [
      'asks on behalf of an effect',
      ({ effect, artifacts }) => effect('e', () => artifacts.write('a', '')),
      {},
    ],
    ['answers no plain data', () => new Map() as never, {}],
    ['has an effect with no plain data', ({ effect }) => effect('e', () => new Map()).then(() => null), {}],
    ['works on a real folder', () => null, { project: { folder: '/tmp' } }],
  ])('is entered every time if it %s', async (_what, agent, told) => {
    const { entered, invoke, memory } = remembering(agent)
    for (const _time of [1, 2, 3]) await invoke(stage({}, told))
    expect([entered(), memory.calls]).toEqual([3, { made: 3, remembered: 0, audited: 0 }])
  })

  test('is not remembered beyond what fits', async () => {
    const writer: Agent = ({ artifacts }) => artifacts.write('a', 'x'.repeat(2_000))
    const few = remembering(writer, { traces: 1, bytes: 1_000_000 })
    const small = remembering(writer, { traces: 1_000, bytes: 2_000 })
    for (const input of [1, 2, 1, 2]) {
      await few.invoke(stage({}, { input }))
      await small.invoke(stage({}, { input }))
    }
    expect([few.entered(), small.entered()]).toEqual([3, 4])
  })

  test('is not remembered by a call that was aborted', async () => {
    const { invoke } = remembering(({ signal }) => signal.aborted)
    const first = stage()
    first.abort.abort(new Error('time is up'))
    expect(await invoke(first)).toBe(true)
    expect(await invoke(stage())).toBe(false)
  })
})

describe('a remembered agent that is answered otherwise', () => {
  const careful: Agent = async ({ effect, artifacts }) => {
    const receipt = await effect('mail', () => mailed.push('mail'))
    await Promise.all([artifacts.write('a', ''), artifacts.write('b', '')])
    try {
      await artifacts.write('c', String(receipt))
    } catch {
      await artifacts.write('d', String(receipt))
      return { wrote: 'd', receipt }
    }
    return { wrote: 'c', receipt }
  }
  const mailed: string[] = []

  test('is entered and lives on from there; no write and no effect is doubled', async () => {
    const { entered, invoke, memory } = remembering(careful)
    await invoke(stage())
    mailed.length = 0
    const second = stage({ write: failing('c') })
    expect(await invoke(second)).toEqual({ wrote: 'd', receipt: 1 })
    expect(second.asked).toEqual(['effect mail', 'write a', 'write b', 'write c', 'write d'])
    expect([entered(), mailed, memory.takeOtherDeeds()]).toEqual([2, [], []])
    expect(memory.calls).toEqual({ made: 2, remembered: 0, audited: 0 })
    // It has done nothing wrong, and stays remembered.
    await invoke(stage())
    expect(entered()).toBe(2)
  })

  test('is entered when a file says something else', async () => {
    const { invoke } = remembering(async ({ artifacts }) => artifacts.readText('a'))
    await invoke(stage())
    expect(await invoke(stage({ readText: async () => 'new' }))).toBe('new')
  })

  test('hears answers in the order in which they come', async () => {
    const { invoke, entered } = remembering(async ({ artifacts }) =>
      Promise.race([
        artifacts.readText('a').then(() => 'a first'),
        artifacts.readText('b').then(() => 'b first'),
      ]),
    )
    const late = (path: string) => async (read: string) => {
      if (read === path) await ticks(20)
      return ''
    }
    expect(await invoke(stage({ readText: late('b') }))).toBe('a first')
    expect(await invoke(stage({ readText: late('a') }))).toBe('b first')
    expect(entered()).toBe(2)
  })

  test('sees its signal abort where it waits, and not before', async () => {
    const { invoke, entered, memory } = remembering(async ({ signal, artifacts, clock }) => {
      let heard = 'nothing'
      signal.addEventListener('abort', () => (heard = 'the abort'))
      await artifacts.write('a', String(signal.aborted))
      await clock.sleep(1).catch(() => undefined)
      return [heard, signal.aborted]
    })
    expect(await invoke(stage())).toEqual(['nothing', false])
    const second = stage({ sleep: untilAborted })
    const answered = invoke(second)
    await turn()
    second.abort.abort(new Error('time is up'))
    expect(await answered).toEqual(['the abort', true])
    expect(second.asked).toEqual(['write a', 'sleep'])
    expect([entered(), memory.takeOtherDeeds()]).toEqual([2, []])
  })

  test('hears its signal while it waits for something else', async () => {
    const never = new Promise<string>(() => {})
    const { invoke } = remembering(({ signal, artifacts }) =>
      Promise.race([
        artifacts.readText('a'),
        new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('stopped'))),
      ]),
    )
    expect(await invoke(stage())).toBe('')
    const second = stage({ readText: () => never })
    const answered = invoke(second)
    await turn()
    second.abort.abort(new Error('time is up'))
    expect(await Promise.race([answered, turn()])).toBe('stopped')
    expect(second.asked).toEqual(['read a'])
  })

  test('answers its signal before anything else can happen', async () => {
    const reason = new Error('closed')
    const { invoke } = remembering(async ({ clock }) => clock.sleep(1))
    await invoke(stage())
    const second = stage({ sleep: untilAborted })
    const answered = invoke(second).catch((error: unknown) => error)
    await turn()
    second.abort.abort(reason)
    expect(await Promise.race([answered, turn()])).toBe(reason)
  })

  test('and asks otherwise on the way there is found, forgotten and called from then on', async () => {
    let calls = 0
    const { invoke, entered, memory } = remembering(async ({ artifacts }) => {
      await artifacts.write('a', '')
      await artifacts.write(calls++ === 0 ? 'b' : 'other', '')
      await artifacts.write('c', '')
      return null
    })
    await invoke(stage())
    await invoke(stage({ write: failing('c') })).catch(() => undefined)
    expect(memory.takeOtherDeeds()).toEqual([
      {
        agent: 'worker',
        step: 's',
        visit: 1,
        attempt: 1,
        did: 'called artifacts.write("other", "") where it had called artifacts.write("b", "")',
      },
    ])
    await invoke(stage())
    await invoke(stage())
    expect([entered(), memory.takeOtherDeeds()]).toEqual([4, []])
  })

  test.each<[string, () => Promise<string> | string, string]>([
    ['ends', () => 'done', 'answered "done"'],
    ['fails', () => Promise.reject(new Error('tired')), 'failed with "tired"'],
  ])('and %s on the way there is found as well', async (_what, instead, words) => {
    let calls = 0
    const { invoke, memory } = remembering(async ({ artifacts }): Promise<AgentOutput> => {
      if (calls++ > 0) return instead()
      await artifacts.write('a', '')
      return null
    })
    await invoke(stage())
    await invoke(stage({ write: failing('a') })).catch(() => undefined)
    expect(memory.takeOtherDeeds()).toMatchObject([
      { did: `${words} where it had called artifacts.write("a", "")` },
    ])
  })

  test('does not wait for ever for one answer because it no longer asks for another', async () => {
    let calls = 0
    const { invoke, memory } = remembering(async ({ artifacts }) => {
      const isFirst = calls++ === 0
      await Promise.all(['a', ...(isFirst ? ['b'] : [])].map((path) => artifacts.write(path, '')))
      return null
    })
    await invoke(stage())
    await invoke(stage({ write: failing('b') }))
    expect(memory.takeOtherDeeds()).toMatchObject([
      { did: 'answered null where it had called artifacts.write("b", "")' },
    ])
  })
})

test('what is looked at without memory is made every time, and who does otherwise then is not remembered', async () => {
  let calls = 0
  const { memory, entered, invoke } = remembering(({ log }) => log(`call ${calls++ % 2}`))
  memory.learn(true)
  for (const _time of [1, 2]) await invoke(stage())
  memory.learn(false)
  for (const _time of [1, 2]) await invoke(stage())
  expect([entered(), memory.takeOtherDeeds()]).toEqual([4, []])
})
