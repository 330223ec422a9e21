/**
 * The border between what has happened and what has not: after `next` every promise chain that could go on without
 * outside help has gone on.
 */
export interface TurnPort {
  /** Settles after one macrotask boundary: all microtasks queued before have run. */
  next(): Promise<void>
  /** Settles when `wake` does (true) or after `realMs` of real time (false), whichever comes first. */
  waitFor(wake: Promise<unknown>, realMs: number): Promise<boolean>
}
