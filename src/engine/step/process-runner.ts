import type { HeldProcess, ProcessPort, ProcessRunner } from '../../ports/index.ts'
import type { ProcessGroup } from '../../trace/index.ts'
import type { Attempt } from './attempt.ts'

export interface ProcessServices {
  readonly processes: ProcessPort
  /** Settles once the log says durably that the attempt has such a process; never when it cannot. */
  announce(attempt: Attempt, group: ProcessGroup): Promise<void>
  /** What earlier attempts of a step have running: the step's own files must not have two writers. */
  readonly running: Map<string, Set<Promise<unknown>>>
}

/**
 * Runs programs for one attempt. A process is held until the log has its group, and ends when the attempt does: at no instant is
 * there one that works and that nobody knows of.
 */
export function processRunner(
  attempt: Attempt,
  services: ProcessServices,
  assertOpen: () => void,
): ProcessRunner {
  const { key } = attempt
  return {
    async run(command) {
      assertOpen()
      await quiet(services, key.step)
      assertOpen()
      const held = await services.processes.start({ ...command, by: key })
      if (attempt.ended) held.abandon()
      attempt.signal.throwIfAborted()
      assertOpen()
      attempt.own(held)
      follow(services, key.step, held)
      await Promise.race([services.announce(attempt, held.group), held.result])
      held.release()
      const result = await held.result
      attempt.signal.throwIfAborted()
      return result
    },
  }
}

async function quiet({ running }: ProcessServices, step: string): Promise<void> {
  const others = running.get(step)
  if (others !== undefined) await Promise.allSettled(others)
}

function follow({ running }: ProcessServices, step: string, { result }: HeldProcess): void {
  const mine = running.get(step) ?? new Set()
  running.set(step, mine)
  mine.add(result)
  const gone = (): void => void mine.delete(result)
  result.then(gone, gone)
}
