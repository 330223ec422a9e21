import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BundleVersions } from '../bundle/index.ts'
import { ownTemplatesFolder } from '../adapters/node/index.ts'

/** What this process runs on, for bundles. */
export function versions(): BundleVersions {
  const manifest = JSON.parse(readFileSync(join(ownTemplatesFolder(), '..', 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return {
    faultline: manifest.version,
    node: process.versions.node,
    vitest: null,
    platform: `${process.platform}-${process.arch}`,
  }
}
