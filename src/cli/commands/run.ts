import { Command, InvalidArgumentError } from 'commander'
import { defaultSeed, FaultlineError } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import type { FaultPlan } from '../../definition/index.ts'
import { loadWorkflow, workflowFromText } from '../../engine/index.ts'
import { faultPlan } from '../../fault-injection/index.ts'
import { openProject, runReader, startProcessRun } from '../../harness/index.ts'
import { chooseAgents, loadAgents } from '../agents-module.ts'
import type { AgentsChoice } from '../agents-module.ts'
import { parseFaultOption } from '../fault-option.ts'
import { whileCancellable } from '../cancel-watch.ts'
import { finishRun } from '../finish-run.ts'
import { print } from '../output.ts'
import { assertNothingForeignInTheWay } from '../overwrite-check.ts'
import { readTextFile } from '../read-text-file.ts'
import { progressLine } from '../render.ts'
import { inputOption, readRunInput } from '../input-option.ts'
import { parseJson, seedOf } from '../run-options.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface RunOptions extends StateDirectoryOption {
  readonly mock?: boolean
  readonly agents?: string
  readonly fault: readonly string[]
  readonly plan?: string
  readonly seed?: number | string
  readonly input: readonly string[]
  readonly workflow?: string
  readonly mockDelay: number
  readonly force?: boolean
  readonly clock?: 'virtual' | 'real'
}

export function runCommand(): Command {
  return new Command('run')
    .description('Run a workflow in the current folder; its state is kept in .workflow.')
    .argument('<file>', 'workflow definition (YAML or JSON)')
    .option('--workflow <name>', 'this one, of a file that holds several')
    .option('--mock', 'let stand-ins produce every declared artifact')
    .option('--agents <module>', `module that exports 'agents' (default: faultline.agents.*)`)
    .option('--fault <kind:step>', 'break a step: agent-error:review (repeatable)', collect, [])
    .option('--plan <file>', 'fault plan (JSON)')
    .option('--seed <seed>', 'seed of everything random', seedOf)
    .addOption(inputOption('input of the run'))
    .option('--mock-delay <ms>', 'time every stand-in takes', milliseconds, 0)
    .option('--clock <clock>', 'virtual (time passes only when all wait for it) or real', clockOf)
    .addOption(stateDirectoryOption())
    .option('--force', 'replace files that no run has produced')
    .action(async (file: string, options: RunOptions) => {
      process.exitCode = await run(file, options)
    })
}

async function run(file: string, options: RunOptions): Promise<number> {
  const folder = process.cwd()
  const project = openProject(folder)
  const directories = directoriesFrom(options)
  const text = readTextFile(file, 'workflow file')
  const loaded = await loadWorkflow(workflowFromText(text, file, options.workflow))
  const choice = chooseAgents(folder, options, loaded.definition)
  const agents = await loadAgents(folder, choice)
  const plan = readPlan(options)
  if (options.force !== true)
    await assertNothingForeignInTheWay(project, loaded.definition, runReader(folder, directories))
  const seed = plan.seed ?? options.seed ?? defaultSeed
  const clock = options.clock ?? (choice.kind === 'mock' && options.mockDelay === 0 ? 'virtual' : 'real')
  const session = await startProcessRun(loaded, {
    project,
    folder,
    agents,
    mockDelayMs: options.mockDelay,
    clock,
    directories,
    plan,
    seed,
    input: readRunInput(options.input),
    launch: {
      file,
      ...(options.workflow === undefined ? {} : { workflow: options.workflow }),
      clock,
      ...(options.stateDir === undefined ? {} : { stateDirectory: options.stateDir }),
      ...launchOf(choice, options),
    },
    onEvent(event) {
      const line = progressLine(event)
      if (line !== undefined) print(line)
    },
  })
  print(`run ${session.runId}`)
  const outcome = await whileCancellable(session, directories, () => session.runToEnd())
  const code = await finishRun(session, outcome, { workflowFile: file, arguments: process.argv.slice(3) })
  await session.close()
  return code
}

/** What a later process needs to know of the agents. */
function launchOf(choice: AgentsChoice, { mockDelay }: RunOptions): JsonObject {
  if (choice.kind === 'mock') return { mock: true, mockDelayMs: mockDelay }
  return choice.kind === 'module' ? { agents: choice.path } : {}
}

function readPlan(options: RunOptions): FaultPlan {
  const faults = options.fault.map(parseFaultOption)
  if (options.plan === undefined) return faultPlan(faults)
  const plan = parseJson(
    readTextFile(options.plan, 'fault plan'),
    `The fault plan '${options.plan}'`,
  ) as unknown as FaultPlan
  if (!Array.isArray(plan?.faults)) {
    throw new FaultlineError(
      'FAULT_PLAN_INVALID',
      `The fault plan '${options.plan}' must be { "version": 1, "faults": [...] }.`,
    )
  }
  return { ...plan, faults: [...plan.faults, ...faults] }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function milliseconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('it must be a whole number of milliseconds.')
}

function clockOf(text: string): 'virtual' | 'real' {
  if (text === 'virtual' || text === 'real') return text
  throw new InvalidArgumentError(`it must be 'virtual' or 'real'.`)
}
