/**
 * Where an engine keeps what it writes, as paths relative to the project. Several runs share a state directory; nothing in
 * any of them holds an absolute path, so a project can be moved with its runs.
 */
export interface Directories {
  /** Runs, and the pointer to the newest. Default `.workflow`. */
  readonly stateDirectory?: string
  /** Checkpoint records, a folder per run. Default: `checkpoints` in the run's own folder. */
  readonly checkpointDirectory?: string
  /** One log file per day. Default: `logs` in the state directory. */
  readonly logDirectory?: string
}
