import { FaultlineError, isFaultlineError } from '../../core/index.ts'
import type { RunReader } from '../../ports/index.ts'
import { runRecordOf, runSummaryOf } from '../../trace/index.ts'
import type { RunRecord, RunSummary } from '../../trace/index.ts'

export interface RunHistoryQuery {
  /** Only runs of this workflow. Default: all. */
  readonly workflowId?: string
  /** So many at most, the newest. Default 20, at most 1,000. */
  readonly limit?: number
}

/** Newest first: by the instant of the start, then by run id. */
export interface ListedRuns<Run = RunSummary> {
  readonly runs: readonly Run[]
  /** Ids of runs whose log cannot be read, of whatever workflow; `faultline state validate` says why. */
  readonly damaged: readonly string[]
  /** Ids of runs that have no first event: just being started, or killed over it. */
  readonly unbegun: readonly string[]
}

/** The runs that a store holds, whoever has started them: a view of what is on disk, which keeps nothing of its own there. */
export interface RunHistory {
  /** All runs, in short. */
  all(): Promise<ListedRuns>
  /** @throws FaultlineError `CONFIGURATION_INVALID` for a limit that is none. */
  list(query?: RunHistoryQuery): Promise<ListedRuns>
  /** The same runs, step by step. */
  records(query?: RunHistoryQuery): Promise<ListedRuns<RunRecord>>
  /** @throws FaultlineError `RUN_NOT_FOUND`, `ID_INVALID`, `STATE_CORRUPT` */
  record(runId: string): Promise<RunRecord>
}

export const historyLimits = { usual: 20, most: 1_000 } as const

export function createRunHistory(reader: Pick<RunReader, 'list' | 'read'>): RunHistory {
  // Cancelled and completed runs never change again.
  const ended = new Map<string, RunSummary>()

  const summary = async (runId: string): Promise<RunSummary> => {
    const known = ended.get(runId)
    if (known !== undefined) return known
    const found = runSummaryOf(await reader.read(runId))
    if (found.status === 'completed' || found.status === 'cancelled') ended.set(runId, found)
    return found
  }
  const record = async (runId: string): Promise<RunRecord> => runRecordOf(await reader.read(runId))

  const all = async (): Promise<ListedRuns> => {
    const found = await readable(await reader.list(), summary)
    return { ...found, runs: found.runs.toSorted(newestFirst) }
  }
  const list = async ({ workflowId, limit }: RunHistoryQuery = {}): Promise<ListedRuns> => {
    const most = checkedLimit(limit)
    const { runs, ...others } = await all()
    const wanted = workflowId === undefined ? runs : runs.filter((run) => run.workflowId === workflowId)
    return { ...others, runs: wanted.slice(0, most) }
  }
  return {
    all,
    list,
    record,
    async records(query) {
      const listed = await list(query)
      const { runs, damaged } = await readable(
        listed.runs.map(({ runId }) => runId),
        record,
      )
      return { ...listed, runs, damaged: [...listed.damaged, ...damaged] }
    },
  }
}

async function readable<Run>(
  runIds: readonly string[],
  read: (runId: string) => Promise<Run>,
): Promise<ListedRuns<Run>> {
  const runs: Run[] = []
  const damaged: string[] = []
  const unbegun: string[] = []
  for (const runId of runIds) {
    try {
      runs.push(await read(runId))
    } catch (error) {
      if (isFaultlineError(error, 'STATE_CORRUPT')) damaged.push(runId)
      else if (isFaultlineError(error, 'RUN_NOT_FOUND')) unbegun.push(runId)
      // A folder that is no run's.
      else if (!isFaultlineError(error, 'ID_INVALID')) throw error
    }
  }
  return { runs, damaged, unbegun }
}

function checkedLimit(limit: number = historyLimits.usual): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= historyLimits.most) return limit
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `The limit of a history must be a whole number from 1 to ${historyLimits.most}, not ${limit}.`,
    { details: { path: 'limit', limit } },
  )
}

function newestFirst(left: RunSummary, right: RunSummary): number {
  return right.startedAt - left.startedAt || (left.runId < right.runId ? 1 : -1)
}
