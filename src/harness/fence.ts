import { isPromise } from '../core/index.ts'
import type { ClockPort, FilesPort, HeldProcess, HttpPort, ProcessPort } from '../ports/index.ts'

/**
 * The border of one engine life. A crash drops it: from then on asynchronous port calls never settle, synchronous ones throw,
 * and each is recorded. Nothing is told to the code behind it: a dead process does not learn that it died.
 */
export class Fence {
  /** Port calls that were made after death. */
  readonly afterDeath: string[] = []
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #held = new Set<HeldProcess>()
  #dead = false
  /** Made for the first request: most lives make none. */
  #death: AbortController | undefined

  get dead(): boolean {
    return this.#dead
  }

  /** Drops the fence; done once real operations that were already under way have ended. */
  drop(): Promise<unknown> | undefined {
    this.#dead = true
    this.#death?.abort()
    for (const process of this.#held) process.abandon()
    return this.#underWay.size > 0 ? Promise.allSettled(this.#underWay) : undefined
  }

  /** Settles at once while alive, never after death. */
  pass(operation: string): Promise<void> {
    return this.#dead ? this.#never(operation) : Promise.resolve()
  }

  files(inner: FilesPort): FilesPort {
    return {
      perform: (operation) => {
        if (this.#dead) return this.#never(`files.${operation.op}:${operation.path}`)
        const result = inner.perform(operation)
        if (!isPromise(result)) return result
        this.#underWay.add(result)
        return this.#relay(result)
      },
    }
  }

  clock(inner: ClockPort): ClockPort {
    return {
      now: () => {
        this.#assertAlive('clock.now')
        return inner.now()
      },
      schedule: (at, wake) => {
        this.#assertAlive('clock.schedule')
        return inner.schedule(at, () => {
          if (!this.#dead) wake()
        })
      },
    }
  }

  /** Connections of a dead process are closed. */
  http(inner: HttpPort): HttpPort {
    return {
      request: (call) => {
        if (this.#dead) return this.#never(`http.request:${call.target}`)
        this.#death ??= new AbortController()
        const signal = AbortSignal.any([call.signal, this.#death.signal])
        return this.#relay(inner.request({ ...call, signal }))
      },
    }
  }

  /** What a dead process has let go runs on, as an orphan; what it held ends. */
  processes(inner: ProcessPort): ProcessPort {
    return {
      start: async (call) => {
        const [program = ''] = call.command
        if (this.#dead) return this.#never(`processes.start:${program}`)
        const process = await this.#relay(inner.start(call))
        this.#held.add(process)
        return {
          group: process.group,
          abandon: () => process.abandon(),
          result: this.#relay(process.result),
          release: () => {
            if (this.#dead) return void this.afterDeath.push(`processes.release:${program}`)
            this.#held.delete(process)
            process.release()
          },
          end: () => {
            if (!this.#dead) process.end()
          },
        }
      },
      endGroup: (group) =>
        this.#dead ? this.#never('processes.endGroup') : this.#relay(inner.endGroup(group)),
    }
  }

  #never<T>(operation: string): Promise<T> {
    this.afterDeath.push(operation)
    return new Promise<T>(() => {})
  }

  #assertAlive(operation: string): void {
    if (!this.#dead) return
    this.afterDeath.push(operation)
    throw new DeadIncarnationError('This engine life has ended.')
  }

  /** After a crash the answer of an operation that was under way reaches nobody. */
  async #relay<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } finally {
      this.#underWay.delete(result)
      if (this.#dead) await new Promise<never>(() => {})
    }
  }
}

/** What a synchronous port call of a dead incarnation throws. */
export class DeadIncarnationError extends Error {
  override readonly name = 'DeadIncarnationError'
}
