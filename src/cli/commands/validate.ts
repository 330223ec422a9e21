import { Command } from 'commander'
import { builtInStepProblem } from '../../built-in-steps/index.ts'
import { isFaultlineError } from '../../core/index.ts'
import { describeProblems } from '../../engine/index.ts'
import type { ReadWorkflow } from '../../engine/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { print, printError } from '../output.ts'
import { readWorkflowFile } from '../read-workflow.ts'

interface ValidateOptions {
  readonly workflow?: string
}

export function validateCommand(): Command {
  return new Command('validate')
    .description('Check a workflow definition without running anything.')
    .argument('<file>', 'workflow definition (YAML or JSON)')
    .option('--workflow <name>', 'only this one, of a file that holds several')
    .action(async (file: string, { workflow }: ValidateOptions) => {
      process.exitCode = await validate(file, workflow)
    })
}

async function validate(file: string, name: string | undefined): Promise<number> {
  const problems = new Set<string>()
  const collect = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!isFaultlineError(error, 'DEFINITION_INVALID')) throw error
      for (const line of describeProblems(error, file)) problems.add(line)
      return undefined
    }
  }
  const read = await collect(() => readWorkflowFile(file))
  for (const each of name === undefined ? (read?.names ?? []) : [name]) {
    const loaded = await collect(async () => read?.load(each))
    if (loaded === undefined) continue
    print(describe(file, loaded))
    for (const line of doubts(loaded)) printError(line)
  }
  for (const line of problems) printError(line)
  if (problems.size === 0) return exitCodes.good
  printError(counted(problems.size, 'problem'))
  return exitCodes.usage
}

/** What only agents of the user's by the names of built-in steps could make good. */
function doubts(workflow: ReadWorkflow): readonly string[] {
  return workflow.definition.steps.flatMap((step, index) => {
    const problem = builtInStepProblem(step)
    if (problem === undefined) return []
    const place =
      workflow.locate(`steps.${step.id}.parameters`) ??
      workflow.locate(`steps.${step.id}.agent`) ??
      `step ${index + 1}`
    return [
      `warning: ${place}: ${problem} A run is refused, unless an agent of yours is named '${step.agent}'.`,
    ]
  })
}

function describe(file: string, { dialect, definition }: ReadWorkflow): string {
  const { id, steps, edges } = definition
  const conditions = [...steps, ...edges].filter(({ condition }) => condition !== undefined).length
  const gates = steps.filter(({ gate }) => gate !== undefined).length
  const counts = [counted(steps.length, 'step'), counted(edges.length, 'dependency', 'dependencies')]
  if (conditions > 0) counts.push(counted(conditions, 'condition'))
  if (gates > 0) counts.push(counted(gates, 'gate'))
  return `${file}: ${dialect} '${id}' is valid: ${counts.join(', ')}`
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
