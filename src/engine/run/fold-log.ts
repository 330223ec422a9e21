import { isFaultlineError, messageOf, whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { WorkflowDefinition } from '../../definition/index.ts'
import type { KnownFiles, WorkflowEvent } from '../../trace/index.ts'
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
  const recorded: { definition: WorkflowDefinition; definitionSha256: string }[] = [start]
  for (const event of log.events)
    if (event.kind === 'workflow_resume' && event.adopts !== undefined) recorded.push(event.adopts)
  let all: MaybePromise<Map<string, CompiledWorkflow>> = new Map()
  for (const { definition, definitionSha256 } of recorded) {
    all = whenReady(all, (before) =>
      whenReady(compileWorkflow(definition, definitionSha256), (workflow) =>
        before.set(definitionSha256, workflow),
      ),
    )
  }
  return all
}

/** An event, and the state after it. */
interface Fold {
  readonly event: WorkflowEvent
  readonly state: RunState
}

/** The events folded last, from event 0 on. */
const foldedLast = new WeakMap<KnownFiles, Fold[]>()

/** Those of them with which a log begins. An event that is known stands behind the same events as before. */
function foldsOf({ log, known }: StoredRun, throughSeq: number): Fold[] | undefined {
  if (known === undefined) return undefined
  const folds = foldedLast.get(known) ?? []
  let count = Math.min(folds.length, log.events.length, throughSeq + 1)
  while (count > 0 && folds[count - 1]?.event !== log.events[count - 1]) count--
  folds.length = count
  foldedLast.set(known, folds)
  return folds
}

function fold(stored: StoredRun, workflows: CompiledWorkflows, throughSeq: number): RunState {
  const { layout, log, start } = stored
  const folds = foldsOf(stored, throughSeq)
  let state =
    folds?.at(-1)?.state ?? initialState(workflows.get(start.definitionSha256) as CompiledWorkflow, start)
  if (folds?.length === 0) folds.push({ event: start, state })
  const first = state.seq + 1
  for (let seq = first; seq < log.events.length && seq <= throughSeq; seq++) {
    const event = log.events[seq] as WorkflowEvent
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
    folds?.push({ event, state })
  }
  return state
}
