import { FaultlineError, whenReady } from '../../core/index.ts'
import type { JsonValue, MaybePromise } from '../../core/index.ts'
import type { WorkflowDefinition } from '../../definition/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileProgram, StartRequest } from '../../ports/index.ts'
import { compileSchema, describeViolations } from '../definitions/index.ts'
import { ensureFolder } from '../store/durable-file.ts'
import { EventLog } from '../store/event-log.ts'
import { runLayout } from '../store/layout.ts'
import type { RunLayout } from '../store/layout.ts'
import { takeLock } from '../store/lock.ts'
import { compileWorkflow, definitionDigest } from './compiled-workflow.ts'
import type { CompiledWorkflow } from './compiled-workflow.ts'
import { closeFiles, commit, liveRun, saveLastPointer, saveState } from './live-run.ts'
import type { LifeParts, LiveRun } from './live-run.ts'
import { initialState } from './run-state.ts'

/** Persists the beginning of a run: folder, lock, event 0, snapshot, last pointer, in this order. */
export function startRun(request: StartRequest, life: LifeParts): MaybePromise<LiveRun> {
  const { definition, input } = request
  const definitionSha256 = definitionDigest(definition, life.ports.digest)
  return whenReady(checkInput(definition, input), () =>
    whenReady(compileWorkflow(definition, definitionSha256), (workflow) =>
      life.disk.run(begin(request, workflow, life)),
    ),
  )
}

/** @throws FaultlineError `INPUT_INVALID` naming what does not fit. */
function checkInput({ id, inputSchema }: WorkflowDefinition, input: JsonValue): MaybePromise<void> {
  if (inputSchema === undefined) return undefined
  return whenReady(compileSchema(inputSchema), (schema) => {
    const violations = schema.violations(input)
    if (violations.length === 0) return
    throw new FaultlineError(
      'INPUT_INVALID',
      `The input does not fit the inputSchema of workflow '${id}': ${describeViolations(violations)}.`,
      { details: { workflowId: id, violations } },
    )
  })
}

function* begin(request: StartRequest, workflow: CompiledWorkflow, life: LifeParts): FileProgram<LiveRun> {
  const { ports } = life
  const { runId, layout } = yield* freshRun(workflow.definition.id, life)
  yield* ensureFolder(layout.folder, life.durableFolders)
  const lock = yield* takeLock(layout, { runId, epoch: 1 }, ports.owner, false)
  const identity = { workflowId: workflow.definition.id, runId, correlationId: request.correlationId }
  const log = new EventLog({
    layout,
    digest: ports.digest,
    identity,
    epoch: 1,
    length: 0,
    sizeBytes: 0,
    outputCapBytes: ports.outputCapBytes,
    durableFolders: life.durableFolders,
  })
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
  const run = liveRun(life, { layout, lock, log, state, saveSeq: 0 })
  try {
    yield* commit(run)
    yield* perform({ op: 'fsyncFolder', path: layout.folder })
    yield* saveState(run)
    yield* saveLastPointer(run)
    return run
  } catch (error) {
    // Nobody is handed the run, so nobody else can let go of them.
    try {
      yield* closeFiles(run)
    } catch {
      // What has stopped the start is told, not what came of it.
    }
    throw error
  }
}

function* freshRun(
  workflowId: string,
  { ports, store }: LifeParts,
): FileProgram<{ readonly runId: string; readonly layout: RunLayout }> {
  for (;;) {
    const runId = ports.ids.runId(workflowId)
    const layout = runLayout(store, runId)
    if ((yield* perform({ op: 'stat', path: layout.folder })) === undefined) return { runId, layout }
  }
}
