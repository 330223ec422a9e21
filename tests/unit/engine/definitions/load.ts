import { isFaultlineError } from '../../../../src/core/index.ts'
import type { WorkflowDefinition } from '../../../../src/definition/index.ts'
import { loadWorkflow, workflowFromText } from '../../../../src/engine/definitions/index.ts'
import type { ReadWorkflow, WorkflowSource } from '../../../../src/engine/definitions/index.ts'

export function loadText(text: string, file = 'flow.yaml'): Promise<ReadWorkflow> {
  return loadWorkflow(workflowFromText(text, file))
}

/** A value that no type has checked, as JavaScript callers may pass. */
export function untyped(value: unknown): WorkflowSource {
  return { kind: 'workflow-source', value }
}

/** The message with which a definition is refused. */
export async function refusal(source: string | WorkflowSource, file?: string): Promise<string> {
  try {
    await (typeof source === 'string' ? loadText(source, file) : loadWorkflow(source))
  } catch (error) {
    if (isFaultlineError(error, 'DEFINITION_INVALID')) return error.message
    throw error
  }
  return 'it loads'
}

/** `a>b c>d`. */
export function edgeWords({ edges }: WorkflowDefinition): string {
  return edges.map(({ from, to }) => `${from}>${to}`).join(' ')
}
