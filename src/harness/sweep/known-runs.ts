import type { SeededRandom } from '../../core/index.ts'
import type { Violation } from '../invariants/index.ts'
import type { DiscoveredBoundary } from './discovery.ts'
import { KnownFutures } from './known-futures.ts'
import { toCompletion } from './later-lives.ts'
import type { EndedLifeOf, Shortcuts } from './life-options.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { copyOf, haveSameEffects } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** So many of the runs that could be left are run to their end all the same. */
const auditOneIn = 20

/** Where a run may be left, since what follows is known. */
export interface RunShortcuts extends Required<Shortcuts> {
  /** What became of a world that reads like this one, for which the engine has a key. */
  readonly known: (key: string, world: SweptWorld) => EndedLifeOf | undefined
}

/** A run that takes what shortcuts it is given. */
export type Run = (shortcuts: Partial<RunShortcuts>) => Promise<EndedLifeOf>

/** What has been seen of runs, so that none is run where what follows is known, and what is made sure of by running some all the same. */
export class KnownRuns {
  readonly #boundaries: () => readonly DiscoveredBoundary[]
  readonly #random: SeededRandom
  readonly #seen = new Set<string>()
  readonly #futures = new KnownFutures()
  #isTrusted = true
  #rejoined = 0
  #audited = 0
  #wasLeft = false
  #isKnown = false

  /** @param boundaries those of the run without faults. */
  constructor(random: SeededRandom, boundaries: () => readonly DiscoveredBoundary[]) {
    this.#random = random
    this.#boundaries = boundaries
  }

  get counts(): { readonly rejoined: number; readonly audited: number; readonly trusted: boolean } {
    return { rejoined: this.#rejoined, audited: this.#audited, trusted: this.#isTrusted }
  }

  isFirst(key: string): boolean {
    const isFirst = !this.#seen.has(key)
    this.#seen.add(key)
    return isFirst
  }

  boundary(name: string): DiscoveredBoundary | undefined {
    return this.#boundaries().find((boundary) => boundary.name === name)
  }

  /** Whether the run without faults came by the same boundary, with the same effects outside. */
  readonly cameBy = (name: string, world: SweptWorld): boolean => {
    const known = this.boundary(name)
    return known !== undefined && haveSameEffects(known.world, world)
  }

  /** A run that goes on from a world which a fault has left, unless it is known how one that reads like it went on. */
  from(workflow: SweptWorkflow, key: string, left: SweptWorld): Run {
    this.isFirst(key)
    return async (shortcuts) => {
      const known = shortcuts.known?.(key, left)
      if (known !== undefined) return known
      const ended = await toCompletion(workflow, copyOf(left), shortcuts)
      if (shortcuts === this.#taken) this.#futures.keep(key, left, ended)
      return ended
    }
  }

  /**
   * What a run breaks that has to come to the end of the run without faults: as soon as it has come to what that one had come to,
   * it is left. Now and then it is run to its end all the same; whatever looks wrong is too.
   */
  async violationsOf(
    run: Run,
    judge: (ended: EndedLifeOf) => Promise<readonly Violation[]>,
  ): Promise<readonly Violation[]> {
    if (!this.#isTrusted) return judge(await run({}))
    const isAudit = this.#random.integer(auditOneIn) === 0
    this.#wasLeft = false
    this.#isKnown = false
    const seen = await judge(await run(isAudit ? this.#passedBy : this.#taken))
    if (this.#wasLeft) this.#rejoined++
    else if (!this.#isKnown) return seen
    if (!isAudit || this.#isKnown) return seen.length === 0 ? seen : judge(await run({}))
    this.#audited++
    // What a shortcut hides once it may hide again.
    if (seen.length > 0 && (await judge(await run(this.#taken))).length === 0) this.#isTrusted = false
    return seen
  }

  readonly #taken: RunShortcuts = {
    endsAt: (name, world) => this.#isLeft(this.cameBy(name, world)),
    endsOnceRecovered: (world) =>
      this.#isLeft(!this.isFirst(`recovered ${worldKey(world, world.disk.visibleDigest())}`)),
    known: (key, world) => {
      const known = this.#futures.of(key, world)
      this.#isKnown = known !== undefined
      return known
    },
  }

  /** The same, but a run is left nowhere. That worlds which read alike go the same way is what a deterministic workflow is. */
  readonly #passedBy: RunShortcuts = {
    endsAt: (...at) => this.#taken.endsAt(...at) && false,
    endsOnceRecovered: (world) => this.#taken.endsOnceRecovered(world) && false,
    known: this.#taken.known,
  }

  #isLeft(isLeft: boolean): boolean {
    this.#wasLeft ||= isLeft
    return isLeft
  }
}

/** The same for worlds that an engine and its callers cannot tell apart, as far as `digest` tells disks apart. */
export function worldKey(world: SweptWorld, digest: string): string {
  const { runId, now, lives, executions, undos, effects, completedSteps } = world
  const calls = executions.length + undos.length
  const told = [runId, now, calls, effects.length, completedSteps.length]
  return `${digest} ${told.join(' ')} ${lives.map(({ during }) => during).join()}`
}
