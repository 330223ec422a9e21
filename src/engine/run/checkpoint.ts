import type { FileProgram } from '../../ports/index.ts'
import type { CheckpointEvent, StepEventContext, WorkflowEvent } from '../../trace/index.ts'
import { writeCheckpointRecord } from '../store/checkpoint-record.ts'
import type { LiveRun } from './live-run.ts'

const defaultInterval = 5

/**
 * The checkpoint that belongs behind the `step_finish` just noted, if one does. It names a place in the log and holds no
 * state, so that it costs the same in a long run as in a short one.
 */
export function dueCheckpoint(run: LiveRun, context: StepEventContext): CheckpointEvent | undefined {
  const { workflow, finishes } = run.state
  const { checkpointEvery = defaultInterval } = run.ports
  const isMilestone = workflow.steps[workflow.indexOf.get(context.step) as number]?.milestone === true
  if (!isMilestone && (checkpointEvery === 0 || finishes % checkpointEvery !== 0)) return undefined
  return checkpointHere(run, context, isMilestone ? 'milestone' : 'interval')
}

/** The checkpoint that belongs behind what a run is paused for: the attempt that could not start. */
export function pauseCheckpoint(run: LiveRun, context: StepEventContext): CheckpointEvent {
  return checkpointHere(run, { ...context, attempt: context.attempt + 1 }, 'pause')
}

function checkpointHere(
  run: LiveRun,
  context: StepEventContext,
  because: CheckpointEvent['because'],
): CheckpointEvent {
  const { seq } = run.state
  return {
    kind: 'checkpoint',
    status: 'saved',
    ...context,
    name: `${String(seq).padStart(6, '0')}-${context.step}`,
    throughSeq: seq,
    lineSha256: run.log.lastSha256(),
    because,
  }
}

/** Leaves a record of every checkpoint that has become durable, where a directory for them was given. */
export function* recordCheckpoints(run: LiveRun, events: readonly WorkflowEvent[]): FileProgram<void> {
  const folder = run.layout.checkpoints
  if (folder === undefined) return
  for (const event of events) {
    if (event.kind === 'checkpoint') yield* writeCheckpointRecord(folder, event, run.durableFolders)
  }
}
