import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FaultlineError, messageOf } from '../core/index.ts'
import type { Agents } from '../ports/index.ts'

const defaultNames = [
  'faultline.agents.mjs',
  'faultline.agents.js',
  'faultline.agents.ts',
  'faultline.agents.mts',
]

/** Where the agents of a run come from. */
export type AgentsChoice =
  | { readonly kind: 'mock' }
  /** Path relative to the project, as it is recorded for the process that resumes the run. */
  | { readonly kind: 'module'; readonly path: string }

/** @throws FaultlineError `AGENTS_MODULE_INVALID` when there are no agents to run with. */
export function chooseAgents(
  folder: string,
  options: { readonly mock?: boolean; readonly agents?: string },
): AgentsChoice {
  if (options.mock === true && options.agents !== undefined) {
    throw new FaultlineError('AGENTS_MODULE_INVALID', `Give either --mock or --agents, not both.`)
  }
  if (options.mock === true) return { kind: 'mock' }
  const path = options.agents ?? defaultNames.find((name) => existsSync(join(folder, name)))
  if (path !== undefined) return { kind: 'module', path }
  throw new FaultlineError(
    'AGENTS_MODULE_INVALID',
    `There are no agents to run the steps: this folder has no '${defaultNames[0]}'. Name a module that exports 'agents' with ` +
      `--agents <module>, or use --mock to let stand-ins produce every declared artifact.`,
  )
}

/** The agents by name, or undefined for mock agents. */
export async function loadAgents(folder: string, choice: AgentsChoice): Promise<Agents | undefined> {
  if (choice.kind === 'mock') return undefined
  const path = resolve(folder, choice.path)
  if (!existsSync(path)) {
    throw new FaultlineError('AGENTS_MODULE_INVALID', `The agents module '${choice.path}' does not exist.`)
  }
  const module = await importModule(path, choice.path)
  const { agents } = module as { readonly agents?: unknown }
  if (agents !== null && typeof agents === 'object') return agents as Agents
  throw new FaultlineError(
    'AGENTS_MODULE_INVALID',
    `The agents module '${choice.path}' exports no 'agents': it must export an object of functions by agent name.`,
  )
}

async function importModule(path: string, shown: string): Promise<unknown> {
  try {
    if (!/\.m?ts$/.test(path)) return await import(pathToFileURL(path).href)
    const { createJiti } = await import('jiti')
    return await createJiti(import.meta.url).import(path)
  } catch (error) {
    throw new FaultlineError(
      'AGENTS_MODULE_INVALID',
      `The agents module '${shown}' cannot be loaded: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}
