import { deepFreeze } from '../core/index.ts'
import type { RunView } from '../ports/index.ts'
import type { RecordedSnapshots, WorkflowSnapshot } from '../trace/index.ts'

export function snapshotOf(view: RunView, label: string): WorkflowSnapshot {
  const { state, status } = view
  return deepFreeze({
    label,
    runId: state.runId,
    correlationId: state.correlationId,
    status,
    seq: state.seq,
    state,
    artifacts: state.artifacts,
  })
}

/** The snapshots that a session takes by itself: around the first failure and around every resume. */
export class SnapshotAlbum {
  #beforeFailure: WorkflowSnapshot | null = null
  #atFailure: WorkflowSnapshot | null = null
  readonly #beforeResume: WorkflowSnapshot[] = []
  readonly #afterResume: WorkflowSnapshot[] = []

  get snapshots(): RecordedSnapshots {
    return {
      beforeFailure: this.#beforeFailure,
      atFailure: this.#atFailure,
      beforeResume: [...this.#beforeResume],
      afterResume: [...this.#afterResume],
    }
  }

  get hasFailure(): boolean {
    return this.#atFailure !== null
  }

  /** Resumes begun so far. */
  get resumes(): number {
    return this.#beforeResume.length
  }

  failure(before: WorkflowSnapshot, at: WorkflowSnapshot): void {
    this.#beforeFailure = before
    this.#atFailure = at
  }

  beforeResume(snapshot: WorkflowSnapshot): void {
    this.#beforeResume.push(snapshot)
  }

  afterResume(snapshot: WorkflowSnapshot): void {
    this.#afterResume.push(snapshot)
  }
}
