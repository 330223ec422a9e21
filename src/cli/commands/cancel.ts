import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { createNodeFiles } from '../../adapters/node/index.ts'
import { isFaultlineError } from '../../core/index.ts'
import { createCancelRequests } from '../../engine/index.ts'
import { cancelRun, runIdOrLast, runReader } from '../../harness/index.ts'
import type { Directories } from '../../ports/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { emphasis, print } from '../output.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface CancelOptions extends StateDirectoryOption {
  readonly reason: string
}

export function cancelCommand(): Command {
  return new Command('cancel')
    .description(
      'End a run for good, also one that another process holds: steps in flight have its time of grace.',
    )
    .argument('[runId]', 'default: the last run')
    .option('--reason <text>', 'why, for the record', 'cancelled from the command line')
    .addOption(stateDirectoryOption())
    .action(async (named: string | undefined, options: CancelOptions) => {
      process.exitCode = await cancel(named, options)
    })
}

async function cancel(named: string | undefined, options: CancelOptions): Promise<number> {
  const folder = process.cwd()
  const directories = directoriesFrom(options)
  const reader = runReader(folder, directories)
  const runId = await runIdOrLast(reader, named)
  while (!(await cancelUnheld(folder, directories, runId, options.reason))) {
    if (await askHolder(folder, directories, runId, options.reason)) break
  }
  print(emphasis.good(`cancelled  ${runId}`))
  return exitCodes.good
}

/** False when a living process holds the run. */
async function cancelUnheld(
  folder: string,
  directories: Directories,
  runId: string,
  reason: string,
): Promise<boolean> {
  try {
    await cancelRun({ folder, directories, runId, reason })
    return true
  } catch (error) {
    if (!isFaultlineError(error, 'RUN_OWNED')) throw error
    return false
  }
}

const lookEveryMs = 100

/** Asks the process that holds the run, and waits until it has let go; false when it died over it. */
async function askHolder(
  folder: string,
  directories: Directories,
  runId: string,
  reason: string,
): Promise<boolean> {
  const files = createNodeFiles(folder)
  try {
    await createCancelRequests({ files, directories }).ask(runId, reason)
    print(`asked the process that holds ${runId}; waiting for its steps in flight`)
    const reader = runReader(folder, directories)
    for (;;) {
      const { status } = await reader.read(runId)
      if (status !== 'running') return status === 'cancelled'
      await pause(lookEveryMs)
    }
  } finally {
    await files.closeAll()
  }
}
