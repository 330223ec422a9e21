import { Command } from 'commander'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import { formatHistory, timelineOf } from '../../trace/index.ts'
import { print } from '../output.ts'
import { runHead } from '../run-head.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

export function historyCommand(): Command {
  return new Command('history')
    .description('Tell what happened in a run and why, from its log alone.')
    .argument('[runId]', 'default: the last run')
    .addOption(stateDirectoryOption())
    .option('--json', 'print the rows as JSON')
    .action(
      async (named: string | undefined, options: StateDirectoryOption & { readonly json?: boolean }) => {
        const reader = runReader(process.cwd(), directoriesFrom(options))
        const view = await reader.read(await runIdOrLast(reader, named))
        const rows = timelineOf(view.events)
        if (options.json !== true) return print(`${runHead(view)}\n${formatHistory(rows)}`)
        const { workflowId, runId, correlationId } = view.state
        print(
          JSON.stringify({ workflowId, runId, correlationId, status: view.status, events: rows }, null, 2),
        )
      },
    )
}
