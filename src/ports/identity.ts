/** Where new names come from. */
export interface IdsPort {
  /** A fresh run id for a workflow; never derived from a user's seed alone. */
  runId(workflowId: string): string
}

/** Who holds a run: enough to tell a live holder from a dead one, also after a restart of the machine. */
export interface OwnerIdentity {
  readonly nonce: string
  readonly pid: number
  /** Kernel start time of the process, so that a recycled pid is not taken for the holder. */
  readonly startTime: string
  readonly bootId: string
  readonly host: string
  /** Invented by a test harness: no process stands behind it, so that everybody else reads it as dead. */
  readonly invented?: true
}

export interface OwnerPort {
  readonly self: OwnerIdentity
  /** `elsewhere`: held on another host, which cannot be asked. */
  liveness(owner: OwnerIdentity): 'alive' | 'dead' | 'elsewhere'
}
