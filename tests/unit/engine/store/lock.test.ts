import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { interpret, isFaultlineError } from '../../../../src/core/index.ts'
import type { MaybePromise } from '../../../../src/core/index.ts'
import { runLayout, storeLayout } from '../../../../src/engine/store/layout.ts'
import { releaseLock, takeLock } from '../../../../src/engine/store/lock.ts'
import type { HeldLock } from '../../../../src/engine/store/lock.ts'
import type { FileProgram, OwnerIdentity, OwnerPort } from '../../../../src/ports/index.ts'

const layout = runLayout(storeLayout(), 'run-1')
const identity = (nonce: string): OwnerIdentity => ({ nonce, pid: 1, startTime: '1', bootId: 'b', host: 'h' })
const lockOf = (nonce: string): string => JSON.stringify({ owner: identity(nonce), runId: 'run-1', epoch: 1 })

/** One process that tries to take the lock, one file operation at a time. */
class Contender {
  state: 'trying' | 'holding' | 'refused' | 'done' | 'killed' = 'trying'
  readonly #owner: OwnerPort
  readonly #files: VirtualFiles
  #program: FileProgram<HeldLock | void>
  #lock: HeldLock | undefined
  #next: unknown

  constructor(nonce: string, alive: ReadonlySet<string>, files: VirtualFiles) {
    this.#owner = {
      self: identity(nonce),
      liveness: (other) => (alive.has(other.nonce) ? 'alive' : 'dead'),
    }
    this.#files = files
    this.#program = takeLock(layout, { runId: 'run-1', epoch: 2 }, this.#owner, false)
  }

  get over(): boolean {
    return this.state !== 'trying' && this.state !== 'holding'
  }

  /** Performs one operation; the program stands before the next one afterwards. A holder lets go. */
  step(): void {
    if (this.state === 'holding') this.#program = releaseLock(this.#lock as HeldLock)
    try {
      let moved = this.#program.next(this.#next)
      this.#next = undefined
      if (this.state === 'holding') {
        while (!moved.done) moved = this.#program.next(this.#files.perform(moved.value))
        this.state = 'done'
      } else if (moved.done) {
        this.#lock = moved.value as HeldLock
        this.state = 'holding'
      } else this.#next = this.#files.perform(moved.value)
    } catch (error) {
      if (!isFaultlineError(error, 'RUN_OWNED')) throw error
      this.state = 'refused'
    }
  }
}

const left = {
  nothing: {},
  'the lock of a dead process': { [layout.lock]: lockOf('dead') },
  'a lock that a power loss cut short': { [layout.lock]: '{"own' },
  'the lock of a dead process, and that of one which died while it replaced it': {
    [layout.lock]: lockOf('dead'),
    [`${layout.lock}.claim`]: lockOf('died-later'),
  },
} as const

interface Played {
  readonly contenders: readonly Contender[]
  readonly files: VirtualFiles
  /** The greatest number of processes that held the lock at once. */
  readonly mostHolders: number
}

/** Plays one interleaving: at each move, whose turn it is. When the moves run out, those that still try go on, then holders let go. */
function play(found: Record<string, string>, names: readonly string[], moves: readonly number[]): Played {
  const files = createVirtualFiles({ [`${layout.folder}/events.jsonl`]: '', ...found })
  const alive = new Set(names)
  const contenders = names.map((name) => new Contender(name, alive, files))
  let mostHolders = 0
  const turn = (contender: Contender | undefined): void => {
    if (contender === undefined || contender.over) return
    contender.step()
    mostHolders = Math.max(mostHolders, contenders.filter(({ state }) => state === 'holding').length)
  }
  for (const move of moves) turn(contenders[move])
  for (let rest = contenders; rest.length > 0; rest = contenders.filter(({ over }) => !over))
    turn(rest.find(({ state }) => state === 'trying') ?? rest[0])
  return { contenders, files, mostHolders }
}

/** Every way to interleave at most `longest` moves of two processes, up to which of the two is called the first. */
function* interleavings(longest: number): Generator<readonly number[]> {
  for (let bits = 0; bits < 2 ** (longest - 1); bits++)
    yield Array.from({ length: longest }, (_, move) => (bits >> move) & 1)
}

describe.each(Object.entries(left))('two processes find %s', (_, found) => {
  test('and in every order of their file operations at most one holds the lock at a time, and one does', () => {
    const wrong: string[] = []
    for (const moves of interleavings(15)) {
      const { contenders, files, mostHolders } = play(found, ['first', 'second'], moves)
      const ends = contenders.map(({ state }) => state)
      const names = files.perform({ op: 'list', path: layout.folder })?.map(({ name }) => name)
      if (mostHolders !== 1 || !ends.includes('done') || names?.join() !== 'events.jsonl')
        wrong.push(`${moves.join('')}: ${mostHolders} at once; ${ends.join()}; ${names?.join()} is left`)
    }
    expect(wrong).toEqual([])
  })

  test('and wherever the first of them is killed, the second gets the lock', () => {
    for (let killedAt = 0; killedAt < 20; killedAt++) {
      const files = createVirtualFiles({ [`${layout.folder}/events.jsonl`]: '', ...found })
      const alive = new Set(['first', 'second'])
      const first = new Contender('first', alive, files)
      for (let step = 0; step < killedAt && first.state === 'trying'; step++) first.step()
      alive.delete('first')
      const second = new Contender('second', alive, files)
      while (second.state === 'trying') second.step()
      expect(second.state, `killed before operation ${killedAt}`).toBe('holding')
    }
  })
})

test('a lock that was taken over is left alone by the one who held it before', () => {
  const files = createVirtualFiles({ [`${layout.folder}/events.jsonl`]: '' })
  const run = <T>(program: FileProgram<T>): MaybePromise<T> =>
    interpret(program, (operation) => files.perform(operation))
  const old: OwnerPort = { self: identity('old'), liveness: () => 'elsewhere' }
  const lock = run(takeLock(layout, { runId: 'run-1', epoch: 1 }, old, false)) as HeldLock
  files.perform({ op: 'write', path: layout.lock, data: lockOf('new') })
  void run(releaseLock(lock))
  expect(files.perform({ op: 'stat', path: layout.lock })).toBeDefined()
})
