import type { Leftovers } from '../invariants/index.ts'
import type { EndedLifeOf, LifeOptions, Shortcuts } from './life-options.ts'
import { liveOn } from './swept-life.ts'
import { afterLife, nothingLeft } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'
import type { SweptWorkflow } from './swept-workflow.ts'

/** A fault has gone when the run is resumed; one life more for a run that failed because of it. */
const livesAllowed = 4

/** Lives on a world, one after the other, until the run is over. */
export async function toCompletion(
  workflow: SweptWorkflow,
  world: SweptWorld,
  options: LifeOptions = {},
): Promise<EndedLifeOf> {
  const { endsAt, endsOnceRecovered } = options
  const later = endsAt && endsOnceRecovered ? { endsAt, endsOnceRecovered } : {}
  let ended = await liveAttended(workflow, world, options, later)
  for (let life = 1; !isOver(ended) && ended.refusal === undefined && life < livesAllowed; life++) {
    ended = await liveAttended(workflow, afterEnding(ended), later)
  }
  return ended
}

/** So often an operator goes to a run that asks. */
const attendances = 20

/** Lives on as long as the operator has what the run waits for, each time in a new life, until something strikes. */
export async function liveAttended(
  workflow: SweptWorkflow,
  world: SweptWorld,
  options: LifeOptions = {},
  later: LifeOptions = options,
): Promise<EndedLifeOf> {
  let ended = await liveOn(workflow, world, options)
  for (let times = 0; ended.asksFor !== undefined && !ended.wasStruck && times < attendances; times++) {
    const { from: _from, ...onward } = later
    ended = await liveOn(workflow, afterEnding(ended), { ...onward, given: ended.asksFor })
  }
  return ended
}

/** What becomes of a run after a life in which something struck. */
export async function onward(
  workflow: SweptWorkflow,
  struck: EndedLifeOf,
  shortcuts?: Shortcuts,
): Promise<EndedLifeOf> {
  if (isOver(struck)) return struck
  const ended = await toCompletion(workflow, afterEnding(struck), shortcuts)
  return { ...ended, objections: [...struck.objections, ...ended.objections] }
}

const over: ReadonlySet<string> = new Set(['completed', 'cancelled', 'left'])

export function isOver({ world }: EndedLifeOf): boolean {
  return over.has(world.ending.status)
}

/** The world after a life that nobody killed: it let go by itself. */
export function afterEnding(ended: EndedLifeOf): SweptWorld {
  const { world, refusal } = ended
  const left = afterLife(world, 'run', world.disk, refusal)
  left.leftBehind = allLeftovers(ended)
  return left
}

/** What the lives up to this one had not let go of when they ended by themselves. */
export function allLeftovers({ world: { leftBehind }, leftovers }: EndedLifeOf): Leftovers {
  if (leftovers === nothingLeft) return leftBehind
  return {
    openFiles: [...leftBehind.openFiles, ...leftovers.openFiles],
    timers: [...leftBehind.timers, ...leftovers.timers],
    calls: [...leftBehind.calls, ...leftovers.calls],
  }
}
