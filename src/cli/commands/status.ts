import { Command } from 'commander'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import { print } from '../output.ts'
import { renderStatus } from '../render.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('Show where a run stands, from what is on disk.')
    .argument('[runId]', 'default: the last run')
    .option('--json', 'print the state as JSON')
    .action(async (named: string | undefined, options: { readonly json?: boolean }) => {
      const reader = runReader(process.cwd())
      const { state, status } = await reader.read(await runIdOrLast(reader, named))
      print(
        options.json === true ? JSON.stringify({ ...state, status }, null, 2) : renderStatus(state, status),
      )
    })
}
