import { formatStepKey } from '../../core/index.ts'
import type { StepKey } from '../../core/index.ts'

/** The next thing that an agent or gate is about to do: the unit that a scheduler puts in order. */
export interface Task {
  /** Whose it is, `<incarnation>/<step>#<visit>@<attempt>`; the tasks of one thread come in its own order. */
  readonly thread: string
  /** For example `files.read`; `agent.answer` is the return of what the agent has made. */
  readonly operation: string
  readonly target: string
  /** The key of the point: `<thread>:<operation>:<target>#<occurrence>`. */
  readonly key: string
  /** Files that become visible to others with this task. */
  readonly publishes: readonly string[]
}

/** Time goes on before those who could go on now: they are slow. */
export const clockTask: Task = {
  thread: 'clock',
  operation: 'clock.advance',
  target: '',
  key: 'clock.advance',
  publishes: [],
}

/** Names the tasks of one engine life. */
export function taskNames(
  incarnation: number,
): (step: StepKey, operation: string, target: string, publishes?: readonly string[]) => Task {
  const occurrences = new Map<string, number>()
  return (step, operation, target, publishes = []) => {
    const thread = `${incarnation}/${formatStepKey(step)}`
    const stem = `${thread}:${operation}:${target}`
    const occurrence = (occurrences.get(stem) ?? 0) + 1
    occurrences.set(stem, occurrence)
    return { thread, operation, target, key: `${stem}#${occurrence}`, publishes }
  }
}
