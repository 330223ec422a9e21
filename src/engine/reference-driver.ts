import { checkId, FaultlineError, whenReady } from '../core/index.ts'
import type { MaybePromise } from '../core/index.ts'
import type {
  DriverPorts,
  FileProgram,
  Incarnation,
  ReaderPorts,
  RunReader,
  TickReport,
  WorkflowDriver,
} from '../ports/index.ts'
import { editArtifact } from './run/edit.ts'
import { foldLog } from './run/fold-log.ts'
import { forkRun } from './run/fork-run.ts'
import type { RunFork } from './run/fork-run.ts'
import { closeFiles } from './run/live-run.ts'
import type { LifeParts, LiveRun } from './run/live-run.ts'
import { recoverRun } from './run/recover-run.ts'
import { startRun } from './run/start-run.ts'
import { stateDocument } from './run/state-view.ts'
import { steadyClock } from './run/steady-clock.ts'
import { answerGate, cancelRun, tick } from './run/tick.ts'
import type { Moved } from './run/tick.ts'
import { checkpointsOf } from './store/checkpoint-record.ts'
import { DailyLog } from './store/daily-log.ts'
import { listHistory, readSavedState } from './store/history.ts'
import { readLastPointer } from './store/last-pointer.ts'
import { runLayout, storeLayout } from './store/layout.ts'
import type { RunLayout, StoreLayout } from './store/layout.ts'
import { readHolder, releaseLock } from './store/lock.ts'
import type { Holder } from './store/lock.ts'
import { listRuns, readStoredRun, unreadable } from './store/read-run.ts'
import type { StoredRun } from './store/read-run.ts'
import { serialDisk } from './store/serial-disk.ts'
import { checkStorageOptions } from './store/storage-options.ts'

/** The reference engine as a driver: the one with every capability. */
export function createReferenceDriver(): WorkflowDriver {
  return {
    name: 'reference',
    capabilities: { pause: 'engine', timeSkip: 'virtual', journal: 'events', artifacts: true, gates: true },
    incarnate: (ports) => createIncarnation(ports),
    reader: createRunReader,
  }
}

function createIncarnation(given: DriverPorts, forkedFrom?: RunFork): Incarnation {
  const clock = steadyClock(given.clock)
  const ports = { ...given, clock }
  const disk = serialDisk(ports.files)
  const store = storeLayout(ports.directories)
  checkStorageOptions(ports)
  const durableFolders = new Set(forkedFrom?.durableFolders)
  const dailyLog = new DailyLog(store.logs)
  const life: LifeParts = { ports, clock, disk, store, dailyLog, durableFolders }
  const guarded = guardedFor(store)
  const forked = forkedFrom?.over(life)
  let live = forked?.run
  let dueCalls = forked?.calls ?? []
  const onMachine = (report: TickReport): TickReport =>
    report.nextAt === undefined ? report : { ...report, nextAt: clock.ofMachine(report.nextAt) }
  const held = (): LiveRun => {
    if (live !== undefined) return live
    throw new FaultlineError('SESSION_MISUSE', 'No run is in hand: start or recover one first.')
  }
  return {
    start: (request) => guarded(() => whenReady(startRun(request, life), (run) => (live = run).state.runId)),
    recover: (request) =>
      guarded(() =>
        whenReady(recoverRun(request, life), (run) => {
          live = run
          const { workflow, ready, runId } = run.state
          return { runId, restarts: Array.from(ready, (index) => workflow.steps[index]?.id as string) }
        }),
      ),
    tick: (policy) =>
      whenReady(disk.run(tick(held(), policy)), (moved) => {
        if (policy.beforeCalls?.() === false) return onMachine(moved.report)
        const calls = dueCalls
        dueCalls = []
        return onMachine(act({ ...moved, actions: [...calls, ...moved.actions] }))
      }),
    state: () => stateDocument(held().acknowledged, held().saveSeq),
    edit: (path, data) => guarded(() => disk.run(editArtifact(held(), path, data))),
    answerGate: (step, decision) =>
      whenReady(disk.run(answerGate(held(), step, decision)), (moved) => void act(moved)),
    cancel: (reason) => whenReady(disk.run(cancelRun(held(), reason)), (moved) => void act(moved)),
    close: () => guarded(() => disk.run(live === undefined ? dailyLog.close() : letGo(live))),
    fork() {
      const fork = forkRun(held())
      return fork && ((otherPorts) => createIncarnation(otherPorts, fork))
    },
  }
}

/** Makes the calls that a tick has decided on. Outside of the file program, so that what they write waits for its turn. */
function act({ report, actions }: Moved): TickReport {
  for (const action of actions) action()
  return report
}

function createRunReader(ports: ReaderPorts): RunReader {
  const disk = serialDisk(ports.files)
  const store = storeLayout(ports.directories)
  const guarded = guardedFor(store)
  const layoutOf = (runId: string): RunLayout => {
    checkId('run id', runId)
    return runLayout(store, runId)
  }
  return {
    list: () => guarded(() => disk.run(listRuns(store))),
    checkpoints: (runId) =>
      guarded(() =>
        whenReady(disk.run(readStoredRun(runId, store, ports.digest)), (stored) =>
          checkpointsOf(stored, ports.digest),
        ),
      ),
    history: (runId) => guarded(() => disk.run(listHistory(layoutOf(runId)))),
    savedState: (runId, saveSeq) => guarded(() => disk.run(readSavedState(layoutOf(runId), saveSeq, ports))),
    last: () =>
      guarded(() =>
        whenReady(disk.run(readLastPointer(store, ports.digest)), ({ pointer }) => pointer?.runId),
      ),
    read: (runId, throughSeq) =>
      guarded(() =>
        whenReady(disk.run(readWithHolder(runId, store, ports)), ({ stored, holder }) =>
          whenReady(foldLog(stored, throughSeq), (folded) => {
            const state = stateDocument(folded, stored.saveSeq)
            const ownerless = holder.state === 'dead' || holder.state === 'free'
            return {
              state,
              ...(stored.stateProblem === undefined ? {} : { stateProblem: stored.stateProblem }),
              events: stored.log.events.filter(({ seq }) => seq <= state.seq),
              status:
                state.status === 'running' && ownerless && throughSeq === undefined
                  ? 'interrupted'
                  : state.status,
            }
          }),
        ),
      ),
  }
}

function* readWithHolder(
  runId: string,
  store: StoreLayout,
  ports: ReaderPorts,
): FileProgram<{ readonly stored: StoredRun; readonly holder: Holder }> {
  const stored = yield* readStoredRun(runId, store, ports.digest)
  return { stored, holder: yield* readHolder(stored.layout, ports.owner) }
}

function* letGo(run: LiveRun): FileProgram<void> {
  for (const attempt of run.attempts.values()) {
    attempt.ended = true
    attempt.abort('The engine is closing.')
  }
  run.attempts.clear()
  yield* closeFiles(run)
  if (run.acknowledged.status === 'running') yield* releaseLock(run.lock)
}

/** Turns errors of the disk under the state folder into one that says so. */
function guardedFor(store: StoreLayout): <T>(work: () => MaybePromise<T>) => MaybePromise<T> {
  return (work) => {
    try {
      const result = work()
      return result instanceof Promise
        ? result.catch((error: unknown) => {
            throw unreadable(error, store)
          })
        : result
    } catch (error) {
      throw unreadable(error, store)
    }
  }
}
