import type { JsonValue } from '../../core/index.ts'
import type { AgentOutput, DriverPorts, FileProgram, GateDecision } from '../../ports/index.ts'
import type { EventBody, EventEnvelope, ScoringResult, WorkflowEvent } from '../../trace/index.ts'
import type { ContextServices } from '../step/agent-context.ts'
import type { Attempt } from '../step/attempt.ts'
import { replaceFile } from '../store/durable-file.ts'
import type { EventLog } from '../store/event-log.ts'
import { lastPointerPath } from '../store/layout.ts'
import type { RunLayout } from '../store/layout.ts'
import { encodePointer } from '../store/read-run.ts'
import type { SerialDisk } from '../store/serial-disk.ts'
import { encodeState } from '../store/state-file.ts'
import { reduce } from './reducer.ts'
import type { RunState } from './run-state.ts'
import { recordedOutputs, stateJson } from './state-view.ts'

/** The run that an incarnation holds: its state and what is in flight. */
export interface LiveRun {
  readonly ports: DriverPorts
  readonly disk: SerialDisk
  readonly layout: RunLayout
  readonly log: EventLog
  /** Includes events that are noted but not yet durable. */
  state: RunState
  /** Durable events only: what may be told to anybody. */
  acknowledged: RunState
  saveSeq: number
  savedAtBytes: number
  /** Folders that this life has made durable, or seen that they are. */
  readonly durableFolders: Set<string>
  /** Calls in flight by step index. */
  readonly attempts: Map<number, Attempt>
  /** Steps whose gate is being asked. */
  readonly gating: Set<number>
  /** What agents and gates have answered, in order of arrival. */
  readonly inbox: Result[]
  /** Lent to the contexts of all attempts. */
  readonly services: ContextServices
}

/** The run that an incarnation has just started or taken over: nothing is in flight. */
export function liveRun({
  ports,
  disk,
  layout,
  log,
  state,
  saveSeq,
  durableFolders,
}: Pick<LiveRun, 'ports' | 'disk' | 'layout' | 'log' | 'state' | 'saveSeq' | 'durableFolders'>): LiveRun {
  const run: LiveRun = {
    ports,
    disk,
    layout,
    log,
    state,
    saveSeq,
    durableFolders,
    acknowledged: state,
    savedAtBytes: 0,
    attempts: new Map(),
    gating: new Set(),
    inbox: [],
    services: contextServices({ ports, disk, state, durableFolders }, () => run.acknowledged),
  }
  return run
}

function contextServices(
  { ports, disk, state, durableFolders }: Pick<LiveRun, 'ports' | 'disk' | 'state' | 'durableFolders'>,
  acknowledged: () => RunState,
): ContextServices {
  const { runId, correlationId, input, seed } = state
  const workflowId = state.workflow.definition.id
  return {
    clock: ports.clock,
    digest: ports.digest,
    run: (program) => disk.run(program),
    durableFolders,
    log: ({ key }, message) =>
      ports.observer.log({
        at: ports.clock.now(),
        level: 'info',
        message,
        workflowId,
        runId,
        correlationId,
        ...key,
      }),
    outputs: () => recordedOutputs(acknowledged()),
    workflowId,
    runId,
    correlationId,
    input,
    seed,
    project: { folder: ports.projectFolder },
  }
}

export type Result =
  | { readonly type: 'returned'; readonly attempt: Attempt; readonly output: AgentOutput }
  | { readonly type: 'threw'; readonly attempt: Attempt; readonly thrown: unknown }
  | {
      readonly type: 'gate-decided'
      readonly attempt: Attempt
      readonly returned: Returned
      readonly decision: GateDecision
    }
  | { readonly type: 'gate-threw'; readonly attempt: Attempt; readonly thrown: unknown }

/** What a step has returned, judged good. */
export interface Returned {
  readonly output: JsonValue
  readonly scoring: ScoringResult | undefined
}

/** Numbers an event and folds it; it is true once the log has been committed. */
export function note<B extends EventBody>(run: LiveRun, body: B): EventEnvelope & B {
  const event = run.log.note(run.ports.clock.now(), body)
  run.state = reduce(run.state, event)
  return event
}

/** Makes what was noted durable, then tells the observer. */
export function* commit(run: LiveRun): FileProgram<readonly WorkflowEvent[]> {
  const events = yield* run.log.commit()
  run.acknowledged = run.state
  tellObserver(run.ports, events)
  return events
}

export function tellObserver(ports: DriverPorts, events: readonly WorkflowEvent[]): void {
  for (const event of events) {
    try {
      ports.observer.event(event)
    } catch {
      // An observer is a guest: what it throws must not stop the run.
    }
  }
}

/** Writes the snapshot. A failure poisons the log: a run that cannot save must not go on. */
export function* saveState(run: LiveRun): FileProgram<void> {
  const json = stateJson(run.acknowledged, run.saveSeq + 1)
  try {
    yield* replaceFile(run.layout.state, encodeState(json, run.ports.digest))
  } catch (error) {
    throw run.log.poison(error)
  }
  run.saveSeq++
  run.savedAtBytes = run.log.sizeBytes
}

export function* saveLastPointer(run: LiveRun): FileProgram<void> {
  const pointer = { runId: run.state.runId, seq: run.acknowledged.seq }
  try {
    yield* replaceFile(lastPointerPath, encodePointer(pointer, run.ports.digest))
  } catch (error) {
    throw run.log.poison(error)
  }
}
