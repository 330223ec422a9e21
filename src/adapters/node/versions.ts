import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ownTemplatesFolder } from './template-folders.ts'

/** What a process runs on. */
export interface ProcessVersions {
  readonly faultline: string
  readonly node: string
  readonly vitest: string | null
  readonly platform: string
}

let version: string | undefined

/** Version of this package. */
export function packageVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  const manifest = readFileSync(join(dirname(ownTemplatesFolder()), 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}

/** What this process runs on, for bundles; Vitest only where it takes part. */
export function processVersions(vitest: string | null): ProcessVersions {
  return {
    faultline: packageVersion(),
    node: process.versions.node,
    vitest,
    platform: `${process.platform}-${process.arch}`,
  }
}
