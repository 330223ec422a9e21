import { FaultlineError, formatDuration, suggestion } from '../../core/index.ts'
import type { GateDefinition } from '../../definition/index.ts'
import type { GateDecision } from '../../ports/index.ts'
import type { EventBody, GateResultEvent, StepError } from '../../trace/index.ts'
import { stepIndex } from './compiled-workflow.ts'
import type { RunState } from './run-state.ts'
import { stepContext, stepFailed } from './step-context.ts'

// What follows from the decision of a gate, whoever has taken it.

/** Where a gate sends its run. */
export function routeOf(state: RunState, index: number, passed: boolean): GateResultEvent['route'] {
  if (passed) return { to: 'pass' }
  const { onFail, maxLoops } = gateOf(state, index)
  const { loops, flow } = state.steps.get(index)
  // What finishes a failed run off does not begin any of it anew.
  return onFail !== undefined && loops < maxLoops && !flow.finishesOff
    ? { to: 'loop', target: onFail, loop: loops + 1 }
    : { to: 'fail' }
}

export function gateNotPassed(state: RunState, index: number, reason: string | undefined): StepError {
  const { loops } = state.steps.get(index)
  const evaluations = loops === 0 ? '' : ` after ${loops + 1} evaluations`
  const why = reason === undefined ? '' : `: ${reason}`
  return {
    kind: 'gate',
    message: `The gate of step '${state.workflow.steps[index]?.id}' did not pass${evaluations}${why}.`,
  }
}

/** A step whose gate is to be answered. @throws FaultlineError `GATE_NOT_WAITING` */
export function waitingStep(state: RunState, step: string, now: number): number {
  const index = stepIndex(state.workflow, step)
  const waiting = state.halted.filter((each) => state.steps.get(each).status === 'waiting')
  if (!waiting.includes(index)) {
    const names = waiting.map((each) => state.workflow.steps[each]?.id as string)
    throw notWaiting(state, step, `No gate of step '${step}' waits for an answer. ${suggestion(step, names)}`)
  }
  if (now < answerDeadline(state, index)) return index
  throw notWaiting(state, step, `The gate of step '${step}' has expired: it has failed, and takes no answer.`)
}

/** Until when a gate can be answered. */
export function answerDeadline(state: RunState, index: number): number {
  return state.steps.get(index).aside?.waiting?.expiresAt ?? Infinity
}

/** Notes the answer of a person, and what follows from it. */
export function noteAnswer(
  state: RunState,
  index: number,
  { passed, reason }: GateDecision,
  now: number,
  emit: (body: EventBody) => void,
): void {
  decide(state, index, { passed, reason, by: 'person', route: routeOf(state, index, passed) }, now, emit)
}

/** Notes that nobody has answered in time: the run fails there, and nobody is sent back to work that nobody has judged. */
export function noteExpiry(
  state: RunState,
  index: number,
  now: number,
  emit: (body: EventBody) => void,
): void {
  const reason = `nobody has answered within ${formatDuration(gateOf(state, index).expiresAfterMs ?? 0)}`
  decide(state, index, { passed: false, reason, by: 'expiry', route: { to: 'fail' } }, now, emit)
}

function decide(
  state: RunState,
  index: number,
  decision: {
    readonly passed: boolean
    readonly reason: string | undefined
    readonly by: 'person' | 'expiry'
    readonly route: GateResultEvent['route']
  },
  now: number,
  emit: (body: EventBody) => void,
): void {
  const { passed, reason, by, route } = decision
  const step = state.steps.get(index)
  const context = stepContext(state, index)
  const returned = { output: step.output, ...(step.scoring === null ? {} : { scoring: step.scoring }) }
  emit({
    kind: 'gate_result',
    status: passed ? 'passed' : 'failed',
    ...context,
    ...(reason === undefined ? {} : { reason }),
    by,
    ...returned,
    route,
  })
  const durationMs = now - step.startedAt
  if (route.to === 'pass') {
    const artifacts = step.artifacts
      .filter(({ visit, attempt }) => visit === step.visit && attempt === step.attempt)
      .map(({ path, sha256, sizeBytes }) => ({ path, sha256, sizeBytes }))
    emit({ kind: 'step_finish', status: 'completed', ...context, ...returned, artifacts, durationMs })
  } else if (route.to === 'fail') {
    emit(stepFailed(state, index, gateNotPassed(state, index, reason), durationMs))
  }
}

function gateOf(state: RunState, index: number): GateDefinition {
  return state.workflow.steps[index]?.gate as GateDefinition
}

function notWaiting(state: RunState, step: string, message: string): FaultlineError {
  return new FaultlineError('GATE_NOT_WAITING', message, { details: { runId: state.runId, step } })
}
