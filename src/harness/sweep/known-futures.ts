import type { EndedLifeOf } from './life-options.ts'
import { haveSameEffects } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** Faults that leave the same world are neighbours: as many of the newest as one step has. */
const kept = 64

interface Future {
  readonly from: SweptWorld
  readonly ended: EndedLifeOf
}

/**
 * What became of worlds that faults have left, so that a world which reads like one of them need not be lived on again: what
 * happened after it is told of it, too, and what had happened before stays its own.
 */
export class KnownFutures {
  readonly #futures = new Map<string, Future>()

  /** @param key what the engine can tell of a world. */
  of(key: string, world: SweptWorld): EndedLifeOf | undefined {
    const future = this.#futures.get(key)
    if (future === undefined) return undefined
    const isLike = haveSameEffects(future.from, world) && happenedAsOften(future.from, world)
    return isLike ? after(world, future) : undefined
  }

  keep(key: string, from: SweptWorld, ended: EndedLifeOf): void {
    const [oldest] = this.#futures.keys()
    if (oldest !== undefined && this.#futures.size >= kept) this.#futures.delete(oldest)
    this.#futures.set(key, { from, ended })
  }
}

/** Later calls add to the count of an effect. */
function happenedAsOften({ effects }: SweptWorld, other: SweptWorld): boolean {
  return effects.every(({ count }, place) => other.effects[place]?.count === count)
}

function after(world: SweptWorld, { from, ended }: Future): EndedLifeOf {
  const { world: then } = ended
  return {
    ...ended,
    world: {
      ...then,
      lives: joined(world.lives, from.lives, then.lives),
      executions: joined(world.executions, from.executions, then.executions),
      undos: joined(world.undos, from.undos, then.undos),
      completedSteps: joined(world.completedSteps, from.completedSteps, then.completedSteps),
      faults: joined(world.faults, from.faults, then.faults),
      errors: joined(world.errors, from.errors, then.errors),
      warnings: joined(world.warnings, from.warnings, then.warnings),
      leftBehind: {
        openFiles: joined(world.leftBehind.openFiles, from.leftBehind.openFiles, then.leftBehind.openFiles),
        timers: joined(world.leftBehind.timers, from.leftBehind.timers, then.leftBehind.timers),
        calls: joined(world.leftBehind.calls, from.leftBehind.calls, then.leftBehind.calls),
      },
    },
  }
}

/** What was before, with what was added after `known`. */
function joined<T>(before: readonly T[], known: readonly T[], later: readonly T[]): readonly T[] {
  return [...before, ...later.slice(known.length)]
}
