import type { JsonValue } from '../../core/index.ts'
import type { Attempt } from '../step/attempt.ts'
import type { CompiledWorkflow } from './compiled-workflow.ts'
import { reachable } from './loops.ts'
import type { RunState } from './run-state.ts'
import { recordedOutputs } from './state-view.ts'

/**
 * What an attempt sees of other steps: the outputs of those that come before its step, and what its step and those that follow it have put
 * out in earlier visits. Steps that run beside it stay hidden, since which of them is done by now is a matter of time. An undo sees all.
 */
export function visibleOutputs(
  state: RunState,
  { index, undoes }: Attempt,
): Readonly<Record<string, JsonValue>> {
  return recordedOutputs(state, undoes ? undefined : inOrderWith(state.workflow, index))
}

/** The step, all that come before it, and all that surely come after it. */
function inOrderWith(
  { predecessors, successors, flow }: CompiledWorkflow,
  index: number,
): ReadonlySet<number> {
  // What joins any of several may be over before the others of them begin.
  const waiting = (step: number): readonly number[] =>
    (successors[step] ?? []).filter((after) => flow?.joinsAny.has(after) !== true)
  const before = reachable(index, (step) => predecessors[step] ?? [])
  return new Set([...before, ...reachable(index, waiting)])
}
