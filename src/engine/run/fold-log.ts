import { isFaultlineError, messageOf, whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import { corrupt } from '../store/corrupt.ts'
import type { StoredRun } from '../store/read-run.ts'
import { compileWorkflow } from './compiled-workflow.ts'
import type { CompiledWorkflow } from './compiled-workflow.ts'
import { reduce } from './reducer.ts'
import { initialState, underDefinition } from './run-state.ts'
import type { RunState } from './run-state.ts'

/**
 * Folds a log that has been read, up to an event or to its end.
 *
 * @throws FaultlineError `STATE_CORRUPT` naming the line of an event that cannot follow those before it.
 */
export function foldLog(stored: StoredRun, throughSeq = Infinity): MaybePromise<RunState> {
  return whenReady(compileRecorded(stored), (workflows) => fold(stored, workflows, throughSeq))
}

/** By digest: the definition that the run was started with, and those that it was resumed under. */
type CompiledWorkflows = ReadonlyMap<string, CompiledWorkflow>

function compileRecorded({ start, log }: StoredRun): MaybePromise<CompiledWorkflows> {
  const adopted = log.events.flatMap((event) =>
    event.kind === 'workflow_resume' && event.adopts !== undefined ? [event.adopts] : [],
  )
  let all: MaybePromise<CompiledWorkflows> = new Map()
  for (const { definition, definitionSha256 } of [start, ...adopted]) {
    all = whenReady(all, (before) =>
      whenReady(compileWorkflow(definition, definitionSha256), (workflow) =>
        new Map(before).set(definitionSha256, workflow),
      ),
    )
  }
  return all
}

function fold({ layout, log, start }: StoredRun, workflows: CompiledWorkflows, throughSeq: number): RunState {
  let state = initialState(workflows.get(start.definitionSha256) as CompiledWorkflow, start)
  for (const event of log.events) {
    if (event.seq === 0) continue
    if (event.seq > throughSeq) break
    if (event.kind === 'workflow_resume' && event.adopts !== undefined)
      state = underDefinition(state, workflows.get(event.adopts.definitionSha256) as CompiledWorkflow)
    try {
      state = reduce(state, event)
    } catch (error) {
      if (!isFaultlineError(error, 'INTERNAL') && !isFaultlineError(error, 'UNKNOWN_STEP')) throw error
      throw corrupt(
        layout.log,
        `line ${event.seq + 1} (event ${event.seq}) cannot follow: ${messageOf(error)}`,
        { line: event.seq + 1, seq: event.seq },
      )
    }
  }
  return state
}
