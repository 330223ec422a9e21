#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../adapters/node/index.ts'
import { isFaultlineError, messageOf } from '../core/index.ts'
import { answerCommand } from './commands/answer.ts'
import { bundleCommand } from './commands/bundle.ts'
import { cancelCommand } from './commands/cancel.ts'
import { diagnosticsCommand } from './commands/diagnostics.ts'
import { graphCommand } from './commands/graph.ts'
import { historyCommand } from './commands/history.ts'
import { replayCommand } from './commands/replay.ts'
import { resumeCommand } from './commands/resume.ts'
import { runCommand } from './commands/run.ts'
import { showCommand } from './commands/show.ts'
import { stateCommand } from './commands/state.ts'
import { statusCommand } from './commands/status.ts'
import { sweepCommand } from './commands/sweep.ts'
import { timelineCommand } from './commands/timeline.ts'
import { validateCommand } from './commands/validate.ts'
import { exitCodes } from './exit-codes.ts'
import { printError } from './output.ts'

/** The `faultline` command: one subcommand a file in `commands`, exit codes in one table, no stack trace for a mistake. */
const program = new Command('faultline')
  .description('Run workflows, break them on purpose, resume them, and replay what failed.')
  .version(packageVersion(), '--version')
  .exitOverride()
  .configureOutput({ outputError: (text) => printError(text.trimEnd().replaceAll('\n', ' ')) })
  .addCommand(runCommand())
  .addCommand(resumeCommand())
  .addCommand(answerCommand())
  .addCommand(cancelCommand())
  .addCommand(statusCommand())
  .addCommand(historyCommand())
  .addCommand(timelineCommand())
  .addCommand(diagnosticsCommand())
  .addCommand(stateCommand())
  .addCommand(showCommand())
  .addCommand(replayCommand())
  .addCommand(bundleCommand())
  .addCommand(validateCommand())
  .addCommand(graphCommand())
  .addCommand(sweepCommand())

inherit(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

/** Subcommands too end by an exception, in one paragraph. */
function inherit(parent: Command): void {
  for (const command of parent.commands) inherit(command.exitOverride().copyInheritedSettings(parent))
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage
  if (isFaultlineError(error)) {
    printError(`error[${error.code}]: ${error.message}`)
    return error.code === 'INTERNAL' || error.code === 'STORE_FAILED' ? exitCodes.failed : exitCodes.usage
  }
  printError(
    `faultline failed unexpectedly: ${messageOf(error)}\n${error instanceof Error ? (error.stack ?? '') : ''}\nPlease report this.`,
  )
  return exitCodes.failed
}
