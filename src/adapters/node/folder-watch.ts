import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Tells which files of a folder have been written, added or removed since it was asked last. */
export interface FolderWatch {
  /** Their paths below the folder, sorted. */
  changes(): readonly string[]
}

/** @param leftOut Names of files and folders that are not looked at, wherever they lie. */
export function watchFolder(folder: string, leftOut: ReadonlySet<string>): FolderWatch {
  let known = stampsBelow(folder, leftOut)
  return {
    changes() {
      const now = stampsBelow(folder, leftOut)
      const changed = [...new Set([...known.keys(), ...now.keys()])].filter(
        (path) => known.get(path) !== now.get(path),
      )
      known = now
      return changed.sort()
    },
  }
}

/** Size and time of change of every file, by path. */
function stampsBelow(folder: string, leftOut: ReadonlySet<string>): ReadonlyMap<string, string> {
  const stamps = new Map<string, string>()
  const look = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      if (leftOut.has(entry.name)) continue
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) look(path)
      else {
        const stat = statSync(join(folder, path), { bigint: true, throwIfNoEntry: false })
        if (stat !== undefined) stamps.set(path, `${stat.size} ${stat.mtimeNs}`)
      }
    }
  }
  look('')
  return stamps
}
