import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { createNodeFiles } from '../adapters/node/index.ts'
import type { Bundle } from '../bundle/index.ts'
import { FaultlineError } from '../core/index.ts'

/** @throws FaultlineError `FILE_NOT_FOUND`, `BUNDLE_INVALID` or `BUNDLE_NEWER`. */
export async function openBundle(folder: string): Promise<Bundle> {
  const path = resolve(folder)
  if (!existsSync(path)) {
    throw new FaultlineError('FILE_NOT_FOUND', `There is no bundle at '${folder}'.`, {
      details: { path: folder },
    })
  }
  const { readBundle } = await import('../bundle/index.ts')
  return readBundle(createNodeFiles(dirname(path)), basename(path))
}
