import { trace } from './discovery.ts'
import { isBetweenLives, misuseGate } from './gate-misuse.ts'
import { strikingFault } from './misbehaviours.ts'
import { cameToPass, createScheduler } from '../schedule/scheduler.ts'
import type {
  CrashFault,
  FaultSequence,
  LifecycleFault,
  PortFault,
  ScheduleFault,
  SingleFault,
} from './report.ts'
import { afterEnding, liveAttended, onward, toCompletion } from './later-lives.ts'
import { resumeUnderAnother } from './resume-under-another.ts'
import type { EndedLifeOf, LifeOptions } from './life-options.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { afterLife, untold } from './swept-world.ts'
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
    const there = await worldAt(workflow, world, placeOf(first))
    const ended = there && (await resumeUnderAnother(workflow, there))
    return ended && others.length > 0 ? runWithFaults(workflow, afterEnding(ended), others) : ended
  }
  if (isPortFault(first) && isBetweenLives(first)) {
    const striking = strikingFault(first, workflow.definition)
    const traced = striking && (await trace(workflow, world))
    const ended = traced && (await misuseGate(workflow, first, striking.portFault, traced))
    return ended && others.length > 0 ? runWithFaults(workflow, afterEnding(ended), others) : ended
  }
  const options = optionsFor(workflow, first)
  if (options === undefined) return undefined
  const [next] = others
  if (next?.family === 'crash' && lifeOf(next) === world.lives.length + 1) {
    const left = await crashed(workflow, world, next, options)
    const isStruck = left !== undefined && left.faults.length > world.faults.length
    return isStruck ? runWithFaults(workflow, untold(left), others.slice(1)) : undefined
  }
  const ended = await liveAttended(workflow, world, options)
  if (!ended.wasStruck) return undefined
  if (others.length > 0) return runWithFaults(workflow, afterEnding(ended), others)
  const resumed = await onward(workflow, ended)
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
  const [next] = others
  if (next?.family === 'crash' && lifeOf(next) === world.lives.length + 1) {
    const left = await crashed(workflow, world, next, { scheduler })
    const came = overtakings.every((overtaking) => cameToPass(overtaking, scheduler.decisions))
    return left && came ? runWithFaults(workflow, left, others.slice(1)) : undefined
  }
  const ended = await liveAttended(workflow, world, { scheduler })
  if (!overtakings.every((overtaking) => cameToPass(overtaking, scheduler.decisions))) return undefined
  if (others.length > 0) return runWithFaults(workflow, afterEnding(ended), others)
  return onward(workflow, ended)
}

async function crashed(
  workflow: SweptWorkflow,
  world: SweptWorld,
  { at, outcome }: CrashFault,
  options: LifeOptions = {},
): Promise<SweptWorld | undefined> {
  let left: SweptWorld | undefined
  await liveAttended(workflow, world, {
    ...options,
    onWrite({ name, during }, there) {
      if (name !== at || left !== undefined) return
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
  return { interference: { place: placeOf(fault), action: fault.action } }
}

/** In which life a fault strikes. */
function lifeOf({ at }: SingleFault): number {
  return Number.parseInt(at, 10)
}

/** The attempts that start where somebody interferes. */
function placeOf({ at }: LifecycleFault): string {
  return /:run\.goOn:(.*)#1$/.exec(at)?.[1] ?? ''
}

async function worldAt(
  workflow: SweptWorkflow,
  world: SweptWorld,
  wanted: string,
): Promise<SweptWorld | undefined> {
  let found: SweptWorld | undefined
  await liveAttended(workflow, world, {
    onBoundary({ place, world: there }) {
      if (place === wanted) found = there
    },
  })
  return found
}

const portFamilies: ReadonlySet<string> = new Set(['agent', 'gate', 'time', 'network'])

function isPortFault(fault: SingleFault): fault is PortFault {
  return portFamilies.has(fault.family)
}
