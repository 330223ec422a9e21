import { jsonCopy } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import type { Attempt } from '../step/attempt.ts'
import { callAgent } from './calls.ts'
import { liveRun } from './live-run.ts'
import type { LifeParts, LiveRun, Result } from './live-run.ts'

/** A run as it stood at an instant, to go on from there in other hands, and more than once. */
export interface RunFork {
  readonly durableFolders: ReadonlySet<string>
  /** The run over other ports, with the calls that were due at that instant. */
  over(life: LifeParts): { readonly run: LiveRun; readonly calls: readonly (() => void)[] }
}

/** @returns undefined while somebody is being waited for who has not answered: code that is under way cannot be copied. */
export function forkRun(run: LiveRun): RunFork | undefined {
  const answers = answersIn(run)
  if (answers === undefined) return undefined
  // They go on in this life.
  const attempts = Array.from(run.attempts.values(), (attempt) => attempt.copy())
  const { layout, lock, state, acknowledged, saveSeq, savedAtBytes } = run
  const forkedLog = run.log.fork()
  return {
    durableFolders: new Set(run.durableFolders),
    over(life) {
      const log = forkedLog(life.ports.digest, life.durableFolders)
      const fork = liveRun(life, { layout, lock, log, state, saveSeq })
      fork.acknowledged = acknowledged
      fork.savedAtBytes = savedAtBytes
      for (const attempt of attempts) fork.attempts.set(attempt.index, attempt.copy())
      for (const [index, output] of answers) {
        fork.inbox.push({ type: 'returned', attempt: fork.attempts.get(index) as Attempt, output })
      }
      const due = [...fork.attempts.values()].filter(({ called }) => !called)
      return { run: fork, calls: due.map((attempt) => () => callAgent(fork, attempt)) }
    },
  }
}

/**
 * What agents have answered and nobody has taken yet, by step index; undefined when somebody is still under way, or something has
 * arrived that another life could not be handed.
 */
function answersIn({ attempts, gating, inbox }: LiveRun): ReadonlyMap<number, JsonValue> | undefined {
  const answers = new Map<number, JsonValue>()
  for (const result of inbox) {
    const output = copyOfAnswer(result)
    if (output === undefined) return undefined
    answers.set(result.attempt.index, output)
  }
  const isAllThere = [...attempts.values()].every(({ called, index }) => !called || answers.has(index))
  return isAllThere && gating.size === 0 ? answers : undefined
}

/** What an agent has returned is its own: it may change it. */
function copyOfAnswer(result: Result): JsonValue | undefined {
  if (result.type !== 'returned') return undefined
  const { attempt, output } = result
  if (attempt.ended || attempt.undoes || attempt.aborted || attempt.ownsProcesses) return undefined
  return output === undefined ? null : jsonCopy(output)
}
