import { afterEach, describe, expect, test } from 'vitest'
import { deferred } from '../../../src/core/index.ts'
import { createReferenceDriver, defineWorkflow } from '../../../src/engine/index.ts'
import { DeadIncarnationError, Fence } from '../../../src/harness/fence.ts'
import { createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Agents, WorkflowSession } from '../../../src/harness/index.ts'
import type {
  AgentContext,
  DriverPorts,
  FilesPort,
  HttpCall,
  ProcessCall,
  ProcessPort,
} from '../../../src/ports/index.ts'

const open: WorkflowSession[] = []

afterEach(async () => {
  for (const session of open.splice(0)) await session.close()
})

const fork = defineWorkflow({
  id: 'fork',
  steps: [
    { id: 'quick', agent: 'quick', requires: [] },
    { id: 'slow', agent: 'slow', creates: ['out/slow.txt'] },
  ],
})

/** A run that stands after its quick step, while the slow one waits for `outside` and then goes on. */
async function standing(
  slow: (context: AgentContext) => Promise<unknown>,
): Promise<{ session: WorkflowSession; outside: { resolve(): void }; ports: DriverPorts }> {
  const outside = deferred<void>()
  const agents: Agents = {
    quick: () => null,
    slow: async (context) => {
      if (context.attempt > 1) return context.artifacts.write('out/slow.txt', 'second life')
      await outside.promise
      await slow(context)
      return null
    },
  }
  const reference = createReferenceDriver()
  const given: DriverPorts[] = []
  const session = await runWorkflowStepByStep(fork, {
    project: await createProject({ storage: 'memory' }),
    agents,
    driver: {
      ...reference,
      incarnate(ports) {
        given.push(ports)
        return reference.incarnate(ports)
      },
    },
  })
  open.push(session)
  expect(await session.next()).toEqual({ status: 'stopped', step: 'quick' })
  return { session, outside: { resolve: () => outside.resolve() }, ports: given[0] as DriverPorts }
}

/** Long enough for everything that can go on by itself: disk and clock are in memory. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** What has become of a promise by now. */
async function outcomeOf(promise: Promise<unknown>): Promise<'pending' | 'settled'> {
  let outcome: 'pending' | 'settled' = 'pending'
  const settled = (): void => void (outcome = 'settled')
  promise.then(settled, settled)
  await turns()
  return outcome
}

describe('while a session stands still', () => {
  test.each<[string, (context: AgentContext) => Promise<unknown>]>([
    ['writes no file', ({ artifacts }) => artifacts.write('out/slow.txt', 'x')],
    ['reads no file', ({ artifacts }) => artifacts.read('given.txt')],
    ['lists no folder', ({ artifacts }) => artifacts.list()],
    ['does not sleep', ({ clock }) => clock.sleep(1)],
    ['leaves no effect', ({ effect }) => effect('mail', () => null)],
  ])('an agent %s: the call waits for the next move', async (_what, call) => {
    const reached: string[] = []
    const { session, outside } = await standing(async (context) => {
      reached.push('before')
      await call(context)
      reached.push('after')
      await context.artifacts.write('out/slow.txt', 'x')
    })
    await session.project.write('given.txt', 'given')
    outside.resolve()
    await turns()
    await session.advance(5)
    await turns()
    expect(reached).toEqual(['before'])
    expect((await session.project.list({ all: true })).filter((path) => path.includes('slow'))).toEqual([])
    expect(session.world).toEqual([])
    expect(await session.next()).toEqual({ status: 'completed' })
    expect(reached).toEqual(['before', 'after'])
  })
})

