import { Command } from 'commander'
import { print } from '../output.ts'
import { openBundle } from '../open-bundle.ts'

export function showCommand(): Command {
  return new Command('show')
    .description('Show what a failure bundle tells.')
    .argument('<bundle>', 'bundle folder')
    .action(async (folder: string) => {
      const { renderSummary } = await import('../../bundle/index.ts')
      print(renderSummary(await openBundle(folder)))
    })
}
