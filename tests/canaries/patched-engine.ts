import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import type { WorkflowDriver } from '../../src/ports/index.ts'
import { canaries, obviousBug } from './canaries.ts'
import type { Canary } from './canaries.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const engineFolder = `${repository}src/engine/`

/**
 * The engine with a planted bug, beside all others: its modules are instances of their own, and everything that they import
 * from elsewhere is what everybody has.
 *
 * @param name Without it the engine as it is, loaded in the same way.
 */
export async function patchedDriver(name = 'none'): Promise<WorkflowDriver> {
  const module = (await import(
    /* @vite-ignore */ `${engineFolder}reference-driver.ts?canary=${name}`
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

/** Carries `?canary=<name>` from the module that was asked for to all of the engine that it imports, and plants the bug. */
export function canaryEngines(): Plugin {
  return {
    name: 'faultline:canaries',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      const name = canaryOf(importer)
      if (name === undefined || canaryOf(source) !== undefined) return undefined
      const resolved = await this.resolve(source, importer?.replace(/\?.*$/, ''), options)
      return resolved?.id.startsWith(engineFolder) ? `${resolved.id}?canary=${name}` : resolved
    },
    transform(code, id) {
      const canary = [...canaries, obviousBug].find(({ name }) => name === canaryOf(id))
      return canary !== undefined && id.startsWith(`${repository}${canary.file}?`)
        ? { code: patched(code, canary), map: null }
        : undefined
    },
  }
}

function canaryOf(id: string | undefined): string | undefined {
  return /\?canary=([\w-]+)$/.exec(id ?? '')?.[1]
}
