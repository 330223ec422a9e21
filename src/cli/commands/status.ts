import { Command } from 'commander'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import { print } from '../output.ts'
import { renderStatus } from '../render.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('Show where a run stands, from what is on disk.')
    .argument('[runId]', 'default: the last run')
    .addOption(stateDirectoryOption())
    .option('--json', 'print the state as JSON')
    .action(
      async (named: string | undefined, options: StateDirectoryOption & { readonly json?: boolean }) => {
        const reader = runReader(process.cwd(), directoriesFrom(options))
        const { state, status, stateProblem } = await reader.read(await runIdOrLast(reader, named))
        print(
          options.json === true
            ? JSON.stringify({ ...state, status, stateProblem }, null, 2)
            : renderStatus(state, status, stateProblem, Date.now()),
        )
      },
    )
}
