import { agentsModuleNames, findAgentsModule, loadAgentsModule } from '../adapters/node/index.ts'
import { isBuiltInStep } from '../built-in-steps/index.ts'
import { FaultlineError } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type { Agents } from '../ports/index.ts'

/** Where the agents of a run come from. */
export type AgentsChoice =
  | { readonly kind: 'mock' }
  /** Path relative to the project, as it is recorded for the process that resumes the run. */
  | { readonly kind: 'module'; readonly path: string }
  /** None: every step is built in. */
  | { readonly kind: 'built-in' }

/** @throws FaultlineError `AGENTS_MODULE_INVALID` when there are no agents to run with. */
export function chooseAgents(
  folder: string,
  options: { readonly mock?: boolean; readonly agents?: string },
  { steps }: Pick<WorkflowDefinition, 'steps'>,
): AgentsChoice {
  if (options.mock === true && options.agents !== undefined) {
    throw new FaultlineError('AGENTS_MODULE_INVALID', `Give either --mock or --agents, not both.`)
  }
  if (options.mock === true) return { kind: 'mock' }
  const path = options.agents ?? findAgentsModule(folder)
  if (path !== undefined) return { kind: 'module', path }
  if (steps.every(({ agent }) => isBuiltInStep(agent))) return { kind: 'built-in' }
  throw new FaultlineError(
    'AGENTS_MODULE_INVALID',
    `There are no agents to run the steps: this folder has no '${agentsModuleNames[0]}'. Name a module that exports 'agents' with ` +
      `--agents <module>, or use --mock to let stand-ins produce every declared artifact.`,
  )
}

/** @throws FaultlineError `AGENTS_MODULE_INVALID` naming the file and what is wrong with it. */
export async function loadAgents(folder: string, choice: AgentsChoice): Promise<Agents | undefined> {
  if (choice.kind === 'mock') return undefined
  return choice.kind === 'module' ? loadAgentsModule(folder, choice.path) : {}
}
