import { whenReady } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DriverPorts, FileProgram, StartRequest } from '../../ports/index.ts'
import { ensureFolder } from '../store/durable-file.ts'
import { EventLog } from '../store/event-log.ts'
import { runLayout } from '../store/layout.ts'
import { takeLock } from '../store/lock.ts'
import type { SerialDisk } from '../store/serial-disk.ts'
import { compileWorkflow, definitionDigest } from './compiled-workflow.ts'
import type { CompiledWorkflow } from './compiled-workflow.ts'
import { commit, liveRun, saveLastPointer, saveState } from './live-run.ts'
import type { LiveRun } from './live-run.ts'
import { initialState } from './run-state.ts'

/** Persists the beginning of a run: folder, lock, event 0, snapshot, last pointer, in this order. */
export function startRun(request: StartRequest, ports: DriverPorts, disk: SerialDisk): MaybePromise<LiveRun> {
  const definitionSha256 = definitionDigest(request.definition, ports.digest)
  return whenReady(compileWorkflow(request.definition, definitionSha256), (workflow) =>
    disk.run(begin(request, workflow, ports, disk)),
  )
}

function* begin(
  request: StartRequest,
  workflow: CompiledWorkflow,
  ports: DriverPorts,
  disk: SerialDisk,
): FileProgram<LiveRun> {
  const runId = yield* freshRunId(workflow.definition.id, ports)
  const layout = runLayout(runId)
  const durableFolders = new Set<string>()
  yield* ensureFolder(layout.folder, durableFolders)
  yield* takeLock(layout, runId, ports.owner, false)
  const identity = { workflowId: workflow.definition.id, runId, correlationId: request.correlationId }
  const log = new EventLog({ layout, digest: ports.digest, identity, epoch: 1, length: 0, sizeBytes: 0 })
  const event = log.note(ports.clock.now(), {
    kind: 'workflow_start',
    status: 'running',
    definition: workflow.definition,
    definitionSha256: workflow.definitionSha256,
    input: request.input,
    seed: request.seed,
    launch: request.launch,
    owner: ports.owner.self.nonce,
  })
  const state = initialState(workflow, event)
  const run = liveRun({ ports, disk, layout, log, state, saveSeq: 0, durableFolders })
  yield* commit(run)
  yield* perform({ op: 'fsyncFolder', path: layout.folder })
  yield* saveState(run)
  yield* saveLastPointer(run)
  return run
}

function* freshRunId(workflowId: string, ports: DriverPorts): FileProgram<string> {
  for (;;) {
    const runId = ports.ids.runId(workflowId)
    if ((yield* perform({ op: 'stat', path: runLayout(runId).folder })) === undefined) return runId
  }
}
