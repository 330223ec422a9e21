import type { GateDecision } from '../../ports/index.ts'
import type { GateController } from '../contract.ts'
import { createGateControllers } from '../gate-controllers.ts'
import type { Trace } from './discovery.ts'
import { afterEnding, toCompletion } from './later-lives.ts'
import type { EndedLifeOf, StrikingPortFault } from './life-options.ts'
import type { PortFault } from './report.ts'
import { liveOn } from './swept-life.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

interface Misuse {
  /** The world in which it happens. */
  readonly place: (trace: Trace, at: string) => SweptWorld | undefined
  readonly misused: (
    workflow: SweptWorkflow,
    fault: StrikingPortFault,
    there: SweptWorld,
  ) => Promise<EndedLifeOf>
}

/** What people do with a gate in another life than the one that asks it. */
const misuses: Partial<Record<PortFault['fault'], Misuse>> = {
  'answers-otherwise-later': { place: onceAnswered, misused: answeredAgain },
  'answers-after-cancel': { place: whileItWaits, misused: answeredTooLate },
}

/** Whether a fault strikes no life, but is done between two of them. */
export function isBetweenLives({ fault }: PortFault): boolean {
  return misuses[fault] !== undefined
}

/** Does to a gate what is done between two lives; undefined where there is no such place in a run without faults. */
export async function misuseGate(
  workflow: SweptWorkflow,
  { fault, at }: PortFault,
  striking: StrikingPortFault,
  trace: Trace,
): Promise<EndedLifeOf | undefined> {
  const misuse = misuses[fault]
  const there = misuse?.place(trace, at)
  if (misuse === undefined || there === undefined) return undefined
  const faults = [...there.faults, { ...striking.record, key: at }]
  return misuse.misused(workflow, striking, { ...copyOf(there), faults })
}

function onceAnswered({ calls, boundaries }: Trace, at: string): SweptWorld | undefined {
  const call = calls.find(({ name }) => name === at)
  return call && boundaries.find(({ writesBefore }) => writesBefore > call.writesBefore)?.world
}

/** The first thing that the life which brings the answer does. */
function whileItWaits({ writes }: Trace, at: string): SweptWorld | undefined {
  const life = at.slice(0, at.indexOf('/') + 1)
  return writes.find(({ name }) => name.startsWith(life))?.world
}

/**
 * The process dies once the answer of a gate is in place, and whoever is asked again for the same visit says the opposite: the
 * answer that stands is the first one.
 */
async function answeredAgain(
  workflow: SweptWorkflow,
  { at, step }: StrikingPortFault,
  there: SweptWorld,
): Promise<EndedLifeOf> {
  const left = afterLife(there, 'run', there.disk.afterCrash('kill'))
  if (!at.includes(':gate.answer:')) {
    const [, visit] = /#(\d+)@/.exec(at) ?? []
    const gates = { ...workflow.gates, [step]: otherwise(workflow, Number(visit)) }
    return toCompletion({ ...workflow, gates }, left)
  }
  const opposite = { passed: !answerTo(workflow, step).passed, reason: 'the sweep answers otherwise' }
  const { refusal, world } = await liveOn(workflow, copyOf(left), {
    given: { answers: { [step]: opposite } },
  })
  const ended = await toCompletion(workflow, { ...left, disk: world.disk })
  if (refusal?.code === 'GATE_NOT_WAITING') return ended
  const objection = `The gate of step '${step}' could be answered again in a later process.`
  return { ...ended, objections: [...ended.objections, objection] }
}

/** A run that has been cancelled while it waited takes no answer any more. */
async function answeredTooLate(
  workflow: SweptWorkflow,
  { step }: StrikingPortFault,
  there: SweptWorld,
): Promise<EndedLifeOf> {
  const cancelled = await liveOn(workflow, there, { given: { cancel: 'the sweep cancels it' } })
  const given = { answers: { [step]: answerTo(workflow, step) } }
  const late = await liveOn(workflow, copyOf(afterEnding(cancelled)), { given })
  const objections = [
    ...(cancelled.world.ending.status === 'cancelled'
      ? []
      : [`The run could not be cancelled while the gate of step '${step}' waited.`]),
    ...(late.world.disk.visibleDigest() === cancelled.world.disk.visibleDigest()
      ? []
      : [
          `An answer to the gate of step '${step}' changed what is on disk after the run had been cancelled.`,
        ]),
  ]
  return { ...cancelled, objections }
}

function answerTo({ operator }: SweptWorkflow, step: string): GateDecision {
  const answer = operator?.answers?.[step]
  return typeof answer === 'object' ? answer : { passed: answer === true }
}

/** A gate that is of another mind when it is asked about a visit once more. */
function otherwise({ gates }: SweptWorkflow, visit: number): GateController {
  const before = createGateControllers(gates)
  return async (request) => {
    const decision = await before.decide(request)
    return request.visit === visit ? { ...decision, passed: !decision.passed } : decision
  }
}
