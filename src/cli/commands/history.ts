import { Command, InvalidArgumentError } from 'commander'
import { createRunHistory, historyLimits } from '../../engine/index.ts'
import type { ListedRuns } from '../../engine/index.ts'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import type { RunReader } from '../../ports/index.ts'
import { formatHistory, timelineOf } from '../../trace/index.ts'
import { print, printError } from '../output.ts'
import { renderWorkflowHistory } from '../render-state.ts'
import { runHead } from '../run-head.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface HistoryOptions extends StateDirectoryOption {
  readonly workflow?: string
  readonly limit?: number
  readonly json?: boolean
}

export function historyCommand(): Command {
  const command = new Command('history')
    .description('Tell what happened in a run and why, or list the runs of a workflow.')
    .argument('[runId]', 'default: the last run')
    .option('--workflow <id>', 'the runs of this workflow, the newest first')
    .option('--limit <n>', `so many of them (default: ${historyLimits.usual})`, wholeNumber)
    .addOption(stateDirectoryOption())
    .option('--json', 'print it as JSON')
  return command.action(async (named: string | undefined, options: HistoryOptions) => {
    const { workflow, limit, json } = options
    if (workflow === undefined ? limit !== undefined : named !== undefined)
      command.error('error: name a run, or a workflow with --workflow, to which --limit belongs')
    const reader = runReader(process.cwd(), directoriesFrom(options))
    if (workflow === undefined) return historyOfRun(reader, named, json)
    const query = { workflowId: workflow, ...(limit === undefined ? {} : { limit }) }
    const history = createRunHistory(reader)
    return json === true
      ? print(JSON.stringify(await history.records(query), null, 2))
      : listRuns(workflow, await history.list(query))
  })
}

async function historyOfRun(
  reader: RunReader,
  named: string | undefined,
  json: boolean | undefined,
): Promise<void> {
  const view = await reader.read(await runIdOrLast(reader, named))
  const rows = timelineOf(view.events)
  if (json !== true) return print(`${runHead(view)}\n${formatHistory(rows)}`)
  const { workflowId, runId, correlationId } = view.state
  print(JSON.stringify({ workflowId, runId, correlationId, status: view.status, events: rows }, null, 2))
}

function listRuns(workflow: string, { runs, damaged }: ListedRuns): void {
  print(runs.length === 0 ? `No run of workflow '${workflow}' is kept here.` : renderWorkflowHistory(runs))
  for (const runId of damaged)
    printError(`warning: run ${runId} cannot be read: 'faultline state validate ${runId}' says why`)
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('it must be a whole number.')
}
