import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import type { WorkflowDriver } from '../../src/ports/index.ts'
import { canaries, obviousBug } from './canaries.ts'
import type { Canary } from './canaries.ts'

const engine = fileURLToPath(new URL('../../src/engine/', import.meta.url))

/** No such folder exists: below it lies the engine once more for every canary, and apart from the sources that are covered. */
const engines = fileURLToPath(new URL('engines/', import.meta.url))

/**
 * The engine with a planted bug, beside all others: its modules are instances of their own, and everything that they import
 * from elsewhere is what everybody has.
 *
 * @param name Without it the engine as it is, loaded in the same way.
 */
export async function patchedDriver(name = 'none'): Promise<WorkflowDriver> {
  const module = (await import(
    /* @vite-ignore */ `${engines}${name}/reference-driver.ts`
  )) as typeof import('../../src/engine/reference-driver.ts')
  return module.createReferenceDriver()
}

/**
 * The source with the bug in it.
 *
 * @throws Error when the text to replace does not occur exactly once.
 */
export function patched(source: string, { name, file, text, replacement }: Canary): string {
  const parts = source.split(text)
  if (parts.length !== 2) {
    throw new Error(
      `Canary '${name}' no longer applies: its text occurs ${parts.length - 1} times in ${file}, and must once.`,
    )
  }
  return parts.join(replacement)
}

/** Finds the modules of the engines with a planted bug, and plants it. */
export function canaryEngines(): Plugin {
  return {
    name: 'faultline:canaries',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (moduleOf(source) !== undefined) return source
      const from = moduleOf(importer)
      if (from === undefined) return undefined
      const resolved = await this.resolve(source, engine + from.path, options)
      return resolved?.id.startsWith(engine)
        ? `${engines}${from.canary}/${resolved.id.slice(engine.length)}`
        : resolved
    },
    load(id) {
      const module = moduleOf(id)
      if (module === undefined) return undefined
      const source = readFileSync(engine + module.path, 'utf8')
      const canary = [...canaries, obviousBug].find(({ name }) => name === module.canary)
      return canary?.file === `src/engine/${module.path}` ? patched(source, canary) : source
    },
  }
}

/** Whose engine a module belongs to, and which of its modules it is. */
function moduleOf(id = ''): { readonly canary: string; readonly path: string } | undefined {
  if (!id.startsWith(engines)) return undefined
  const [canary = '', ...path] = id.slice(engines.length).split('/')
  return { canary, path: path.join('/') }
}
