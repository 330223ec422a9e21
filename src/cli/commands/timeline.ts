import { Command } from 'commander'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import { formatStepSpans, stepSpansOf } from '../../trace/index.ts'
import { print } from '../output.ts'
import { runHead } from '../run-head.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

export function timelineCommand(): Command {
  return new Command('timeline')
    .description('Show when every step of a run ran, from its log alone.')
    .argument('[runId]', 'default: the last run')
    .addOption(stateDirectoryOption())
    .option('--json', 'print steps and attempts as JSON')
    .action(
      async (named: string | undefined, options: StateDirectoryOption & { readonly json?: boolean }) => {
        const reader = runReader(process.cwd(), directoriesFrom(options))
        const view = await reader.read(await runIdOrLast(reader, named))
        if (options.json !== true) return print(`${runHead(view)}\n${formatStepSpans(view.events)}`)
        const { workflowId, runId, correlationId, startedAt, degraded, hasFailures } = view.state
        const steps = stepSpansOf(view.events)
        print(
          JSON.stringify(
            {
              workflowId,
              runId,
              correlationId,
              status: view.status,
              degraded,
              hasFailures,
              startedAt,
              steps,
            },
            null,
            2,
          ),
        )
      },
    )
}
