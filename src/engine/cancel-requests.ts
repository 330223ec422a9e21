import { checkId } from '../core/index.ts'
import type { ReaderPorts } from '../ports/index.ts'
import { requestCancel, takeCancelRequest } from './store/cancel-request.ts'
import { runLayout, storeLayout } from './store/layout.ts'
import { serialDisk } from './store/serial-disk.ts'

/** How one process asks the process that holds a run to cancel it. */
export interface CancelRequests {
  /** Leaves the wish where the holder looks for it; durable when this resolves. */
  ask(runId: string, reason: string): Promise<void>
  /** For the holder: the reason of a wish, which is thereby taken; undefined when there is none. */
  take(runId: string): Promise<string | undefined>
}

export function createCancelRequests({
  files,
  directories,
}: Pick<ReaderPorts, 'files' | 'directories'>): CancelRequests {
  const disk = serialDisk(files)
  const store = storeLayout(directories)
  return {
    ask: async (runId, reason) => disk.run(requestCancel(runLayout(store, checkId('run id', runId)), reason)),
    take: async (runId) => disk.run(takeCancelRequest(runLayout(store, checkId('run id', runId)))),
  }
}
