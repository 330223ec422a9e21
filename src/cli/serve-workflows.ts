import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { createHttpService, systemEnvironment } from '../adapters/node/index.ts'
import { createRedactor } from '../bundle/index.ts'
import { isFaultlineError, messageOf } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import { createEngine } from '../embedding/index.ts'
import type { RunHandle } from '../embedding/index.ts'
import { assertRunnable, mockAgent, openProject, runReader } from '../harness/index.ts'
import type { Project } from '../harness/index.ts'
import type { Agents, Directories } from '../ports/index.ts'
import { checkedServices, createHealthBoard, servicesOf, startService } from '../server/index.ts'
import { chooseAgents, loadAgents } from './agents-module.ts'
import { whileCancellable } from './cancel-watch.ts'
import { exitCodes } from './exit-codes.ts'
import { launchRecord } from './launch-record.ts'
import { print, printError } from './output.ts'
import { assertNothingForeignInTheWay } from './overwrite-check.ts'
import { readDefinitions } from './read-definitions.ts'
import type { DefinedWorkflow } from './read-definitions.ts'
import type { ServeOptions } from './serve-options.ts'
import { directoriesFrom, nextLine, resumeLine } from './state-directory.ts'

/** Serves until it is asked to end. */
export async function serveWorkflows(paths: readonly string[], options: ServeOptions): Promise<number> {
  const folder = process.cwd()
  const project = openProject(folder)
  const defined = await readDefinitions(paths)
  const definitions = defined.map(({ workflow }) => workflow.definition)
  const choice = chooseAgents(folder, options, { steps: definitions.flatMap(({ steps }) => steps) })
  const agents = (await loadAgents(folder, choice)) ?? standIns(definitions, options.mockDelay)
  await assertAllRunnable(defined, project, agents)
  const directories = directoriesFrom(options)
  const engine = createEngine({ project: folder, agents, directories })
  const served = new Map(defined.map((each) => [each.workflow.definition.id, each]))
  const reader = runReader(folder, directories)
  const environment = systemEnvironment()
  const redactor = createRedactor({ environment, roots: { '<project>': folder } })
  const check = checkedServices({ http: createHttpService(), environment })
  const service = await startService({
    workflows: new Map(defined.map(({ workflow }) => [workflow.definition.id, workflow] as const)),
    services: createHealthBoard(servicesOf(definitions), check, Date.now),
    runs: engine.runs,
    async start({ definition }, request) {
      const { workflow, file, name } = served.get(definition.id) as DefinedWorkflow
      await assertRunnable(workflow, { project, agents })
      if (options.force !== true) await assertNothingForeignInTheWay(project, definition, reader)
      const { mockDelay, stateDir } = options
      const launch = launchRecord({ file, workflow: name, clock: 'real', stateDir, choice, mockDelay })
      const run = await engine.start(workflow, { ...request, launch })
      print(`run      ${run.runId}`)
      void follow(run, directories)
      return run
    },
    redact: (value) => redactor.json(value),
    host: options.host,
    port: options.port,
    failed: (error) => printError(`error: ${redactor.text(stackOf(error))}`),
  })
  print(`serving  ${service.url}`)
  for (const { workflow, file } of defined) print(`workflow ${workflow.definition.id}  (${file})`)

  await asked()
  await service.close()
  if (engine.running.length > 0) {
    print(
      `waiting up to ${options.grace} s for ${engine.running.length} running; ask again to let go of them`,
    )
    const ended = Promise.allSettled(engine.running.map(({ result }) => result))
    await Promise.race([ended, pause(options.grace * 1_000), asked()])
  }
  const letGo = engine.running.map(({ runId }) => runId)
  await engine.close()
  const launch = options.stateDir === undefined ? {} : { stateDirectory: options.stateDir }
  for (const runId of letGo) print(`let go   ${runId}\nresume   ${resumeLine({ runId, launch })}`)
  // An agent that does not hear of its end must not hold up the process.
  process.exit(exitCodes.good)
}

/** Agents and parameters of every workflow; a file that a step requires may still come. */
async function assertAllRunnable(
  defined: readonly DefinedWorkflow[],
  project: Project,
  agents: Agents,
): Promise<void> {
  for (const { workflow } of defined) {
    try {
      await assertRunnable(workflow, { project, agents })
    } catch (error) {
      if (!isFaultlineError(error, 'REQUIRED_FILE_MISSING')) throw error
    }
  }
}

function standIns(definitions: readonly WorkflowDefinition[], delayMs: number): Agents {
  const mock = mockAgent({ delayMs })
  const names = definitions.flatMap(({ steps }) =>
    steps.flatMap(({ agent, undo }) => (undo === undefined ? [agent] : [agent, undo.agent])),
  )
  return Object.fromEntries(names.map((name) => [name, mock]))
}

/** Says how a run ends, and lets `faultline cancel` end it. */
async function follow(run: RunHandle, directories: Directories): Promise<void> {
  try {
    const { status, error, state } = await whileCancellable(run, directories, () => run.result)
    const at = error === null || error.step === null ? '' : ` at ${error.step}`
    print(`${status.padEnd(8)} ${run.runId}${error === null ? '' : `${at}: ${error.message}`}`)
    if (status === 'paused' || status === 'waiting') print(`next     ${nextLine(state, status)}`)
    if (status === 'failed') print(`resume   ${resumeLine(state)}`)
  } catch (error) {
    if (!isFaultlineError(error, 'RUN_LET_GO')) printError(`error: run ${run.runId}: ${messageOf(error)}`)
  }
}

/** Resolves when the process is asked to end. */
async function asked(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

function stackOf(error: unknown): string {
  return (error instanceof Error ? error.stack : undefined) ?? messageOf(error)
}
