import type { LogEntry, WorkflowEvent } from '../trace/index.ts'

/** Who wants to know. Best effort: what an observer throws never reaches the run. */
export interface ObserverPort {
  /** Called once per event, after it is durable, in order. */
  event(event: WorkflowEvent): void
  log(entry: LogEntry): void
}
