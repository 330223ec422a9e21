import type { WorkflowSnapshot } from '../trace/index.ts'
import type { WorkflowSession } from './contract.ts'

/** Reads what is on disk now into a frozen snapshot that can be compared with `diffSnapshots`. */
export function captureWorkflowState(session: WorkflowSession, label?: string): Promise<WorkflowSnapshot> {
  return session.capture(label)
}
