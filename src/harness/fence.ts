import { isPromise } from '../core/index.ts'
import type { ClockPort, FilesPort, HeldProcess, HttpPort, ProcessPort } from '../ports/index.ts'

/**
 * The border of one engine life. A crash drops it: from then on asynchronous port calls never settle, synchronous ones throw,
 * and each is recorded. Nothing is told to the code behind it: a dead process does not learn that it died.
 */
export interface Fence {
  readonly dead: boolean
  /** Port calls that were made after death. */
  readonly afterDeath: readonly string[]
  /** Drops the fence and waits until real operations that were already under way have ended. */
  drop(): Promise<void>
  /** Settles at once while alive, never after death. */
  pass(operation: string): Promise<void>
  files(inner: FilesPort): FilesPort
  clock(inner: ClockPort): ClockPort
  /** Connections of a dead process are closed. */
  http(inner: HttpPort): HttpPort
  /** What a dead process has let go runs on, as an orphan; what it held ends. */
  processes(inner: ProcessPort): ProcessPort
}

/** What a synchronous port call of a dead incarnation throws. */
export class DeadIncarnationError extends Error {
  override readonly name = 'DeadIncarnationError'
}

export function createFence(): Fence {
  let dead = false
  const afterDeath: string[] = []
  const underWay = new Set<Promise<unknown>>()
  const death = new AbortController()
  const held = new Set<HeldProcess>()
  const never = <T>(operation: string): Promise<T> => {
    afterDeath.push(operation)
    return new Promise<T>(() => {})
  }
  return {
    get dead() {
      return dead
    },
    afterDeath,
    async drop() {
      dead = true
      death.abort()
      for (const process of held) process.abandon()
      await Promise.allSettled(underWay)
    },
    pass: (operation) => (dead ? never(operation) : Promise.resolve()),
    files: (inner) => ({
      perform(operation) {
        if (dead) return never(`files.${operation.op}:${operation.path}`)
        const result = inner.perform(operation)
        if (!isPromise(result)) return result
        underWay.add(result)
        return relay(result)
      },
    }),
    clock: (inner) => ({
      now() {
        if (!dead) return inner.now()
        afterDeath.push('clock.now')
        throw new DeadIncarnationError('This engine life has ended.')
      },
      schedule(at, wake) {
        if (dead) {
          afterDeath.push('clock.schedule')
          throw new DeadIncarnationError('This engine life has ended.')
        }
        return inner.schedule(at, () => {
          if (!dead) wake()
        })
      },
    }),
    http: (inner) => ({
      request(call) {
        if (dead) return never(`http.request:${call.target}`)
        return relay(inner.request({ ...call, signal: AbortSignal.any([call.signal, death.signal]) }))
      },
    }),
    processes: (inner) => ({
      async start(call) {
        if (dead) return never(`processes.start:${call.command[0]}`)
        const process = await relay(inner.start(call))
        held.add(process)
        return {
          group: process.group,
          abandon: () => process.abandon(),
          result: relay(process.result),
          release() {
            if (dead) return void afterDeath.push(`processes.release:${call.command[0]}`)
            held.delete(process)
            process.release()
          },
          end() {
            if (!dead) process.end()
          },
        }
      },
      endGroup: (group) => (dead ? never('processes.endGroup') : relay(inner.endGroup(group))),
    }),
  }

  /** After a crash the answer of an operation that was under way reaches nobody. */
  async function relay<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } finally {
      underWay.delete(result)
      if (dead) await new Promise<never>(() => {})
    }
  }
}
