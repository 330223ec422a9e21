import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Agents } from '../../ports/index.ts'
import { findAgentsModule, loadAgentsModule } from './agents-module.ts'

/** Files of a template folder that describe the template and do not go into the projects made from it. */
export const templateOnlyFiles: ReadonlySet<string> = new Set(['template.json'])

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
 * @throws FaultlineError `AGENTS_MODULE_INVALID` naming the file and what is wrong with it.
 */
export async function templateAgents(folder: string): Promise<Agents> {
  const module = findAgentsModule(folder, `the template ${folder}`)
  return module === undefined ? {} : loadAgentsModule(folder, module)
}
