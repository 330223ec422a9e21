import { Command } from 'commander'
import { FaultlineError } from '../../core/index.ts'
import { stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'
import { takeUpRun } from '../take-up-run.ts'

interface AnswerOptions extends StateDirectoryOption {
  readonly pass?: boolean
  readonly fail?: boolean
  readonly reason?: string
  readonly agents?: string
}

export function answerCommand(): Command {
  return new Command('answer')
    .description('Answer the gate of a step that waits for a person, and go on with the run.')
    .argument('<runId>')
    .argument('<step>', 'the step whose gate waits')
    .option('--pass', 'the gate passes')
    .option('--fail', 'the gate does not pass')
    .option('--reason <text>', 'why, for the record')
    .addOption(stateDirectoryOption())
    .option('--agents <module>', 'agents module, in place of the one the run was started with')
    .action(async (runId: string, step: string, options: AnswerOptions) => {
      process.exitCode = await answer(runId, step, options)
    })
}

async function answer(runId: string, step: string, options: AnswerOptions): Promise<number> {
  const { pass = false, fail = false, reason } = options
  if (pass === fail)
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `Say how the gate is answered: either --pass or --fail.`,
    )
  const decision = { passed: pass, ...(reason === undefined ? {} : { reason }) }
  return takeUpRun(runId, options, { answers: { [step]: decision } })
}
