import { existsSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import { loadWorkflow, workflowFromText } from '../../engine/index.ts'
import type { LoadedWorkflow } from '../../engine/index.ts'
import { openProject, resumeProcessRun, runIdOrLast, runReader } from '../../harness/index.ts'
import { chooseAgents, loadAgents } from '../agents-module.ts'
import { finishRun } from '../finish-run.ts'
import { print, printError } from '../output.ts'
import { readTextFile } from '../read-text-file.ts'
import { progressLine } from '../render.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface ResumeOptions extends StateDirectoryOption {
  readonly from?: 'loop-target'
  readonly artifacts?: 'refuse' | 'rebuild' | 'accept'
  readonly definition?: 'refuse' | 'current'
  readonly takeOver?: boolean
  readonly agents?: string
}

export function resumeCommand(): Command {
  return new Command('resume')
    .description('Go on with a run that failed or was interrupted; completed steps do not run again.')
    .argument('[runId]', 'default: the last run')
    .option(
      '--from <place>',
      'loop-target: after a failed gate, start where its on_fail points',
      oneOf(['loop-target']),
    )
    .option(
      '--artifacts <what>',
      'for changed artifacts: refuse, rebuild or accept',
      oneOf(['refuse', 'rebuild', 'accept']),
    )
    .option(
      '--definition <what>',
      'for a changed workflow file: refuse, or current to go on under what it says now',
      oneOf(['refuse', 'current']),
    )
    .option('--take-over', 'take the run from an owner on another host that is known to be dead')
    .addOption(stateDirectoryOption())
    .option('--agents <module>', 'agents module, in place of the one the run was started with')
    .action(async (runId: string | undefined, options: ResumeOptions) => {
      process.exitCode = await resume(runId, options)
    })
}

async function resume(named: string | undefined, options: ResumeOptions): Promise<number> {
  const folder = process.cwd()
  const directories = directoriesFrom(options)
  const reader = runReader(folder, directories)
  const runId = await runIdOrLast(reader, named)
  const { launch, definition } = (await reader.read(runId)).state
  const file = typeof launch['file'] === 'string' ? launch['file'] : null
  const present = await presentWorkflow(launch, options)
  const goesBy = options.definition === 'current' ? present?.definition : undefined
  const choice = chooseAgents(folder, agentsOf(launch, options), goesBy ?? definition)
  const session = await resumeProcessRun({
    project: openProject(folder),
    folder,
    directories,
    present,
    agents: await loadAgents(folder, choice),
    mockDelayMs: typeof launch['mockDelayMs'] === 'number' ? launch['mockDelayMs'] : 0,
    clock: launch['clock'] === 'virtual' ? 'virtual' : 'real',
    request: {
      runId,
      ...(options.from === undefined ? {} : { from: options.from }),
      ...(options.artifacts === undefined ? {} : { artifacts: options.artifacts }),
      ...(options.definition === undefined ? {} : { definition: options.definition }),
      takeOver: options.takeOver ?? false,
    },
    onEvent(event) {
      const line = progressLine(event)
      if (line !== undefined) print(line)
    },
  })
  for (const { level, message } of session.logs) if (level === 'warn') printError(`warning: ${message}`)
  print(`resume ${session.runId}`)
  const outcome = await session.runToEnd()
  const code = await finishRun(session, outcome, { workflowFile: file, arguments: process.argv.slice(3) })
  await session.close()
  return code
}

/** The workflow as its file has it now: a run whose definition was edited must not go on unnoticed. */
async function presentWorkflow(
  launch: JsonObject,
  { definition }: ResumeOptions,
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
  options: ResumeOptions,
): { readonly mock?: boolean; readonly agents?: string } {
  if (options.agents !== undefined) return { agents: options.agents }
  if (!isJsonObject(launch)) return {}
  if (launch['mock'] === true) return { mock: true }
  return typeof launch['agents'] === 'string' ? { agents: launch['agents'] } : {}
}

function oneOf<T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((one) => one === text)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`it must be ${allowed.map((one) => `'${one}'`).join(' or ')}.`)
  }
}
