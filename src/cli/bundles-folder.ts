import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Where runs leave their bundles, and tests by default. */
export const bundlesFolder = 'faultline-bundles'

/** A bundle on disk, whether or not it can be read. */
export interface PresentBundle {
  /** As given to `bundlesIn`, and below. */
  readonly folder: string
  readonly writtenAt: number
}

/** `<parent>/<run>/<bundle>`, newest first. Bundles of replays lie inside of others and are not listed. */
export function bundlesIn(parent: string): readonly PresentBundle[] {
  return foldersIn(parent)
    .flatMap(foldersIn)
    .flatMap((folder) => {
      const manifest = statSync(join(folder, 'manifest.json'), { throwIfNoEntry: false })
      return manifest === undefined ? [] : [{ folder, writtenAt: manifest.mtimeMs }]
    })
    .sort((left, right) => right.writtenAt - left.writtenAt || (left.folder < right.folder ? -1 : 1))
}

function foldersIn(parent: string): readonly string[] {
  if (!existsSync(parent)) return []
  const entries = readdirSync(parent, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? [join(parent, entry.name)] : []))
}
