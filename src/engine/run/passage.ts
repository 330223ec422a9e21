import { hasFindings } from '../../trace/index.ts'
import { judgeNamedCondition } from '../definitions/index.ts'
import type { EndedStep } from '../definitions/index.ts'
import type { CompiledFlow, Connection } from './connections.ts'
import { noFlow } from './run-state.ts'
import type { RunState, StepFlow, StepState } from './run-state.ts'

/**
 * What a connection comes to. `blocked`: what it leads from has failed; `open`: that has not come to an end; `judge`: its
 * expression decides.
 */
export type Passage = 'taken' | 'not-taken' | 'blocked' | 'open' | 'judge'

/** As far as the status of what a connection leads from tells. */
export function passageOf(state: RunState, connection: Connection): Passage {
  const { condition, guards, passesSkipped } = connection
  const source = state.steps.get(connection.from)
  const gates = guards.map((gate) => state.steps.get(gate))
  if (!isSettled(source) || !gates.every(isSettled)) return 'open'
  if (gates.some(blocks)) return 'blocked'
  if (source.status === 'skipped' && typeof condition === 'string')
    return condition === 'always' ? 'taken' : 'not-taken'
  if (typeof condition === 'string')
    return judgeNamedCondition(condition, [endOf(source)]) ? 'taken' : 'not-taken'
  if (blocks(source) || source.flow.tainted) return 'blocked'
  if (source.status === 'skipped') return passesSkipped ? 'taken' : 'not-taken'
  if (condition === undefined) return 'taken'
  return source.status === 'completed' ? 'judge' : 'not-taken'
}

/** What a step that starts, or is skipped, takes over from what comes before it. */
export function flowInto(
  state: RunState,
  flow: CompiledFlow,
  index: number,
  { takes = null, skipped = null }: Partial<Pick<StepFlow, 'takes' | 'skipped'>>,
): StepFlow {
  const incoming = flow.incoming[index] ?? []
  const before = incoming.map(({ from }) => cameBefore(state.steps.get(from)))
  const isBlocked = incoming.some((connection) => passageOf(state, connection) === 'blocked')
  return {
    ...noFlow,
    isReached: skipped === null,
    takes,
    skipped,
    tainted:
      skipped?.reason === 'run_failed' || (isBlocked && (skipped !== null || !flow.joinsAny.has(index))),
    afterFailure: before.some(({ failed }) => failed),
    afterFindings: before.some(({ findings }) => findings),
    onErrorBranch: incoming.some(
      ({ from, condition }) =>
        takes?.includes(state.workflow.steps[from]?.id as string) === true &&
        (condition === 'on_failure' || state.steps.get(from).flow.onErrorBranch),
    ),
    finishesOff: skipped === null && isStopping(state),
  }
}

/** A step that has ended together with all that came before it: what the named condition of a step asks about. */
export function cameBefore(step: StepState): EndedStep {
  const { failed, findings } = endOf(step)
  return { failed: failed || step.flow.afterFailure, findings: findings || step.flow.afterFindings }
}

function endOf(step: StepState): EndedStep {
  return {
    failed: step.status === 'failed',
    findings: step.status === 'completed' && hasFindings(step.output),
  }
}

/** It has come to an end: what depends on it may be decided. */
export function isSettled({ status }: StepState): boolean {
  return status === 'completed' || status === 'skipped' || status === 'failed'
}

/** It keeps its end through a resume. */
export function isSettledForGood({ status, flow }: StepState): boolean {
  return status === 'completed' || status === 'skipped' || (status === 'failed' && flow.tolerated)
}

function blocks({ status, flow }: StepState): boolean {
  return status === 'failed' && !flow.tolerated
}

/** A failure ends the run; only what finishes it off still starts. */
export function isStopping({ failure, workflow }: RunState): boolean {
  return failure !== null && workflow.definition.onStepFailure !== 'continue'
}

/** Whether steps may still start. */
export function goesOn({ failure, workflow }: RunState): boolean {
  return failure === null || workflow.flow?.goesOnAfterFailure === true
}