describe('after a crash', () => {
  test('code of the dead life does nothing that anybody sees: no file, no effect, no log line', async () => {
    const reached: string[] = []
    const { session, outside } = await standing(async ({ artifacts, clock, effect, log }) => {
      log('from beyond')
      for (const call of [
        () => effect('mail', () => void reached.push('effect')),
        () => artifacts.write('out/slow.txt', 'after death'),
        () => artifacts.readText('given.txt'),
        () => clock.sleep(1),
      ])
        void call().then(() => reached.push('answered'))
    })
    await session.crash()
    outside.resolve()
    await turns()
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(reached).toEqual([])
    expect(session.world).toEqual([])
    expect(session.logs.map(({ message }) => message)).not.toContain('from beyond')
    expect(await session.project.readText('out/slow.txt')).toBe('second life')
    expect(session.afterDeath).toEqual([
      'effect.run:mail',
      'files.write:out/slow.txt',
      'files.read:given.txt',
      'clock.sleep',
    ])
  })

  test('the dead engine reaches neither disk nor clock, and is not woken', async () => {
    const { session, ports } = await standing(() => Promise.resolve())
    let woken = false
    ports.clock.schedule(ports.clock.now() + 10, () => (woken = true))
    await session.crash()
    const write = Promise.resolve(ports.files.perform({ op: 'write', path: 'ghost.txt', data: 'boo' }))
    expect(await outcomeOf(write)).toBe('pending')
    expect(() => ports.clock.now()).toThrow(DeadIncarnationError)
    expect(() => ports.clock.schedule(0, () => {})).toThrow(DeadIncarnationError)
    await session.advance(20)
    expect(woken).toBe(false)
    expect(await session.project.exists('ghost.txt')).toBe(false)
    expect(session.afterDeath).toEqual(['files.write:ghost.txt', 'clock.now', 'clock.schedule'])
  })
})

describe('the fence', () => {
  test('waits at a crash for what the disk is doing, whose answer then reaches nobody', async () => {
    const disk = deferred<undefined>()
    const fence = new Fence()
    const files = fence.files({ perform: () => disk.promise } as unknown as FilesPort)
    const answer = Promise.resolve(files.perform({ op: 'read', path: 'a' }))
    const drop = Promise.resolve(fence.drop())
    expect(await outcomeOf(drop)).toBe('pending')
    disk.resolve(undefined)
    await drop
    expect(await outcomeOf(answer)).toBe('pending')
    expect(fence.afterDeath).toEqual([])
  })

  test('lets errors of the disk through while alive', async () => {
    const fence = new Fence()
    const files = fence.files({ perform: () => Promise.reject(new Error('EIO')) })
    await expect(files.perform({ op: 'read', path: 'a' })).rejects.toThrow('EIO')
  })
})

describe('at the death of a life', () => {
  test('a request in flight is cut off, its answer reaches nobody, and no other is made', async () => {
    const fence = new Fence()
    const seen: HttpCall[] = []
    const answer = deferred<never>()
    const http = fence.http({
      request(call) {
        seen.push(call)
        call.signal.addEventListener('abort', () => answer.reject(new Error('cut off')))
        return answer.promise
      },
    })
    const { signal } = new AbortController()
    const by = { step: 's', visit: 1, attempt: 1 }
    const call: HttpCall = { method: 'GET', url: 'http://x/', target: 'GET x:/', by, signal }
    const first = http.request(call)
    await fence.drop()
    const second = http.request(call)
    expect(await Promise.all([first, second].map(outcomeOf))).toEqual(['pending', 'pending'])
    expect(seen.map((each) => each.signal.aborted)).toEqual([true])
    expect([signal.aborted, fence.afterDeath]).toEqual([false, ['http.request:GET x:/']])
  })

  test('a process that was held is abandoned; one that was let go runs on, and nobody ends it or hears of it', async () => {
    const fence = new Fence()
    const said: string[] = []
    const exits: ReturnType<typeof deferred<never>>[] = []
    const inner: ProcessPort = {
      async start({ command: [name = ''] }) {
        const exit = deferred<never>()
        exits.push(exit)
        return {
          group: { pid: 1, startTime: '0', bootId: 'b', host: 'h', mark: name },
          release: () => said.push(`release ${name}`),
          end: () => said.push(`end ${name}`),
          abandon: () => said.push(`abandon ${name}`),
          result: exit.promise,
        }
      },
      endGroup: async () => 'gone',
    }
    const processes = fence.processes(inner)
    const by = { step: 's', visit: 1, attempt: 1 }
    const command = (name: string): ProcessCall => ({ command: [name], by })
    const running = await processes.start(command('running'))
    const held = await processes.start(command('held'))
    running.release()
    await fence.drop()
    held.release()
    running.end()
    const { result } = running
    const late = processes.start(command('late'))
    const end = processes.endGroup(running.group)
    exits[0]?.reject(new Error('ended'))
    const outcomes = await Promise.all([result, late, end].map(outcomeOf))
    expect(said).toEqual(['release running', 'abandon held'])
    expect(outcomes).toEqual(['pending', 'pending', 'pending'])
    expect(fence.afterDeath).toEqual(['processes.release:held', 'processes.start:late', 'processes.endGroup'])
  })
})
