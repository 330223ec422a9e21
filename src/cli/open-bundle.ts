import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { createNodeFiles } from '../adapters/node/index.ts'
import type { Bundle } from '../bundle/index.ts'
import { FaultlineError } from '../core/index.ts'

/** @throws FaultlineError `FILE_NOT_FOUND`, `BUNDLE_INVALID` or `BUNDLE_NEWER`. */
export async function openBundle(path: string): Promise<Bundle> {
  const folder = await bundleFolder(path)
  const { readBundle } = await import('../bundle/index.ts')
  return readBundle(createNodeFiles(dirname(folder)), basename(folder))
}

/** Absolute folder of a bundle. */
export async function bundleFolder(path: string): Promise<string> {
  const absolute = resolve(path)
  if (!existsSync(absolute)) {
    throw new FaultlineError('FILE_NOT_FOUND', `There is no bundle at '${path}'.`, { details: { path } })
  }
  return absolute
}
