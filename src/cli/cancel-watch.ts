import { createNodeFiles } from '../adapters/node/index.ts'
import { createCancelRequests } from '../engine/index.ts'
import type { Directories } from '../ports/index.ts'
import { print } from './output.ts'

const everyMs = 200

/** A run that this process holds. */
interface CancellableRun {
  readonly runId: string
  cancel(reason: string): Promise<unknown>
}

/** Cancels the run of this process once `faultline cancel` has asked for it. */
export async function whileCancellable<T>(
  run: CancellableRun,
  directories: Directories,
  work: () => Promise<T>,
): Promise<T> {
  const files = createNodeFiles(process.cwd())
  const requests = createCancelRequests({ files, directories })
  const look = async (): Promise<void> => {
    const reason = await requests.take(run.runId)
    if (reason === undefined) return
    print(`  ! cancelling: ${reason}`)
    await run.cancel(reason)
  }
  // A look that fails is followed by another one; a run that has ended takes no wish.
  const timer = setInterval(() => void look().catch(() => {}), everyMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    await files.closeAll()
  }
}
