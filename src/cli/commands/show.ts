import { Command } from 'commander'
import { openBundle } from '../open-bundle.ts'
import { print } from '../output.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface ShowOptions extends StateDirectoryOption {
  readonly run?: string | true
}

export function showCommand(): Command {
  const command = new Command('show')
    .description('Show what a failure bundle tells, or make a page of a run.')
    .argument('[bundle]', 'bundle folder')
    .option('--run [runId]', 'a run, also one that went well; default: the last one')
    .addOption(stateDirectoryOption())
  return command.action(async (folder: string | undefined, { run, ...where }: ShowOptions) => {
    if ((folder === undefined) === (run === undefined))
      command.error('error: name a bundle, or a run with --run')
    if (folder === undefined) {
      const { showRun } = await import('../show-run.ts')
      await showRun(run === true ? undefined : run, directoriesFrom(where))
      return
    }
    const { renderSummary } = await import('../../bundle/index.ts')
    print(renderSummary(await openBundle(folder)))
  })
}
