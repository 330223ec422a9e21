import { seededRandom } from '../../core/index.ts'
import type { SeededRandom } from '../../core/index.ts'
import { createScheduler, overtakingsOf } from '../schedule/scheduler.ts'
import { diskFaultsAt } from './disk-family.ts'
import { portFaultsAt, strikingFault } from './misbehaviours.ts'
import { callsOf } from './port-families.ts'
import { isComparable } from './replay.ts'
import type { DiskFault, FaultFamily, FaultSequence, PortFault, SingleFault } from './report.ts'
import type { Sweep } from './sweep.ts'
import { afterEnding, isOver, liveAttended, toCompletion } from './later-lives.ts'
import type { CallPoint, EndedLifeOf, FaultPoint, LifeOptions } from './life-options.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

const swarmRuns = 100
const mostFaults = 4
const pctDepth = 3

/** A life that has met a fault: it has ended its run in spite of it, or the next one finds a world. */
type StruckLife =
  | { readonly faults: FaultSequence; readonly ended: EndedLifeOf }
  | { readonly faults: FaultSequence; readonly world: SweptWorld }

/**
 * Runs that meet several faults, each in another of their lives, drawn from the seed: for every run some of the families, and, if
 * orders of agents are among them, now and then a first life by chance priorities (PCT) that dies on its way.
 */
export async function sweepSwarm(sweep: Sweep, families: readonly FaultFamily[]): Promise<void> {
  for (let run = 1; run <= swarmRuns && !sweep.hasFoundEnough; run++) {
    const random = seededRandom(`${sweep.workflow.seed}/swarm/${run}`)
    const chosen = families.filter(() => random.integer(2) === 0)
    await tryRun(sweep, chosen.length === 0 ? families : chosen, random)
    sweep.look()
  }
}

async function tryRun(sweep: Sweep, families: readonly FaultFamily[], random: SeededRandom): Promise<void> {
  const { workflow } = sweep
  const faults: SingleFault[] = []
  let world = sweep.freshWorld()
  let ended: EndedLifeOf | undefined
  const wanted = 2 + random.integer(mostFaults - 1)
  for (let life = 1; life <= wanted && ended === undefined; life++) {
    const isOrdered = life === 1 && families.includes('schedule')
    const struck = isOrdered
      ? await diedInChanceOrder(sweep, random)
      : await struckBy(sweep, families, world, random)
    if (struck === undefined) break
    faults.push(...struck.faults)
    if ('ended' in struck) ({ ended } = struck)
    else ({ world } = struck)
  }
  // One fault alone is tried by its family.
  if (faults.length < 2) return
  const last = ended ?? (await toCompletion(workflow, copyOf(world)))
  await sweep.try(faults, async () => last, isComparable(workflow, faults))
}

async function diedInChanceOrder(sweep: Sweep, random: SeededRandom): Promise<StruckLife | undefined> {
  const decisions = Math.max(1, sweep.discovery.calls.length)
  const scheduler = createScheduler({
    kind: 'pct',
    seed: random.integer(2 ** 31),
    depth: pctDepth,
    decisions,
  })
  const points: (FaultPoint & { readonly decided: number })[] = []
  await liveAttended(sweep.workflow, sweep.freshWorld(), {
    scheduler,
    onWrite: (point, there) => points.push({ ...point, world: there(), decided: scheduler.decisions.length }),
  })
  const point = drawn(points, random)
  if (point === undefined) return undefined
  const order = overtakingsOf(scheduler.decisions.slice(0, point.decided))
  const { faults, world } = crashedAt(point, random)
  return { faults: [...order.map((each) => ({ family: 'schedule', ...each }) as const), ...faults], world }
}

/** The next life of a run with one fault, wherever it comes. */
async function struckBy(
  sweep: Sweep,
  families: readonly FaultFamily[],
  world: SweptWorld,
  random: SeededRandom,
): Promise<StruckLife | undefined> {
  const { workflow } = sweep
  const points: FaultPoint[] = []
  const calls: CallPoint[] = []
  await liveAttended(workflow, copyOf(world), {
    onWrite: (point, there) => points.push({ ...point, world: there() }),
    onCall: (call) => calls.push(call),
  })
  const family = drawn(families, random)
  const point = drawn(points, random)
  if (point === undefined || family === undefined) return undefined
  if (family === 'disk') {
    const fault = drawn([...diskFaultsAt(point, 'deep')], random)
    return fault && met(sweep, world, fault, { diskFault: fault })
  }
  if (family === 'crash' || family === 'lifecycle' || family === 'schedule') return crashedAt(point, random)
  const { operations } = callsOf[family]
  const those = calls.filter(({ operation }) => operations.some((name) => name === operation))
  const fault = drawn(
    those.flatMap(({ name }) => portFaultsAt(family, name, workflow.definition)),
    random,
  )
  return fault && met(sweep, world, fault, strikingFault(fault, workflow.definition))
}

function crashedAt(
  { name, world, during }: FaultPoint,
  random: SeededRandom,
): { readonly faults: FaultSequence; readonly world: SweptWorld } {
  const outcome = drawn(world.disk.distinctOutcomes(), random) ?? 'kill'
  return {
    faults: [{ family: 'crash', at: name, outcome }],
    world: afterLife(world, during, world.disk.afterCrash(outcome)),
  }
}

async function met(
  sweep: Sweep,
  world: SweptWorld,
  fault: DiskFault | PortFault,
  options: LifeOptions | undefined,
): Promise<StruckLife | undefined> {
  const ended = await liveAttended(sweep.workflow, copyOf(world), options)
  if (!ended.wasStruck) return undefined
  return isOver(ended) ? { faults: [fault], ended } : { faults: [fault], world: afterEnding(ended) }
}

function drawn<T>(all: readonly T[], random: SeededRandom): T | undefined {
  return all.length === 0 ? undefined : all[random.integer(all.length)]
}
