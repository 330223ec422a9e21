import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { FaultlineError, messageOf } from '../../core/index.ts'

/** Files of a template folder that describe the template and do not go into the projects made from it. */
export const templateOnlyFiles: ReadonlySet<string> = new Set([
  'template.json',
  'faultline.agents.mjs',
  'faultline.agents.js',
])

/** The folder of the templates that come with the package: beside `src` and beside `dist`. */
export function ownTemplatesFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return join(folder, 'templates')
}

/** Names of the templates in a folder, sorted; none when there is no such folder. */
export function templateNames(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/**
 * The `agents` that a template's module exports, or nothing when it has no module.
 *
 * @throws FaultlineError `AGENTS_MODULE_INVALID` when the module cannot be loaded.
 */
export async function templateAgents(folder: string): Promise<Readonly<Record<string, unknown>>> {
  for (const name of ['faultline.agents.mjs', 'faultline.agents.js']) {
    const path = join(folder, name)
    if (!existsSync(path)) continue
    try {
      const module = (await import(pathToFileURL(path).href)) as {
        readonly agents?: Readonly<Record<string, unknown>>
      }
      return module.agents ?? {}
    } catch (error) {
      throw new FaultlineError('AGENTS_MODULE_INVALID', `${path} cannot be loaded: ${messageOf(error)}`, {
        details: { path },
        cause: error,
      })
    }
  }
  return {}
}
