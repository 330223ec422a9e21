import { existsSync } from 'node:fs'
import { isJsonObject } from '../core/index.ts'
import type { JsonObject } from '../core/index.ts'
import { loadWorkflow, workflowFromText } from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { openProject, resumeProcessRun, runIdOrLast, runReader } from '../harness/index.ts'
import type { RecoverRequest } from '../ports/index.ts'
import { chooseAgents, loadAgents } from './agents-module.ts'
import { whileCancellable } from './cancel-watch.ts'
import { finishRun } from './finish-run.ts'
import { print, printError } from './output.ts'
import { readTextFile } from './read-text-file.ts'
import { progressLine } from './render.ts'
import { directoriesFrom } from './state-directory.ts'
import type { StateDirectoryOption } from './state-directory.ts'

export interface TakeUpOptions extends StateDirectoryOption {
  readonly agents?: string
}

/** Takes up a run that no process holds, and goes on to its end. */
export async function takeUpRun(
  named: string | undefined,
  options: TakeUpOptions,
  request: Omit<RecoverRequest, 'runId' | 'expects'>,
): Promise<number> {
  const folder = process.cwd()
  const directories = directoriesFrom(options)
  const reader = runReader(folder, directories)
  const runId = await runIdOrLast(reader, named)
  const { launch, definition } = (await reader.read(runId)).state
  const file = typeof launch['file'] === 'string' ? launch['file'] : null
  const present = await presentWorkflow(launch, request)
  const goesBy = request.definition === 'current' ? present?.definition : undefined
  const choice = chooseAgents(folder, agentsOf(launch, options), goesBy ?? definition)
  const session = await resumeProcessRun({
    project: openProject(folder),
    folder,
    directories,
    present,
    agents: await loadAgents(folder, choice),
    mockDelayMs: typeof launch['mockDelayMs'] === 'number' ? launch['mockDelayMs'] : 0,
    clock: launch['clock'] === 'virtual' ? 'virtual' : 'real',
    request: { ...request, runId },
    onEvent(event) {
      const line = progressLine(event)
      if (line !== undefined) print(line)
    },
  })
  for (const { level, message } of session.logs) if (level === 'warn') printError(`warning: ${message}`)
  print(`resume ${session.runId}`)
  const outcome = await whileCancellable(session, directories, () => session.runToEnd())
  const code = await finishRun(session, outcome, { workflowFile: file, arguments: process.argv.slice(3) })
  await session.close()
  return code
}

/** The workflow as its file has it now: a run whose definition was edited must not go on unnoticed. */
async function presentWorkflow(
  launch: JsonObject,
  { definition }: Pick<RecoverRequest, 'definition'>,
): Promise<LoadedWorkflow | undefined> {
  const { file, workflow } = launch
  if (typeof file !== 'string') return undefined
  const name = typeof workflow === 'string' ? workflow : undefined
  if (definition === 'current' || existsSync(file))
    return loadWorkflow(workflowFromText(readTextFile(file, 'workflow file'), file, name))
  print(
    `The workflow file '${file}' is not there any more: going on with the definition that the run recorded.`,
  )
  return undefined
}

function agentsOf(
  launch: JsonObject,
  options: TakeUpOptions,
): { readonly mock?: boolean; readonly agents?: string } {
  if (options.agents !== undefined) return { agents: options.agents }
  if (!isJsonObject(launch)) return {}
  if (launch['mock'] === true) return { mock: true }
  return typeof launch['agents'] === 'string' ? { agents: launch['agents'] } : {}
}
