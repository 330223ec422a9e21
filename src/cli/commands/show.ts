import { Command } from 'commander'
import { openBundle } from '../open-bundle.ts'
import { print } from '../output.ts'

interface ShowOptions {
  readonly run?: string | true
}

export function showCommand(): Command {
  const command = new Command('show')
    .description('Show what a failure bundle tells, or make a page of a run.')
    .argument('[bundle]', 'bundle folder')
    .option('--run [runId]', 'a run, also one that went well; default: the last one')
  return command.action(async (folder: string | undefined, { run }: ShowOptions) => {
    if ((folder === undefined) === (run === undefined))
      command.error('error: name a bundle, or a run with --run')
    if (folder === undefined) {
      const { showRun } = await import('../show-run.ts')
      await showRun(run === true ? undefined : run)
      return
    }
    const { renderSummary } = await import('../../bundle/index.ts')
    print(renderSummary(await openBundle(folder)))
  })
}
