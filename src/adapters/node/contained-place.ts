import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs'
import { join, sep } from 'node:path'
import { containedPath, FaultlineError, isSystemError, parentFolder } from '../../core/index.ts'

/** Where a path of the port lies on the machine. */
export interface ContainedPlace {
  /** Relative to the root, in normal form. */
  readonly path: string
  readonly absolute: string
}

export interface FoundPlace extends ContainedPlace {
  /** What stands there; undefined where nothing does. */
  readonly stats: Stats | undefined
}

/**
 * Checks that paths stay below a root, links included.
 *
 * Asks the disk each time, with one `realpath` of the parent folder and one `lstat`, synchronously: about ten
 * microseconds, where a single hop to Node's thread pool costs fifty. A cache would be faster and wrong, because agents
 * make and remove links while a run goes on. The check guards against mistakes and careless agents; it is no sandbox:
 * somebody who swaps a folder for a link between check and use gets through.
 */
export class Containment {
  /** Itself without links. */
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** For operations on the name itself (rename, remove), which do not follow a link that stands there. */
  name(path: string): ContainedPlace {
    const normal = containedPath(path)
    const parent = parentFolder(normal)
    if (parent !== '') this.#check(path, parent)
    return { path: normal, absolute: join(this.root, normal) }
  }

  /** Like `name`, with what has it: a link is a link. */
  entry(path: string): FoundPlace {
    const place = this.name(path)
    return { ...place, stats: lookAt(place.absolute) }
  }

  /** For operations on what the name leads to; '' is the root. */
  target(path: string): FoundPlace {
    if (path === '')
      return { path, absolute: this.root, stats: statSync(this.root, { throwIfNoEntry: false }) }
    const place = this.entry(path)
    if (!place.stats?.isSymbolicLink()) return place
    if (!this.#check(path, place.path)) throw outside(path, 'it is a link to nothing')
    return { ...place, stats: statSync(place.absolute, { throwIfNoEntry: false }) }
  }

  /** False where nothing is: then there is nothing outside to be reached either, and the operation itself will say so. */
  #check(path: string, normal: string): boolean {
    const real = realPath(join(this.root, normal))
    if (real === undefined) return false
    if (real !== this.root && !real.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep)) {
      throw outside(path, `'${normal}' leads outside through a link`)
    }
    return true
  }
}

function lookAt(absolute: string): Stats | undefined {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false })
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return undefined
    throw error
  }
}

function realPath(absolute: string): string | undefined {
  try {
    return realpathSync.native(absolute)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
    throw error
  }
}

function outside(path: string, why: string): FaultlineError {
  return new FaultlineError(
    'PATH_OUTSIDE',
    `The path '${path}' leaves its folder: ${why}. Replace the link by the file or folder that is meant.`,
    { details: { path } },
  )
}
