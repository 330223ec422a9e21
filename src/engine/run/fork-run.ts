import { Attempt } from '../step/attempt.ts'
import { EventLog } from '../store/event-log.ts'
import { callAgent } from './calls.ts'
import { liveRun } from './live-run.ts'
import type { LifeParts, LiveRun } from './live-run.ts'

/** A run as it stood at an instant, to go on from there in other hands, and more than once. */
export interface RunFork {
  readonly durableFolders: ReadonlySet<string>
  /** The run over other ports, with the calls that were due at that instant. */
  over(life: LifeParts): { readonly run: LiveRun; readonly calls: readonly (() => void)[] }
}

/** @returns undefined while somebody is being waited for: code that is under way cannot be copied. */
export function forkRun(run: LiveRun): RunFork | undefined {
  const attempts = [...run.attempts.values()]
  if (attempts.some(({ called }) => called) || run.gating.size > 0 || run.inbox.length > 0) return undefined
  const { layout, state, acknowledged, saveSeq, savedAtBytes } = run
  const { sizeBytes, blobs } = run.log
  const { runId, correlationId, workflow, seq, epoch } = state
  return {
    durableFolders: new Set(run.durableFolders),
    over(life) {
      const log = new EventLog({
        layout,
        digest: life.ports.digest,
        identity: { workflowId: workflow.definition.id, runId, correlationId },
        epoch,
        length: seq + 1,
        sizeBytes,
        outputCapBytes: life.ports.outputCapBytes,
        blobs,
        durableFolders: life.durableFolders,
      })
      const fork = Object.assign(liveRun(life, { layout, log, state, saveSeq }), {
        acknowledged,
        savedAtBytes,
      })
      const calls = attempts.map(({ index, key, definition, parameters }) => {
        const attempt = new Attempt(index, key, definition, layout)
        attempt.parameters = parameters
        fork.attempts.set(index, attempt)
        return () => callAgent(fork, attempt)
      })
      return { run: fork, calls }
    },
  }
}
