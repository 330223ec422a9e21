import { Command } from 'commander'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import { formatStepSpans, stepSpansOf } from '../../trace/index.ts'
import { print } from '../output.ts'
import { runHead } from '../run-head.ts'

export function timelineCommand(): Command {
  return new Command('timeline')
    .description('Show when every step of a run ran, from its log alone.')
    .argument('[runId]', 'default: the last run')
    .option('--json', 'print steps and attempts as JSON')
    .action(async (named: string | undefined, options: { readonly json?: boolean }) => {
      const reader = runReader(process.cwd())
      const view = await reader.read(await runIdOrLast(reader, named))
      if (options.json !== true) return print(`${runHead(view)}\n${formatStepSpans(view.events)}`)
      const { workflowId, runId, correlationId, startedAt } = view.state
      const steps = stepSpansOf(view.events)
      print(
        JSON.stringify({ workflowId, runId, correlationId, status: view.status, startedAt, steps }, null, 2),
      )
    })
}
