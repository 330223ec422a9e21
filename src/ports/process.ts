import type { StepKey } from '../core/index.ts'
import type { ProcessGroup } from '../trace/index.ts'

/** A program to run as a child process. */
export interface ProcessCommand {
  /** Program and arguments: no shell reads them. */
  readonly command: readonly string[]
  /** Relative to the project; '' or absent: the project itself. */
  readonly cwd?: string
  /** Variables of this process that the child is given too; of the others it gets only what every program needs. */
  readonly passEnv?: readonly string[]
  /** Variables by value. */
  readonly setEnv?: Readonly<Record<string, string>>
  /** Of either output only so much is kept: its beginning and its end. Default 65,536. */
  readonly capBytes?: number
  /** How long a process that was asked to end may take before it is killed. Default 5,000. */
  readonly killGraceMs?: number
}

export interface ProcessResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** A command with the attempt that runs it. */
export interface ProcessCall extends ProcessCommand {
  readonly by: StepKey
}

/** A process that exists and has done nothing yet. */
export interface HeldProcess {
  readonly group: ProcessGroup
  /** Lets it begin. Where nobody does, because its holder has died, it ends by itself. */
  release(): void
  /** Settles when the whole group is gone. */
  readonly result: Promise<ProcessResult>
  /** Ends it with its group: first asks, then kills. */
  end(): void
  /** Forgets a process that was never released, which ends it. */
  abandon(): void
}

/** Child processes. */
export interface ProcessPort {
  /** @throws (rejects with) `StepFailure` of kind `process` when there is no such program or folder. */
  start(call: ProcessCall): Promise<HeldProcess>
  /**
   * Ends what an earlier life has left running; settles when it is gone.
   *
   * @returns `elsewhere` for a group on another machine, which cannot be reached
   */
  endGroup(group: ProcessGroup): Promise<'ended' | 'gone' | 'elsewhere'>
}

export const processDefaults = { capBytes: 65_536, killGraceMs: 5_000 } as const
