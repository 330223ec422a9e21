import { deferred, FaultlineError, suggestion } from '../core/index.ts'
import type { Deferred } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import { createConditionGate } from '../engine/index.ts'
import type { GateDecision, GatePort } from '../ports/index.ts'
import type { GateController } from './contract.ts'

/** The gate port of a session: controllers by step id, the gate's own condition for the rest. */
export interface GateControllers extends GatePort {
  /** Steps whose gate waits for `answer`. */
  waiting(): readonly string[]
  /** @throws FaultlineError `SESSION_MISUSE` when no gate of that step waits. */
  answer(step: string, decision: GateDecision | boolean): void
}

export function createGateControllers(
  controllers: Readonly<Record<string, GateController>>,
): GateControllers {
  const condition = createConditionGate()
  const open = new Map<string, Deferred<GateDecision>>()
  return {
    async decide(request) {
      const controller = Object.hasOwn(controllers, request.step) ? controllers[request.step] : undefined
      if (controller === undefined) return condition.decide(request)
      if (controller !== 'external') return asDecision(await controller(request))
      const answer = deferred<GateDecision>()
      open.set(request.step, answer)
      return answer.promise
    },
    waiting: () => [...open.keys()],
    answer(step, decision) {
      const answer = open.get(step)
      if (answer === undefined) {
        throw new FaultlineError(
          'SESSION_MISUSE',
          `No gate of step '${step}' waits for an answer. ${suggestion(step, open.keys())}`,
        )
      }
      open.delete(step)
      answer.resolve(asDecision(decision))
    },
  }
}

/** @throws FaultlineError `UNKNOWN_STEP` for a controller of a step that has no gate. */
export function checkGateControllers(
  controllers: Readonly<Record<string, GateController>>,
  definition: WorkflowDefinition,
): void {
  const human = definition.steps.find(
    ({ id, gate }) => gate !== undefined && gate.condition === undefined && Object.hasOwn(controllers, id),
  )
  if (human !== undefined) {
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `gates.${human.id} would never be asked: the gate of step '${human.id}' is answered by a person, with session.answerGate.`,
      { details: { step: human.id } },
    )
  }
  const gated = definition.steps.filter((step) => step.gate !== undefined).map((step) => step.id)
  const unknown = Object.keys(controllers).find((step) => !gated.includes(step))
  if (unknown === undefined) return
  throw new FaultlineError(
    'UNKNOWN_STEP',
    `gates.${unknown} names no step of workflow '${definition.id}' that has a gate. ${suggestion(unknown, gated)}`,
    { details: { step: unknown } },
  )
}

function asDecision(answer: GateDecision | boolean): GateDecision {
  return typeof answer === 'boolean' ? { passed: answer } : answer
}
