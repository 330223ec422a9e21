/** Where an engine keeps what it writes, and how much of it. */
export interface StorageOptions {
  /** Default: all of it in `.workflow`. */
  readonly directories?: Directories
  /** A checkpoint is kept whenever so many more steps have completed; 0 keeps those of milestones only. Default 5. */
  readonly checkpointEvery?: number
  /**
   * False: only events that a run is resumed from are written; those that merely explain (`artifact_created`, `late_result`)
   * are left out. Default true.
   */
  readonly eventLog?: boolean
  /** Outputs whose JSON has more bytes lie in files of their own, which the log names. Default 65,536. */
  readonly outputCapBytes?: number
  readonly history?: HistoryOptions
}

/** Former versions of `state.json`, for people: the engine goes by the log. */
export interface HistoryOptions {
  /** How many to keep. Default 0. */
  readonly keep?: number
  /** Whether they are gzip files. Default false. */
  readonly compress?: boolean
}

/**
 * Folders relative to the project. Several runs share a state directory; nothing in any of them holds an absolute path, so
 * a project can be moved with its runs.
 */
export interface Directories {
  /** Runs, and the pointer to the newest. Default `.workflow`. */
  readonly stateDirectory?: string
  /** Records of checkpoints, a folder per run. Default: none are kept; the log has all that they say. */
  readonly checkpointDirectory?: string
  /** One log file per day. Default: `logs` in the state directory. */
  readonly logDirectory?: string
}
