import { loadWorkflow, workflowFromText, workflowNames } from '../engine/index.ts'
import type { ReadWorkflow } from '../engine/index.ts'
import { readTextFile } from './read-text-file.ts'

export interface WorkflowFile {
  /** Of the workflows in the file; one undefined for a file that is a workflow itself. */
  readonly names: readonly (string | undefined)[]
  /** @throws FaultlineError `DEFINITION_INVALID` */
  load(name: string | undefined): Promise<ReadWorkflow>
}

/** @throws FaultlineError `FILE_NOT_FOUND`, `DEFINITION_INVALID` */
export async function readWorkflowFile(file: string): Promise<WorkflowFile> {
  const text = readTextFile(file, 'workflow file')
  return {
    names: (await workflowNames(workflowFromText(text, file))) ?? [undefined],
    load: (name) => loadWorkflow(workflowFromText(text, file, name)),
  }
}
