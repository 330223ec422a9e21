/** Files by path, relative to the project, forward slashes. */
export type FileTree = ReadonlyMap<string, Uint8Array>

/**
 * All that a run leaves for judging it: bytes, and plain records of what went through its ports. Nothing here comes out of
 * the engine's memory, so nothing here can be wrong in the same way as the engine.
 */
export interface Evidence {
  readonly runId: string
  readonly directories?: EvidenceDirectories
  readonly digest: EvidenceDigest
  readonly clock: 'virtual' | 'real'
  /** What stood in the project before the run. */
  readonly initialFiles: FileTree
  /** Every file, those of the engine included, when the run was left. */
  readonly files: FileTree
  /** The lives of the engine before the last one, in order. */
  readonly earlierLives: readonly EndedLife[]
  /** What the caller was told last. */
  readonly ending: RunEnding
  /** Calls of agents as the agents' port saw them. */
  readonly executions: readonly Execution[]
  /** Calls that took back what a step had done. */
  readonly undos?: readonly Execution[]
  readonly effects: readonly OutsideEffect[]
  readonly faults: readonly FiredFaultRecord[]
  /** Errors that reached the caller: of outcomes and of rejected calls. */
  readonly errors: readonly SeenError[]
  /** What the run said in its log output. */
  readonly warnings: readonly string[]
  /** What a run of the same workflow and input without faults came to. */
  readonly reference?: CanonicalOutcome
  readonly leftovers?: Leftovers
  /** What a further resume, after the run had been left, did to it. */
  readonly secondResume?: SecondResume
  readonly unhandledRejections?: readonly string[]
}

/** Where the engine keeps what it writes, as paths relative to the project: none of it is the project's. */
export interface EvidenceDirectories {
  /** Runs, and the pointer to the newest. Default `.workflow`. */
  readonly stateDirectory?: string
  /** Default: in the state directory. */
  readonly checkpointDirectory?: string
  /** Default: in the state directory. */
  readonly logDirectory?: string
}

/** The digest port, or anything like it. */
export interface EvidenceDigest {
  /** Lower-case hexadecimal SHA-256; text is taken as UTF-8. */
  readonly sha256: (data: string | Uint8Array) => string
  /** CRC-32 (the zlib polynomial), unsigned; text is taken as UTF-8. */
  readonly crc32: (data: string | Uint8Array) => number
}

/** One life of the engine that has ended, by a crash or because the run had failed and was resumed. */
export interface EndedLife {
  /** Counted from 1. */
  readonly incarnation: number
  /** Whether it died while it was still taking the run over. */
  readonly during: 'run' | 'recovery'
  /** What of the log was durable when it ended. */
  readonly durableLog: Uint8Array
  /** What the next life found on disk, after any loss or damage. */
  readonly disk: FileTree
  readonly told: Told
  /** Why the next life would not take the run over, if so. */
  readonly refusal?: SeenError
}

/** What callers had been told by the time a life ended. */
export interface Told {
  readonly completedSteps: readonly AcknowledgedStep[]
  /** The status of the run, if one had been told that is not just "still going". */
  readonly status?: 'completed' | 'failed' | 'cancelled'
}

export interface AcknowledgedStep {
  readonly step: string
  readonly visit: number
  /** The event that says so. */
  readonly seq: number
}

/**
 * How the last life ended. `unfinished`: it used up its budget of time or steps; `refused`: it would not take the run over;
 * `left`: it was let go in the middle, since what follows was known, and is judged by what it had come to.
 */
export interface RunEnding {
  readonly status:
    | 'completed'
    | 'failed'
    | 'paused'
    | 'waiting'
    | 'cancelled'
    | 'deadlock'
    | 'unfinished'
    | 'refused'
    | 'left'
  readonly step?: string
  readonly error?: SeenError
}

export interface SeenError {
  readonly message: string
  /** Code of a `FaultlineError`. */
  readonly code?: string
  /** Kind of a step's error. */
  readonly kind?: string
  /** Messages of its causes, outermost first. */
  readonly causes?: readonly string[]
}

export interface Execution {
  readonly step: string
  readonly visit: number
  readonly attempt: number
  /** The life of the engine that called, from 1. */
  readonly incarnation: number
  /** Its agent answered after the attempt had ended, while the run was still going. */
  readonly late?: boolean
}

/** An effect that left the workflow, counted by idempotency key and name over all lives. */
export interface OutsideEffect {
  readonly idempotencyKey: string
  readonly name: string
  readonly step: string
  readonly count: number
  /** Whether its receiver promises to act once per key. */
  readonly honoursKeys?: boolean
}

export interface FiredFaultRecord {
  readonly fault: string
  /** Key of the point at which it fired. */
  readonly key: string
  /**
   * `survivable`: the run must come to the same end. `reportable`: it may fail, must say why, and comes to the same end when it
   * is resumed. `detect-only`: nothing more is promised than that it is noticed.
   */
  readonly class: 'survivable' | 'reportable' | 'detect-only'
  /** A text that an honest report of it contains, such as `ENOSPC`. */
  readonly cause?: string
  /** Whether it moves the clock by itself. */
  readonly movesClock?: boolean
}

/** What a run came to, apart from how it got there: equal for runs that ended alike. */
export interface CanonicalOutcome {
  readonly status: string
  readonly steps: Readonly<Record<string, CanonicalStep>>
  /** SHA-256 of every file outside the engine's directories. */
  readonly files: Readonly<Record<string, string>>
}

export interface CanonicalStep {
  readonly status: string
  readonly output: unknown
  readonly scoring: unknown
  /** SHA-256 by path. */
  readonly artifacts: Readonly<Record<string, string>>
}

/** What was still held after the run had been left; each by a name that a person recognises. */
export interface Leftovers {
  readonly openFiles: readonly string[]
  readonly timers: readonly string[]
  readonly calls: readonly string[]
}

export interface SecondResume {
  readonly files: FileTree
  readonly executions: readonly Execution[]
}
