import type { AgentOutput } from '../../ports/index.ts'
import { EngineContext } from '../step/agent-context.ts'
import type { Attempt } from '../step/attempt.ts'
import type { LiveRun, Result, Returned } from './live-run.ts'
import { attemptDeadline } from './limits.ts'
import { workflowDeadline } from './planner.ts'
import { undoDeadline } from './rollback.ts'
import { stepViews } from './state-view.ts'
import { visibleOutputs } from './visible-outputs.ts'

/** Calls the agent of an attempt; what it answers arrives in the inbox. */
export function callAgent(run: LiveRun, attempt: Attempt): void {
  const { ports, state, acknowledged } = run
  attempt.called = true
  const call = {
    context: new EngineContext(attempt, run.services, () => visibleOutputs(acknowledged, attempt)),
    aborted: () => attempt.aborted,
    attemptDeadline: attempt.undoes
      ? undoDeadline(state, attempt.index)
      : attemptDeadline(state, attempt.index),
    workflowDeadline: attempt.undoes ? undefined : workflowDeadline(state),
  }
  const invoke = async (): Promise<AgentOutput> => ports.agents.invoke(call)
  invoke().then(
    (output) => arrive(run, { type: 'returned', attempt, output }),
    (thrown: unknown) => arrive(run, { type: 'threw', attempt, thrown }),
  )
}

/** Asks the gate of a step that has returned; the decision arrives in the inbox. */
export function askGate(run: LiveRun, attempt: Attempt, returned: Returned): void {
  const { state, acknowledged } = run
  const { gate } = attempt.definition
  if (gate === undefined) return
  run.ports.gates
    .decide({
      workflowId: state.workflow.definition.id,
      runId: state.runId,
      ...attempt.key,
      gate,
      input: state.input,
      output: returned.output,
      scoring: returned.scoring,
      get steps() {
        return stepViews(acknowledged)
      },
    })
    .then(
      (decision) => arrive(run, { type: 'gate-decided', attempt, returned, decision }),
      (thrown: unknown) => arrive(run, { type: 'gate-threw', attempt, thrown }),
    )
}

function arrive(run: LiveRun, result: Result): void {
  run.inbox.push(result)
  run.ports.wake()
}
