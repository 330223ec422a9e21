import { strikingFault } from './misbehaviours.ts'
import { cameToPass, createScheduler } from '../schedule/scheduler.ts'
import type { CrashFault, FaultSequence, LifecycleFault, ScheduleFault, SingleFault } from './report.ts'
import { resumeUnderAnother } from './resume-under-another.ts'
import { afterEnding, isOver, liveOn, toCompletion } from './swept-life.ts'
import type { EndedLifeOf, LifeOptions, SweptWorkflow } from './swept-life.ts'
import { afterLife } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/**
 * Runs a workflow with the given faults, each in the next life, then without any until it is over. Undefined when the run never
 * comes to the point of a fault. Orders of agents that follow each other are those of one life.
 */
export async function runWithFaults(
  workflow: SweptWorkflow,
  world: SweptWorld,
  [first, ...others]: FaultSequence,
): Promise<EndedLifeOf | undefined> {
  if (first === undefined) return toCompletion(workflow, world)
  if (first.family === 'crash') {
    const left = await crashed(workflow, world, first)
    return left && runWithFaults(workflow, left, others)
  }
  if (first.family === 'schedule') return runInOrder(workflow, world, [first, ...others])
  if (first.family === 'lifecycle' && first.action === 'change-definition') {
    const there = await livedUntil(workflow, world, boundaryOf(first))
    const ended = there && (await resumeUnderAnother(workflow, there))
    return ended && others.length > 0 ? runWithFaults(workflow, afterEnding(ended), others) : ended
  }
  const options = optionsFor(workflow, first)
  if (options === undefined) return undefined
  const ended = await liveOn(workflow, world, options)
  if (!ended.wasStruck) return undefined
  if (others.length > 0) return runWithFaults(workflow, afterEnding(ended), others)
  const resumed = isOver(ended) ? ended : await toCompletion(workflow, afterEnding(ended))
  if (first.family !== 'disk' || first.powerLoss !== true) return resumed
  const found = resumed.world.disk.afterCrash('power-min')
  return toCompletion(workflow, afterLife(resumed.world, 'run', found))
}

/** Whether a run that is struck so must come to the end of the run without faults. */
export function isComparable({ definition }: SweptWorkflow, faults: FaultSequence): boolean {
  return faults.every((fault) => {
    if (fault.family === 'lifecycle') return fault.action !== 'cancel'
    return !isPortFault(fault) || strikingFault(fault, definition)?.isComparable === true
  })
}

async function runInOrder(
  workflow: SweptWorkflow,
  world: SweptWorld,
  faults: FaultSequence,
): Promise<EndedLifeOf | undefined> {
  const overtakings: ScheduleFault[] = []
  for (const fault of faults) {
    if (fault.family !== 'schedule') break
    overtakings.push(fault)
  }
  const others = faults.slice(overtakings.length)
  const scheduler = createScheduler({ kind: 'overtakings', overtakings })
  const ended = await liveOn(workflow, world, { scheduler })
  if (!overtakings.every((overtaking) => cameToPass(overtaking, scheduler.decisions))) return undefined
  if (others.length > 0) return runWithFaults(workflow, afterEnding(ended), others)
  return isOver(ended) ? ended : toCompletion(workflow, afterEnding(ended))
}

async function crashed(
  workflow: SweptWorkflow,
  world: SweptWorld,
  { at, outcome }: CrashFault,
): Promise<SweptWorld | undefined> {
  let left: SweptWorld | undefined
  await liveOn(workflow, world, {
    onWrite({ name, during }, there) {
      if (name !== at) return
      const found = there()
      left = afterLife(found, during, found.disk.afterCrash(outcome))
    },
  })
  return left
}

function optionsFor({ definition }: SweptWorkflow, fault: SingleFault): LifeOptions | undefined {
  if (fault.family === 'disk') return { diskFault: fault }
  if (isPortFault(fault)) return strikingFault(fault, definition)
  if (fault.family !== 'lifecycle' || fault.action === 'change-definition') return undefined
  return { interference: { boundary: boundaryOf(fault), action: fault.action } }
}

function boundaryOf({ at }: LifecycleFault): string {
  const [, boundary = ''] = /:run\.goOn:(.*)#1$/.exec(at) ?? []
  return boundary
}

/** The world as a life leaves it that ends at a boundary. */
async function livedUntil(
  workflow: SweptWorkflow,
  world: SweptWorld,
  boundary: string,
): Promise<SweptWorld | undefined> {
  let left: SweptWorld | undefined
  await liveOn(workflow, world, {
    onBoundary(reached) {
      if (reached.name === boundary) left ??= reached.world
    },
  })
  return left
}

const portFamilies: ReadonlySet<string> = new Set(['agent', 'gate', 'time', 'network'])

function isPortFault(
  fault: SingleFault,
): fault is Extract<SingleFault, { readonly family: 'agent' | 'gate' }> {
  return portFamilies.has(fault.family)
}
