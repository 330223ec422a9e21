/**
 * Reports a run that is being ended, in a process of its own: the one that ends cannot wait. Its argument is an
 * `InterruptedRun`.
 */
import { failuresOfWorkers } from './lost-tests.ts'
import { readJournals } from './read-journals.ts'
import { reportFailures } from './run-report.ts'
import type { ReportedRun } from './run-report.ts'

export interface InterruptedRun {
  readonly run: ReportedRun
  /** Folder of the workers' journals. */
  readonly journals: string
  /** Journals of the workers that did not answer any more. */
  readonly hung: readonly string[]
}

const { run, journals, hung } = JSON.parse(process.argv[2] as string) as InterruptedRun
const failures = await failuresOfWorkers(readJournals(journals), ({ journal }) =>
  hung.includes(journal) ? 'hang' : 'interrupted',
)
process.stdout.write(`${await reportFailures(run, failures, null)}\n`)
