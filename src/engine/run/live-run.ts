import { deepFreeze, joinPath, messageOf } from '../../core/index.ts'
import type { JsonValue, StepKey } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { AgentOutput, DriverPorts, FileProgram, GateDecision } from '../../ports/index.ts'
import type {
  EventBody,
  EventEnvelope,
  LogEntry,
  ProcessGroup,
  ScoringResult,
  StepError,
  WorkflowEvent,
} from '../../trace/index.ts'
import type { ContextServices } from '../step/agent-context.ts'
import type { Attempt } from '../step/attempt.ts'
import { errorOf } from '../step/judgement.ts'
import { ownFrames } from '../step/own-frames.ts'
import type { DailyLog } from '../store/daily-log.ts'
import { replaceFile, temporarySuffix } from '../store/durable-file.ts'
import type { EventLog } from '../store/event-log.ts'
import { keepState, pruneHistory } from '../store/history.ts'
import type { RunLayout, StoreLayout } from '../store/layout.ts'
import { encodePointer } from '../store/last-pointer.ts'
import type { HeldLock } from '../store/lock.ts'
import type { SerialDisk } from '../store/serial-disk.ts'
import { encodeState } from '../store/state-file.ts'
import { reduce } from './reducer.ts'
import type { RunState } from './run-state.ts'
import { stateJson } from './state-view.ts'
import type { SteadyClock } from './steady-clock.ts'

/** What one life of the engine works with, whichever run it holds. */
export interface LifeParts {
  readonly ports: DriverPorts
  readonly clock: SteadyClock
  readonly disk: SerialDisk
  readonly store: StoreLayout
  readonly dailyLog: DailyLog
  /** Folders that this life has made durable, or seen that they are. */
  readonly durableFolders: Set<string>
}

/** The run that an incarnation holds: its state and what is in flight. */
export interface LiveRun extends LifeParts {
  readonly layout: RunLayout
  readonly lock: HeldLock
  readonly log: EventLog
  /** Includes events that are noted but not yet durable. */
  state: RunState
  /** Durable events only: what may be told to anybody. */
  acknowledged: RunState
  saveSeq: number
  savedAtBytes: number
  /** Calls in flight by step index. */
  readonly attempts: Map<number, Attempt>
  /** Steps whose gate is being asked. */
  readonly gating: Set<number>
  /** What agents and gates have answered, in order of arrival. */
  readonly inbox: Result[]
  /** What was thrown, by the error that it was put down as, until that has been told. */
  readonly causes: Map<StepError, unknown>
  /** Lent to the contexts of all attempts. */
  readonly services: ContextServices
}

/** The run that an incarnation has just started or taken over: nothing is in flight. */
export function liveRun(
  life: LifeParts,
  { layout, lock, log, state, saveSeq }: Pick<LiveRun, 'layout' | 'lock' | 'log' | 'state' | 'saveSeq'>,
): LiveRun {
  life.clock.startFrom(state.updatedAt)
  const run: LiveRun = {
    ports: life.ports,
    clock: life.clock,
    disk: life.disk,
    store: life.store,
    dailyLog: life.dailyLog,
    layout,
    lock,
    log,
    state,
    saveSeq,
    durableFolders: life.durableFolders,
    acknowledged: state,
    savedAtBytes: 0,
    attempts: new Map(),
    gating: new Set(),
    inbox: [],
    causes: new Map(),
    services: contextServices(
      life,
      state,
      () => run.acknowledged,
      (made) => {
        run.inbox.push(made)
        life.ports.wake()
      },
    ),
  }
  return run
}

