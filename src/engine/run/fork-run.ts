import { Attempt } from '../step/attempt.ts'
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
  const { layout, lock, state, acknowledged, saveSeq, savedAtBytes } = run
  const forkedLog = run.log.fork()
  return {
    durableFolders: new Set(run.durableFolders),
    over(life) {
      const log = forkedLog(life.ports.digest, life.durableFolders)
      const fork = liveRun(life, { layout, lock, log, state, saveSeq })
      fork.acknowledged = acknowledged
      fork.savedAtBytes = savedAtBytes
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
