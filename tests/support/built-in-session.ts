import { workflowFromText } from '../../src/engine/index.ts'
import { createProject, runWorkflowStepByStep } from '../../src/harness/index.ts'
import type { Project, WorkflowSession, WorkflowSessionOptions } from '../../src/harness/index.ts'
import { onTestFinished } from 'vitest'

/** A session without agents of its own over a workflow as people write it, in a folder that goes with the test. */
export async function builtInSession(
  text: string,
  {
    files = {},
    ...options
  }: WorkflowSessionOptions & { readonly files?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly session: WorkflowSession; readonly project: Project }> {
  const project = await createProject()
  for (const [path, content] of Object.entries(files)) await project.write(path, content)
  const session = await runWorkflowStepByStep(workflowFromText(text, 'flow.yaml'), {
    project,
    agents: {},
    ...options,
  })
  onTestFinished(async () => {
    await session.close()
    await project.remove()
  })
  return { session, project }
}

/** Sets variables of this process for the test that is running. */
export function withEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name]
    process.env[name] = value
    onTestFinished(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}