function contextServices(
  { ports, disk, store, dailyLog, durableFolders }: LifeParts,
  state: RunState,
  acknowledged: () => RunState,
  arrive: (made: ProcessMade) => void,
): ContextServices {
  const { runId, correlationId, seed } = state
  const workflowId = state.workflow.definition.id
  return {
    clock: ports.clock,
    digest: ports.digest,
    run: (program) => disk.run(program),
    durableFolders,
    store,
    log({ key }, message) {
      const entry = logEntry(ports, state, 'info', message, key)
      tell(() => ports.observer.log(entry))
      void disk.run(dailyLog.write(entry))
    },
    workflowId,
    runId,
    correlationId,
    input: () => deepFreeze(acknowledged().input),
    seed,
    project: { folder: ports.projectFolder },
    services: state.workflow.definition.services,
    http: ports.http,
    processes: ports.processes && {
      processes: ports.processes,
      announce: (attempt, group) =>
        new Promise<void>((recorded) => arrive({ type: 'process-made', attempt, group, recorded })),
      running: new Map(),
    },
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
  | ProcessMade

/** A process of an attempt waits to be let go. */
export interface ProcessMade {
  readonly type: 'process-made'
  readonly attempt: Attempt
  readonly group: ProcessGroup
  /** To be called once the log has it. */
  readonly recorded: () => void
}

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
  yield* acknowledge(run, events)
  return events
}

/** Events have become durable: they may be told. */
export function* acknowledge(run: LiveRun, events: readonly WorkflowEvent[]): FileProgram<void> {
  run.acknowledged = run.state
  for (const event of events) {
    const problem = tell(() => run.ports.observer.event(event))
    if (problem !== undefined)
      yield* warn(run, `The observer failed at event ${event.seq} (${event.kind}): ${problem}`)
    const failure = failureIn(event)
    if (failure !== undefined) yield* recordFailure(run, event, failure)
  }
  run.causes.clear()
}

/** An error that will tell where it was thrown. */
export function caught(run: LiveRun, thrown: unknown): StepError {
  const error = errorOf(thrown)
  run.causes.set(error, thrown)
  return error
}

/** What went wrong for good, if the event says so. The end of a run only repeats the failure of a step. */
function failureIn(event: WorkflowEvent): string | undefined {
  switch (event.kind) {
    case 'step_fail':
      return event.error.message
    case 'workflow_cancel':
      return `The run was cancelled: ${event.reason}`
    case 'workflow_end':
      return event.step === undefined ? event.error?.message : undefined
    default:
      return undefined
  }
}

/** Tells the daily log of it. */
function* recordFailure(run: LiveRun, event: WorkflowEvent, message: string): FileProgram<void> {
  const key =
    event.kind === 'step_fail' ? { step: event.step, visit: event.visit, attempt: event.attempt } : undefined
  const stack =
    event.kind === 'step_fail' ? ownFrames(run.causes.get(event.error), run.ports.projectFolder) : []
  yield* run.dailyLog.write({
    ...logEntry(run.ports, run.state, 'error', message, key),
    ...(stack.length === 0 ? {} : { stack }),
  })
}

/** An observer is a guest: what it throws must not stop the run. Returns what that said. */
function tell(observer: () => void): string | undefined {
  try {
    observer()
    return undefined
  } catch (thrown) {
    return messageOf(thrown)
  }
}

/** Tells the observer and the daily log what the engine itself has to say. */
export function* warn(run: LiveRun, message: string): FileProgram<void> {
  const entry = logEntry(run.ports, run.state, 'warn', message)
  tell(() => run.ports.observer.log(entry))
  yield* run.dailyLog.write(entry)
}

function logEntry(
  { clock }: DriverPorts,
  { workflow, runId, correlationId }: RunState,
  level: LogEntry['level'],
  message: string,
  key?: StepKey,
): LogEntry {
  return { at: clock.now(), level, message, workflowId: workflow.definition.id, runId, correlationId, ...key }
}

/** Lets go of the files that the run holds open. */
export function* closeFiles(run: LiveRun): FileProgram<void> {
  yield* perform({ op: 'close', path: run.layout.log })
  yield* run.dailyLog.close()
}

/** Writes the snapshot. A failure poisons the log: a run that cannot save must not go on. */
export function* saveState(run: LiveRun): FileProgram<void> {
  const { layout, ports } = run
  const { keep = 0, compress = false } = ports.history ?? {}
  const json = stateJson(run.acknowledged, run.saveSeq + 1)
  try {
    if (keep > 0) yield* keepState(run, compress)
    yield* replaceFile(layout.state, encodeState(json, ports.digest))
    if (keep > 0) yield* pruneHistory(layout, keep)
  } catch (error) {
    throw run.log.poison(error)
  }
  run.saveSeq++
  run.savedAtBytes = run.log.sizeBytes
}

/** Prepared in the run's own folder: other runs may be writing theirs at the same time. */
export function* saveLastPointer(run: LiveRun): FileProgram<void> {
  const pointer = { runId: run.state.runId, seq: run.acknowledged.seq }
  const temporary = joinPath(run.layout.folder, `last.json${temporarySuffix}`)
  try {
    yield* replaceFile(run.store.last, encodePointer(pointer, run.ports.digest), temporary)
  } catch (error) {
    throw run.log.poison(error)
  }
}
