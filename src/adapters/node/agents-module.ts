import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FaultlineError, isJsonObject, messageOf } from '../../core/index.ts'
import type { Agents } from '../../ports/index.ts'

/** File names under which a folder's agents are looked for. */
export const agentsModuleNames: readonly string[] = ['mjs', 'js', 'ts', 'mts'].map(
  (extension) => `faultline.agents.${extension}`,
)

/**
 * The agents module of a folder, as a path relative to it, or undefined when it has none.
 *
 * @throws FaultlineError `AGENTS_MODULE_INVALID` when there are several: which one is meant would be a guess.
 */
export function findAgentsModule(folder: string, calledFolder = 'this folder'): string | undefined {
  const found = agentsModuleNames.filter((name) => existsSync(join(folder, name)))
  if (found.length < 2) return found[0]
  throw new FaultlineError(
    'AGENTS_MODULE_INVALID',
    `${found.join(' and ')} are both in ${calledFolder}. Choose one with --agents <module>, or remove the other.`,
    { details: { folder, found } },
  )
}

/**
 * Loads the `agents` export of a module: an object of functions by agent name. TypeScript is compiled on the way.
 *
 * @throws FaultlineError `AGENTS_MODULE_INVALID` naming the file and what is wrong with it.
 */
export async function loadAgentsModule(folder: string, module: string): Promise<Agents> {
  const path = resolve(folder, module)
  if (!existsSync(path)) {
    throw invalid(module, `there is no such file in ${folder}. Give a path relative to that folder`)
  }
  let exports: unknown
  try {
    exports = await importModule(path)
  } catch (error) {
    throw invalid(module, `loading it failed: ${oneParagraph(messageOf(error))}`, error)
  }
  return checkAgents(module, exports)
}

async function importModule(path: string): Promise<unknown> {
  if (!/\.[cm]?tsx?$/.test(path)) return import(pathToFileURL(path).href)
  const { createJiti } = await import('jiti')
  // No cache on disk: the compiled text of an agents module is small, and a stale one would run the wrong agents.
  return createJiti(path, { fsCache: false }).import(path)
}

function checkAgents(module: string, exports: unknown): Agents {
  const agents = isRecord(exports) ? exports['agents'] : undefined
  if (agents === undefined) {
    const other = isRecord(exports) && 'default' in exports ? ' (it has a default export; name it)' : ''
    throw invalid(
      module,
      `it does not export 'agents'${other}. Write: export const agents = { reviewer: async (context) => ... }`,
    )
  }
  if (!isJsonObject(agents))
    throw invalid(module, `its export 'agents' is not an object of functions by agent name`)
  for (const [name, agent] of Object.entries(agents as Record<string, unknown>)) {
    if (typeof agent !== 'function') {
      throw invalid(module, `its agent '${name}' is ${describe(agent)}, not a function`)
    }
  }
  if (Object.keys(agents).length === 0) throw invalid(module, `its export 'agents' holds no agent`)
  return agents as unknown as Agents
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object'
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`
}

/** Compilers answer with code frames; the first lines say what and where. */
function oneParagraph(message: string): string {
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 3)
    .join(' ')
}

function invalid(module: string, why: string, cause?: unknown): FaultlineError {
  return new FaultlineError('AGENTS_MODULE_INVALID', `The agents module ${module} cannot be used: ${why}.`, {
    details: { module },
    ...(cause === undefined ? {} : { cause }),
  })
}
