/** What the process says when it ends. */
export const exitCodes = {
  good: 0,
  /** The run failed, or a replay reproduced the failure. */
  failed: 1,
  usage: 2,
  /** A replay did something else than the recording. */
  diverged: 3,
} as const
