import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { createDigest, createNodeFiles } from '../adapters/node/index.ts'
import type { Bundle } from '../bundle/index.ts'
import { FaultlineError } from '../core/index.ts'
import { bundlesFolder } from './bundles-folder.ts'

/** @throws FaultlineError `FILE_NOT_FOUND`, `BUNDLE_INVALID` or `BUNDLE_NEWER`. */
export async function openBundle(path: string): Promise<Bundle> {
  const folder = await bundleFolder(path)
  const { readBundle } = await import('../bundle/index.ts')
  return readBundle(createNodeFiles(dirname(folder)), basename(folder))
}

/** Absolute folder of a bundle. A packed one is unpacked below `faultline-bundles` first, once. */
export async function bundleFolder(path: string): Promise<string> {
  const absolute = resolve(path)
  const stats = statSync(absolute, { throwIfNoEntry: false })
  if (stats === undefined) {
    throw new FaultlineError('FILE_NOT_FOUND', `There is no bundle at '${path}'.`, { details: { path } })
  }
  return stats.isFile() ? unpacked(absolute, path) : absolute
}

async function unpacked(file: string, shown: string): Promise<string> {
  const { unpackBundle } = await import('../bundle/index.ts')
  const zip = readFileSync(file)
  const digest = createDigest()
  const { name, files } = await unpackBundle(zip, shown, digest)
  const folder = resolve(bundlesFolder, `unpacked-${digest.sha256(zip).slice(0, 8)}`, name)
  if (existsSync(join(folder, 'manifest.json'))) return folder
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  return folder
}
