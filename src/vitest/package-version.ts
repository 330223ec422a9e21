import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownTemplatesFolder } from '../adapters/node/index.ts'

/** Version of this package. */
export function versions(): { readonly faultline: string } {
  const manifest = JSON.parse(readFileSync(join(ownTemplatesFolder(), '..', 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return { faultline: manifest.version }
}
